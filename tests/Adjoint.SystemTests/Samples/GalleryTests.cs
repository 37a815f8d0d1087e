namespace Adjoint.SystemTests.Samples;

/// <summary>
/// The programs in samples/gallery learn what they say, and captured they have the bits of eager ones.
/// </summary>
public class GalleryTests(GalleryBuild gallery) : IClassFixture<GalleryBuild>
{
    /// <summary>How many calls of each captured function, or steps of a trainer, are compared.</summary>
    private const int Calls = 100;

    /// <summary>
    /// A program, a pattern of what it prints, and whether the comparison feeds its functions halves of batches in
    /// between, since a smaller one of its own comes late or never.
    /// </summary>
    public static TheoryData<string, string, bool> Programs => new()
    {
        { "mlp-dropout", "accuracy (9[5-9]|100).*\ncaptured: .* 2 plans", false },
        { "char-gpt", "loss 0\\.[34](.|\n)*captured: .* 2 plans(.|\n)*(8.|9.|100) % of the generated words exist\n"
            + "([89].|100) % of the verbs agree", false },
        { "vae", "captured: .* 2 plans(.|\n)*R² (0\\.9|1\\.00)", false },
        { "gan", "[789]. % of the points hit [78] of 8 spots\ncaptured in 2 \\+ 2 plans", true },
        { "unet", "epoch 12: .* IoU 0\\.[6-9].*\ncaptured: .* 2 plans", false },
        { "pinn", "captured in 2 plans(.|\n)*largest error 0\\.0", false },
        { "dqn", "episode 150: balanced for [12].. of 300 steps\ncaptured: [0-9]+ operations", true },
        { "convnet-schedule", "one cycle, epoch 8: rate 0.00000, .* accuracy 9..*\ncaptured: .* 2 plans", false },
        { "accumulation", "captured: .* 2 plans(.|\n)*(9.|100) % of new sequences recalled", false },
        { "own-activation", "Snake: .* error 0\\.00.. on the data, 0\\.[0-4]... beyond\ncaptured: .* 2 plans", false },
        { "ignored-labels", "alike: .* mean [3-6]. %\n.*\n.*counts: .* mean [78]. %\ncaptured: .* 2 plans", false },
    };

    [Theory, MemberData(nameof(Programs))]
    public void A_program_learns_what_it_says(string program, string printed, bool _)
    {
        var watch = new Watch(isCaptured: true);
        Assert.Matches(printed, watch.Run(() => gallery.Run(program)));
        Assert.All(watch.Functions, function => Assert.Null(function.Refusal));
    }

    [Theory, MemberData(nameof(Programs))]
    public void Captured_it_has_the_eager_bits(string program, string _, bool withHalves)
    {
        Watch Play(bool isCaptured)
        {
            var watch = new Watch(isCaptured, Calls, withHalves);
            watch.Run(() => gallery.Run(program));
            return watch;
        }

        var (eager, captured) = (Play(false), Play(true));
        Assert.True(eager.Seen.Any(entry => entry.What.EndsWith(".Grad", StringComparison.Ordinal)), "no gradients");
        RequireSame(eager.Seen, captured.Seen);
        Assert.All(captured.Functions,
            function => Assert.True(function is { Plans: > 0, Refusal: null }, function.Refusal));
        Assert.Contains(captured.Functions, function => function.Plans > 1);
    }

    [Fact]
    public void The_comparison_sees_a_number_that_a_plan_has_frozen()
    {
        Watch Play(bool isCaptured)
        {
            var watch = new Watch(isCaptured, 5);
            watch.Run(() =>
            {
                var (w, calls) = (Tensor.Ones(3).RequireGrad(), 0);
                var function = WatchedFunction.Create((Tensor x) =>
                {
                    w.ZeroGrad();
                    (x * w * ++calls).Sum().Backward();
                    return w.Sum();
                });
                while (true) function.Run(Tensor.Ones(3));
            });
            return watch;
        }

        var error = Assert.ThrowsAny<Exception>(() => RequireSame(Play(false).Seen, Play(true).Seen));
        Assert.Contains("call 3 of function 0: w.Grad", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_program_is_run_and_is_in_the_list()
    {
        var files = GalleryBuild.Paths();
        var readme = File.ReadAllText(Path.Combine(LayeringTests.Root(), "samples", "README.md"));
        Assert.Equal(
            files.Select(Path.GetFileNameWithoutExtension).Order(), Programs.Select(row => row.Data.Item1).Order());
        foreach (var file in files)
        {
            var lines = File.ReadAllLines(file);
            Assert.Equal("#:project ../../src/Adjoint/Adjoint.csproj", lines[0]);
            Assert.True(lines.Length < 150, $"{file}: {lines.Length} lines");
            Assert.Contains($"](gallery/{Path.GetFileName(file)})", readme, StringComparison.Ordinal);
        }
    }

    private static void RequireSame(
        IReadOnlyList<(string What, ulong Bits)> eager, IReadOnlyList<(string What, ulong Bits)> captured)
    {
        foreach (var (x, y) in eager.Zip(captured)) Assert.True(x == y, $"eager {x.What}, captured {y.What}");
        Assert.Equal(eager.Count, captured.Count);
    }
}
