using System.Globalization;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Nn;

/// <summary>
/// Recurrent layers against PyTorch 1.13 (Debian's python3-torch) in float64: Goldens/recurrent.txt, written by the
/// script beside. Single passes with their gradients, and trainings of 50 steps.
/// </summary>
public class RecurrentGoldenTests
{
    private const int Count = 3, Steps = 5, Inputs = 3, Width = 4;

    private static readonly string Goldens =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Nn", "Recurrent", "Goldens");

    public static TheoryData<string> Passes =>
    [
        "rnn", "rnn-relu", "rnn-both-lengths", "gru", "gru-no-bias", "gru-both-lengths", "lstm", "lstm-no-bias",
        "lstm-both-lengths", "lstm-projection", "lstm-projection-both-lengths",
    ];

    public static TheoryData<string> Trainings => ["lstm-sgd", "lstm-adam", "gru-sgd", "gru-adam"];

    [Theory]
    [MemberData(nameof(Passes))]
    public void Outputs_states_and_gradients_are_PyTorchs(string name)
    {
        var options = new RecurrentOptions
        {
            Layers = name.Contains("both") || name is "rnn-relu" or "lstm-no-bias" ? 2 : 1,
            IsBidirectional = name.Contains("both"),
            HasBias = !name.Contains("no-bias"),
            Projection = name switch { "lstm-projection" => 2, "lstm-projection-both-lengths" => 3, _ => 0 },
        };
        var lengths = name switch
        {
            "rnn-both-lengths" or "lstm-projection-both-lengths" => Lengths(5, 2, 3),
            "gru-both-lengths" => Lengths(1, 5, 4),
            "lstm-both-lengths" => Lengths(3, 5, 1),
            _ => null,
        };
        var net = Build(name, options);
        var rows = options.Layers * net.Directions;
        var x = Sines([Count, Steps, Inputs], 0.2, 1.5).RequireGrad();
        var hidden = Sines([rows, Count, net.HiddenWidth], 0.4).RequireGrad();
        var cell = Sines([rows, Count, Width], 0.6).RequireGrad();
        Tensor outputs;
        Tensor[] last, state = net is Lstm ? [hidden, cell] : [hidden];
        switch (net)
        {
            case Lstm lstm:
                (outputs, var both) = lstm.Forward(x, new(hidden, cell), lengths);
                last = [both.Hidden, both.Cell];
                break;
            case Gru gru:
                (outputs, var ofGru) = gru.Forward(x, hidden, lengths);
                last = [ofGru];
                break;
            default:
                (outputs, var ofRnn) = ((Rnn)net).Forward(x, hidden, lengths);
                last = [ofRnn];
                break;
        }
        var loss = (outputs * Sines(outputs.Shape.Sizes.ToArray(), 0.9, 1)).Sum();
        for (var i = 0; i < last.Length; i++)
            loss += (last[i] * Sines(last[i].Shape.Sizes.ToArray(), 1.1 + i, 1)).Sum();
        var found = new Dictionary<string, double[]> { ["outputs"] = Sums(outputs) };
        for (var i = 0; i < last.Length; i++) found[$"last.{i}"] = Sums(last[i]);
        loss.Backward();
        found["x.grad"] = Sums(x.Grad!);
        for (var i = 0; i < state.Length; i++) found[$"state.{i}.grad"] = Sums(state[i].Grad!);
        foreach (var (parameter, value) in net.NamedParameters()) found[$"{parameter}.grad"] = Sums(value.Grad!);
        Compare(name, found, 1e-12);
    }

    [Theory]
    [MemberData(nameof(Trainings))]
    public void Fifty_steps_of_two_layers_in_both_directions_are_PyTorchs(string name)
    {
        var net = Build(name, new() { Layers = 2, IsBidirectional = true });
        var x = Sines([Count, Steps, Inputs], 0.2, 1.5);
        var lengths = Lengths(5, 2, 3);
        Optimizer optimizer = name.EndsWith("sgd", StringComparison.Ordinal)
            ? new Sgd(net.Parameters(), 0.2, momentum: 0.9)
            : new Adam(net.Parameters(), 0.02);
        var found = new Dictionary<string, double[]>();
        for (var step = 0; step < 50; step++)
        {
            var outputs = net is Lstm lstm ? lstm.Forward(x, null, lengths).Outputs
                : ((Gru)net).Forward(x, null, lengths).Outputs;
            var loss = (outputs - Sines(outputs.Shape.Sizes.ToArray(), 0.9, 0.8)).Square().Mean();
            optimizer.ZeroGrad();
            loss.Backward();
            optimizer.Step();
            found[$"loss.{step}"] = [loss.Item()];
        }
        foreach (var (parameter, value) in net.NamedParameters()) found[parameter] = Sums(value);
        Compare(name, found, 1e-10);
    }

    [Fact]
    public async Task The_golden_file_is_what_PyTorch_says_today()
    {
        var (stored, live) = (Read(File.ReadAllLines(Path.Combine(Goldens, "recurrent.txt"))),
            Read(await PyTorchScript.LinesOf(Path.Combine(Goldens, "recurrent.py"))));
        Assert.Equal(stored.Keys, live.Keys);
        foreach (var (key, values) in stored) AssertClose(key, values, live[key], 1e-11);
    }

    private static RecurrentLayer Build(string name, RecurrentOptions options)
    {
        RecurrentLayer net = name.Split('-')[0] switch
        {
            "lstm" => new Lstm(Inputs, Width, options),
            "gru" => new Gru(Inputs, Width, options),
            _ => new Rnn(Inputs, Width, options,
                name == "rnn-relu" ? RecurrentActivation.Relu : RecurrentActivation.Tanh),
        };
        net.To(DType.Float64);
        var index = 0;
        using var _ = new NoGrad();
        foreach (var parameter in net.Parameters())
            parameter.CopyFrom(Sines(parameter.Shape.Sizes.ToArray(), 0.3 * index++ + 0.1));
        return net;
    }

    private static Tensor Lengths(params ReadOnlySpan<long> lengths) => Tensor.From(lengths);

    private static Tensor Sines(int[] shape, double phase, double scale = 0.5)
    {
        var values = new double[shape.Aggregate(1, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++) values[i] = scale * Math.Sin(1.7 * i + phase);
        return Tensor.From(values, shape);
    }

    private static double[] Sums(Tensor x)
    {
        var values = x.ToArray<double>();
        return
        [
            values.Select((v, i) => v * Math.Cos(0.7 * i)).Sum(),
            values.Select((v, i) => v * Math.Sin(1.1 * i + 0.5)).Sum(),
            values.Sum(),
        ];
    }

    private static Dictionary<string, double[]> Read(string[] lines) =>
        lines.Select(line => line.Split(' ')).ToDictionary(
            words => $"{words[0]} {words[1]}",
            words => Array.ConvertAll(words[2..], word => double.Parse(word, CultureInfo.InvariantCulture)));

    private static void Compare(string name, Dictionary<string, double[]> found, double tolerance)
    {
        var expected = Read(File.ReadAllLines(Path.Combine(Goldens, "recurrent.txt")))
            .Where(entry => entry.Key.StartsWith(name + " ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(expected.Select(entry => entry.Key), found.Keys.Select(key => $"{name} {key}"));
        foreach (var (key, values) in expected) AssertClose(key, values, found[key[(name.Length + 1)..]], tolerance);
    }

    private static void AssertClose(string key, double[] expected, double[] found, double tolerance)
    {
        // The sums are of a few dozen numbers of either sign: relative to 1 where they cancel.
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - found[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])),
                $"{key}: expected {expected[i]:R}, found {found[i]:R}");
    }
}
