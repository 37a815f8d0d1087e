using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Adjoint.Tests.Memory;

/// <summary>
/// A process that may have far less memory than the machine, as in a container: run again in a child.
/// </summary>
public class LimitedMemoryTests
{
    private const string Limit = "ADJOINT_TEST_LIMIT";

    [Theory]
    [InlineData(nameof(What_lies_in_the_pool_makes_room_for_other_sizes))]
    [InlineData(nameof(What_cannot_be_had_is_said_and_not_counted))]
    public async Task With_a_limit(string test)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(LimitedMemoryTests).Assembly.Location);
        start.ArgumentList.Add("-method");
        start.ArgumentList.Add($"{typeof(LimitedMemoryTests).FullName}.{test}");
        start.Environment["DOTNET_GCHeapHardLimit"] = $"{512 << 20:X}";
        start.Environment[Limit] = $"{512 << 20}";
        using var child = Process.Start(start)!;
        var (output, error) = (child.StandardOutput.ReadToEndAsync(), child.StandardError.ReadToEndAsync());
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(child.ExitCode == 0, $"{await output} {await error}");
        Assert.Contains("Total: 1, Errors: 0, Failed: 0, Skipped: 0", await output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_lies_in_the_pool_makes_room_for_other_sizes()
    {
        if (!IsLimited()) return;
        // Each leaves some 300 MB in the pool, in buffers that the next has no use for, smaller ones and larger ones.
        foreach (var (length, steps) in ((int, int)[])[(800_000, 50), (500_000, 80), (200_000, 200), (6_000_000, 4)])
        {
            for (var i = 0; i < 3; i++) Train(length, steps);
            // What the last graph computed is readable until the next.
            Train(1, 1);
        }
        Assert.Equal(30_000_000, Tensor.Ones(30_000_000).Length);
    }

    [Fact]
    public void What_cannot_be_had_is_said_and_not_counted()
    {
        if (!IsLimited()) return;
        var before = TensorMemory.RentedBytes;
        for (var i = 0; i < 3; i++)
        {
            var error = Assert.Throws<AdjointException>(() => Tensor.Empty((int[])[200_000_000]));
            Assert.Contains($"bytes cannot be allocated: other tensors hold {before:N0}, and the process may have "
                + $"{512 << 20:N0} in all; use smaller sizes", error.Message, StringComparison.Ordinal);
            Assert.IsType<OutOfMemoryException>(error.InnerException);
            Assert.Equal(before, TensorMemory.RentedBytes);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Train(int length, int steps)
    {
        var w = Tensor.Ones(length).RequireGrad();
        var y = w;
        for (var i = 0; i < steps; i++) y *= 1.5;
        y.Sum().Backward();
        Assert.Equal((float)Math.Pow(1.5, steps), w.Grad![0].ToArray<float>()[0], Math.Pow(1.5, steps) * 1e-4);
        w.ZeroGrad();
    }

    // In the parent there is nothing to show.
    private static bool IsLimited()
    {
        if (Environment.GetEnvironmentVariable(Limit) is not { } limit) return false;
        Assert.Equal(limit, $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes}");
        return true;
    }
}
