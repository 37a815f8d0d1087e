using System.Globalization;
using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>
/// Attention, encoder and decoder layers against PyTorch 1.13 (Debian's python3-torch) in float64: outputs, gradients
/// of inputs and parameters. The figures are attention.txt, written by the script beside it.
/// </summary>
public class AttentionGoldenTests
{
    private const int N = 2, T = 3, S = 5, Width = 8, Heads = 2, Inner = 12;
    private static readonly string Folder =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Nn", "Attention");

    // True where a query sees a key: the opposite of the script's.
    private static readonly Tensor Cross = Tensor.From(
        [true, false, true, true, false, false, true, true, true, true, true, true, false, true, false], T, S);

    private static readonly Tensor Floating =
        Tensor.From<double>([.. Enumerable.Range(0, T * T).Select(i => Math.Sin(1.3 * i))], T, T);

    private static readonly AttentionMask OfSelf = new() { Lengths = Tensor.From(new long[] { 2, 3 }) },
        OfMemory = new() { Mask = Cross, Lengths = Tensor.From(new long[] { 3, 5 }) };

    [Fact]
    public void Values_and_gradients_are_PyTorchs() =>
        Assert.All(File.ReadAllLines(Path.Combine(Folder, "attention.txt")), Compare);

    [Fact]
    public async Task The_golden_file_is_what_PyTorch_says_today() =>
        Assert.All(await PyTorchScript.LinesOf(Path.Combine(Folder, "attention.py")), Compare);

    private static void Compare(string line)
    {
        var parts = line.Split(" | ");
        var (module, call, inputs) = Case(parts[0]);
        module.To(DType.Float64);
        var parameters = module.NamedParameters().ToArray();
        foreach (var (k, (name, value)) in parameters.Index())
        {
            var isScale = name.Split('.') is [.., var parent, "weight"]
                && parent.StartsWith("norm", StringComparison.Ordinal);
            value.CopyFrom<double>([.. Enumerable.Range(0, value.Length)
                .Select(i => 0.5 * Math.Sin(0.7 * i + k) + (isScale ? 1 : 0))]);
        }
        var y = call(inputs);
        AssertClose(parts[0], Numbers(parts[1]), y.ToArray<double>());
        if (!y.RequiresGrad) return;
        double[] incoming = [.. Enumerable.Range(0, y.Length).Select(i => Math.Cos(0.3 * i))];
        y.Backward(Tensor.From<double>(incoming, [.. y.Shape.Sizes]));
        AssertClose(parts[0], Numbers(parts[2]), [.. inputs.SelectMany(x => x.Grad!.ToArray<double>())]);
        var sums = parts[3].Split("; ").Select(one => one.Split(' ')).ToArray();
        Assert.Equal(sums.Select(one => one[0]), parameters.Select(one => one.Name));
        AssertClose(parts[0], [.. sums.SelectMany(one => Numbers(one[1]))],
            [.. parameters.Select(one => one.Value.Grad!.ToArray<double>().Select((g, i) => g * Math.Cos(i)).Sum())]);
    }

    private static (Module Module, Func<Tensor[], Tensor> Call, Tensor[] Inputs) Case(string name)
    {
        var (x, memory) = ((int[])[N, T, Width], (int[])[N, S, Width]);
        var options = new TransformerOptions { FeedForward = Inner, Dropout = 0 };
        var later = options with { IsPreNorm = true, Activation = FeedForwardActivation.Gelu };
        switch (name)
        {
            case "attention, causal, without bias":
                var unbiased = new MultiHeadAttention(Width, Heads, new() { HasBias = false });
                return (unbiased, x => unbiased.Forward(x[0], AttentionMask.Causal), Waves(x));
            case "encoder":
                var encoder = new TransformerEncoder(Width, Heads, 2,
                    options with { IsPreNorm = true, HasFinalNorm = true });
                return (encoder, x => encoder.Forward(x[0], AttentionMask.Causal), Waves(x));
            case "decoder":
                var decoder = new TransformerDecoder(Width, Heads, 2, options);
                return (decoder, x => decoder.Forward(x[0], x[1], AttentionMask.Causal), Waves(x, memory));
        }
        if (name.StartsWith("encoder layer", StringComparison.Ordinal))
        {
            var layer = new TransformerEncoderLayer(Width, Heads, name.Contains("pre-norm") ? later : options);
            return name switch
            {
                "encoder layer" => (layer, x => layer.Forward(x[0]), Waves(x)),
                "encoder layer, padded" => (layer, x => layer.Forward(x[0], OfSelf), Waves(x)),
                _ => (layer, x => layer.Forward(x[0], AttentionMask.Causal), Waves(x)),
            };
        }
        if (name.StartsWith("decoder layer", StringComparison.Ordinal))
        {
            var layer = new TransformerDecoderLayer(Width, Heads, name.Contains("pre-norm") ? later : options);
            return name == "decoder layer"
                ? (layer, x => layer.Forward(x[0], x[1], AttentionMask.Causal), Waves(x, memory))
                : (layer, x => layer.Forward(x[0], x[1], OfSelf with { IsCausal = true }, OfMemory), Waves(x, memory));
        }
        var attention = new MultiHeadAttention(Width, Heads);
        return name switch
        {
            "attention" => (attention, x => attention.Forward(x[0]), Waves(x)),
            "attention, cross, masked and padded" =>
                (attention, x => attention.Forward(x[0], x[1], x[2], OfMemory), Waves(x, memory, memory)),
            "attention, of one memory" => (attention, x => attention.Forward(x[0], x[1], x[1]), Waves(x, memory)),
            "attention, floating mask" =>
                (attention, x => attention.Forward(x[0], new AttentionMask { Mask = Floating }), Waves(x)),
            "attention, weights" => (attention, Weights, Waves(x, memory)),
            _ => throw new ArgumentOutOfRangeException(name),
        };

        Tensor Weights(Tensor[] x)
        {
            Tensor? seen = null;
            using (attention.RegisterWeightsHook((_, weights) => seen = weights))
                attention.Forward(x[0], x[1], x[1], new AttentionMask { Mask = Cross });
            return seen!;
        }
    }

    private static Tensor[] Waves(params int[][] shapes) =>
    [
        .. shapes.Select((shape, k) => Tensor.From<double>(
            [.. Enumerable.Range(0, ((Shape)shape).Elements).Select(i => Math.Sin(0.7 * i + k + 1))], shape)
            .RequireGrad()),
    ];

    private static double[] Numbers(string text) =>
        [.. text.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))];

    private static void AssertClose(string name, double[] expected, double[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - found[i]) <= 1e-11 * Math.Max(1, Math.Abs(expected[i])),
                $"{name} [{i}]: {found[i]:R}, PyTorch {expected[i]:R}");
    }
}
