using System.Globalization;

namespace Adjoint.Tests.Ops;

/// <summary>Values and gradients of NumPy, which the script compares with PyTorch's composition.</summary>
public class AttentionGoldenTests
{
    private static readonly string Goldens =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Ops", "Goldens");

    [Fact]
    public void Values_and_gradients_are_those_of_NumPy() =>
        Compare(File.ReadAllLines(Path.Combine(Goldens, "attention.txt")));

    [Fact]
    public async Task The_golden_file_is_what_NumPy_says_today() =>
        Compare(await PyTorchScript.LinesOf(Path.Combine(Goldens, "attention.py")));

    private static void Compare(IReadOnlyList<string> lines)
    {
        Assert.Equal(7, lines.Count);
        foreach (var line in lines)
        {
            var parts = line.Split(" | ");
            Tensor[] leaves =
                [Numbers(1, 2, 4, 3, 5).RequireGrad(), Numbers(2, 2, 2, 4, 5).RequireGrad(),
                    Numbers(3, 2, 2, 4, 3).RequireGrad()];
            var y = leaves[0].ScaledDotProductAttention(leaves[1], leaves[2], Options(parts[0]));
            y.Backward(Numbers(4, 2, 4, 3, 3));
            Tensor[] found = [y.Detach(), .. leaves.Select(leaf => leaf.Grad!)];
            for (var part = 0; part < found.Length; part++)
            {
                var wanted = parts[part + 1].Split(' ')
                    .Select(text => double.Parse(text, CultureInfo.InvariantCulture));
                foreach (var (a, b) in wanted.Zip(found[part].ToArray<double>(), (a, b) => (a, b)))
                    Assert.True(Math.Abs(a - b) <= 1e-13, $"{parts[0]}, part {part}: {b}, not {a}");
                Assert.Equal(wanted.Count(), found[part].Length);
            }
        }
    }

    private static AttentionOptions Options(string name) => name switch
    {
        "plain" => new(),
        "scale" => new() { Scale = 0.9 },
        "causal" => new() { IsCausal = true },
        "mask" => new()
        {
            Mask = Tensor.From([.. from i in Naive.To(3) from j in Naive.To(4) select (i + j) % 3 != 0], 3, 4),
        },
        "bias" => new()
        {
            Mask = Tensor.From(
                (ReadOnlySpan<double>)(double[])
                [
                    .. from n in Naive.To(2) from h in Naive.To(4) from i in Naive.To(3) from j in Naive.To(4)
                       select Math.Sin(n + 2 * h + 3 * i + 5 * j),
                ], 2, 4, 3, 4),
        },
        "alibi" => new() { AlibiSlopes = Tensor.From([0.5, 0.25, 0.125, 0.0625]) },
        "lengths" => new() { KeyLengths = Tensor.From(new long[] { 3, 1 }) },
        _ => throw new InvalidDataException($"attention.txt: there is no case '{name}'"),
    };

    private static Tensor Numbers(double phase, params int[] shape) => Tensor.From(
        (ReadOnlySpan<double>)(double[])
            [.. Enumerable.Range(0, Naive.Count(shape)).Select(i => Math.Sin(0.7 * i + phase))], shape);
}
