using System.Globalization;
using System.Runtime.CompilerServices;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Nn;

/// <summary>
/// 50 steps of an encoder with padding and of a GPT are those of PyTorch in float64:
/// Goldens/transformer_trajectories.py prints losses and parameters.
/// </summary>
public class TransformerTrajectoryTests
{
    private const int Steps = 50, Count = 3, Length = 6, Width = 8, Heads = 2, Layers = 2, Vocabulary = 7;

    private static readonly string[] Recorded = File.ReadAllLines(Golden("transformer_trajectories.txt"));

    public static TheoryData<string> Runs() => [.. Recorded.Select(line => string.Join(' ', line.Split(' ')[..2]))];

    [Theory, MemberData(nameof(Runs))]
    public void Training_takes_the_same_way(string run) => Compare(Recorded, run);

    [Fact]
    public async Task Values_are_those_of_the_PyTorch_that_is_installed()
    {
        var now = await PyTorchScript.LinesOf(Golden("transformer_trajectories.py"));
        Assert.Equal(Recorded.Length, now.Length);
        foreach (var (recorded, printed) in Recorded.Zip(now))
            AssertClose(Numbers(recorded), Numbers(printed));
    }

    private static void Compare(string[] lines, string run)
    {
        var expected = Numbers(lines.Single(line => line.StartsWith($"{run} ", StringComparison.Ordinal)));
        var (model, loss) = run.StartsWith("gpt", StringComparison.Ordinal) ? Gpt() : Encoder();
        Fill(model);
        Optimizer optimizer = run.EndsWith("Sgd", StringComparison.Ordinal)
            ? new Sgd(model.Parameters(), 0.05, momentum: 0.9)
            : new AdamW(model.Parameters(), 0.01, weightDecay: 0.1);
        var found = new List<double>();
        for (var step = 0; step < Steps; step++)
        {
            optimizer.ZeroGrad();
            var value = loss();
            value.Backward();
            optimizer.Step();
            found.Add(value.Item());
        }
        var all = Named(model).SelectMany(parameter => parameter.Value.ToArray<double>()).ToArray();
        found.Add(all.Select((v, i) => Math.Pow(v * Math.Cos(0.7 * i), 2)).Sum());
        found.Add(all.Sum(v => v * v));
        AssertClose(expected, [.. found]);
    }

    private static (Module Model, Func<Tensor> Loss) Encoder()
    {
        var options = new TransformerOptions { FeedForward = 2 * Width, Dropout = 0 };
        var model = new TransformerEncoder(Width, Heads, Layers, options);
        var (x, target) = (Sines([Count, Length, Width], 0.2, 1), Sines([Count, Length, Width], 0.9, 1));
        long[] lengths = [6, 3, 1];
        var counts = Tensor.From([.. Enumerable.Range(0, Count * Length).Select(i => i % Length < lengths[i / Length])],
            Count, Length);
        var mask = new AttentionMask { Lengths = Tensor.From(lengths) };
        return (model, () => Tensor.Where(counts, (model.Forward(x, mask) - target).Square().Mean(2), 0).Sum()
            / lengths.Sum());
    }

    private static (Module Model, Func<Tensor> Loss) Gpt()
    {
        var model = new Gpt(new()
        {
            Vocabulary = Vocabulary,
            Context = Length,
            Width = Width,
            Heads = Heads,
            Layers = Layers,
            FeedForward = 2 * Width,
        });
        var all = Enumerable.Range(0, Count * Length);
        var tokens = Tensor.From([.. all.Select(i => (long)(i * i + i / 5) % Vocabulary)], Count, Length);
        var labels = Tensor.From([.. all.Select(i => i % 6 == 4 ? -100L : (i * i + 3) % Vocabulary)], Count, Length);
        var batch = new Batch([(Field.Inputs, tokens), (Field.Targets, labels)]);
        var task = new NextTokenTask();
        return (model, () => task.Loss(model, batch));
    }

    // As the script does.
    private static void Fill(Module model)
    {
        model.To(DType.Float64);
        foreach (var ((name, value), index) in Named(model).Select((parameter, index) => (parameter, index)))
        {
            var isGain = name.Contains("norm", StringComparison.Ordinal)
                && name.EndsWith("weight", StringComparison.Ordinal);
            value.Detach().CopyFrom(Sines(value.Shape.Sizes.ToArray(), 0.3 * index + 0.1, 0.4) + (isGain ? 1 : 0));
        }
    }

    private static IEnumerable<(string Name, Tensor Value)> Named(Module model) =>
        model.NamedParameters().OrderBy(parameter => parameter.Name, StringComparer.Ordinal);

    private static Tensor Sines(int[] shape, double phase, double scale) => Tensor.From(
        [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b)).Select(i => scale * Math.Sin(1.7 * i + phase))],
        shape);

    private static void AssertClose(double[] expected, double[] found)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(found[i] - expected[i]) <= 1e-10 * Math.Abs(expected[i]),
                $"value {i}: {found[i]} for {expected[i]}");
    }

    private static double[] Numbers(string line) =>
        [.. line.Split(' ')[2..].Select(text => double.Parse(text, CultureInfo.InvariantCulture))];

    private static string Golden(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "Goldens", name);
}
