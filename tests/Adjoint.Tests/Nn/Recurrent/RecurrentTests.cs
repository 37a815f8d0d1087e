using Adjoint.Nn;

namespace Adjoint.Tests.Nn;

/// <summary>Recurrent layers at their edges: lengths, padding, states, threads, capture.</summary>
public class RecurrentTests
{
    private const int Count = 4, Steps = 5, Inputs = 3, Width = 6;

    public static TheoryData<string> Kinds => ["Lstm", "Lstm, projected", "Gru", "Rnn", "Rnn, relu"];

    // pytorch #517, #1811, dynet #1121: the backward direction begins at each sequence's own end.
    [Theory, MemberData(nameof(Kinds))]
    public void In_a_batch_a_sequence_gives_what_it_gives_alone(string kind)
    {
        var net = Create(kind);
        var x = Tensor.Randn([Count, Steps, Inputs], new Generator(1));
        long[] lengths = [3, 5, 1, 4];
        var (outputs, states) = Run(net, x, Tensor.From(lengths));
        for (var row = 0; row < Count; row++)
        {
            var length = (int)lengths[row];
            var (alone, aloneStates) = Run(net, x[row..(row + 1)].Slice(1, 0, length), null);
            Assert.Equal(Values(alone), Values(outputs[row..(row + 1)].Slice(1, 0, length)));
            Assert.All(Values(outputs[row..(row + 1)].Slice(1, length, Steps - length)), y => Assert.Equal(0, y));
            foreach (var (one, all) in aloneStates.Zip(states)) Assert.Equal(Values(one), Values(all.Slice(1, row, 1)));
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void NaN_in_padding_matters_to_nothing(string kind)
    {
        var lengths = Tensor.From(new long[] { 3, 5, 0, 4 });
        var found = new List<float[]>();
        foreach (var padding in (float[])[0, float.NaN])
        {
            var net = Create(kind);
            var values = Tensor.Randn([Count, Steps, Inputs], new Generator(1)).ToArray<float>();
            for (var i = 0; i < values.Length; i++)
                if (i / Inputs % Steps >= lengths.ToArray<long>()[i / Inputs / Steps]) values[i] = padding;
            var x = Tensor.From(values, Count, Steps, Inputs).RequireGrad();
            var (outputs, states) = Run(net, x, lengths);
            // What arrives there is NaN too.
            var weights = Tensor.Where(outputs.Detach().EqualTo(0), Tensor.Scalar(padding),
                Tensor.Randn(outputs.Shape, new Generator(2)));
            outputs.Backward(weights, retainGraph: true);
            states.Aggregate(Tensor.Scalar(0), (sum, state) => sum + state.Square().Sum()).Backward();
            found.Add([.. Values(outputs), .. states.SelectMany(Values), .. Values(x.Grad!), .. net.Parameters()
                .SelectMany(parameter => Values(parameter.Grad!))]);
        }
        Assert.All(found[1], y => Assert.True(float.IsFinite(y)));
        Assert.Equal(found[0], found[1]);
    }

    // pytorch #4582.
    [Theory, MemberData(nameof(Kinds))]
    public void Sequences_without_steps_keep_their_states(string kind)
    {
        var net = Create(kind);
        var rows = net.Options.Layers * net.Directions;
        Tensor[] states = [Tensor.Randn([rows, Count, net.HiddenWidth], new Generator(3)).RequireGrad(),
            Tensor.Randn([rows, Count, Width], new Generator(4)).RequireGrad()];
        foreach (var (steps, lengths) in ((int, Tensor?)[])[(0, null), (Steps, Tensor.Zeros([Count], DType.Int64))])
        {
            var x = Tensor.Full([Count, steps, Inputs], double.NaN).RequireGrad();
            var (outputs, last) = Run(net, x, lengths, states);
            Assert.Equal((Shape)(int[])[Count, steps, net.Directions * net.HiddenWidth], outputs.Shape);
            Assert.All(Values(outputs), y => Assert.Equal(0, y));
            (last[0].Sum() + outputs.Sum()).Backward();
            Assert.Equal(Values(states[0]), Values(last[0]));
            Assert.All(Values(states[0].Grad!), g => Assert.Equal(1, g));
            Assert.All(Values(x.Grad!), g => Assert.Equal(0, g));
            foreach (var parameter in net.Parameters()) Assert.All(Values(parameter.Grad!), g => Assert.Equal(0, g));
            states[0].Grad = null;
            net.Parameters().ToList().ForEach(parameter => parameter.Grad = null);
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void A_state_goes_on_where_the_sequence_stopped(string kind)
    {
        var net = Create(kind, both: false);
        var x = Tensor.Randn([Count, Steps, Inputs], new Generator(1));
        var (whole, last) = Run(net, x, null);
        var (first, between) = Run(net, x.Slice(1, 0, 2), null);
        var (second, after) = Run(net, x.Slice(1, 2, Steps - 2), null, between);
        Assert.Equal(Values(whole), Values(Tensor.Concat([first, second], 1)));
        foreach (var (one, other) in last.Zip(after)) Assert.Equal(Values(one), Values(other));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Threads_and_capture_change_no_bit(string kind)
    {
        // Several blocks of units and strips of sequences, so that threads share them.
        var net = Create(kind, width: 45, inputs: 40);
        var lengths = Tensor.From([.. Enumerable.Range(0, 37).Select(i => (i * 7 + 3) % 4L)]);
        float[] Bits(Func<Tensor, Tensor> step, ulong seed)
        {
            foreach (var parameter in net.Parameters()) parameter.ZeroGrad();
            var y = step(Tensor.Randn([37, 3, 40], new Generator(seed)));
            return [.. Values(y), .. net.Parameters().SelectMany(parameter => Values(parameter.Grad!))];
        }

        Tensor Step(Tensor x)
        {
            var (outputs, states) = Run(net, x, lengths);
            (outputs.Square().Sum() + states.Aggregate(Tensor.Scalar(0), (sum, one) => sum + one.Sum())).Backward();
            return outputs;
        }

        var expected = Threads.Of(1, 2, 3, 8).Select(_ => Bits(Step, 1)).ToArray();
        Assert.All(expected, bits => Assert.Equal(expected[0], bits));
        var captured = CapturedFunction.Create(Step);
        for (var seed = 1ul; seed < 4; seed++) Assert.Equal(Bits(Step, seed), Bits(x => captured.Run(x), seed));
        Assert.True(captured.IsCaptured);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Each_output_alone_leads_back_to_the_input(string kind)
    {
        var net = Create(kind, both: false);
        net.To(DType.Float64);
        var x = Tensor.Randn([2, 3, Inputs], new Generator(1), DType.Float64);
        for (var which = 0; which < (net is Lstm ? 3 : 2); which++)
        {
            var result = GradCheck.Run(inputs =>
            {
                var (outputs, states) = Run(net, inputs[0], Tensor.From(new long[] { 2, 3 }));
                return which == 0 ? outputs : states[which - 1];
            }, [x]);
            Assert.True(result.Passed && result.Comparisons > 0, $"{kind}, {which}: {result}");
        }
    }

    [Fact]
    public void Dropout_is_between_layers_and_in_training_alone()
    {
        var x = Tensor.Ones(2, 3, Inputs);
        Lstm Net(double dropout, int layers) =>
            new(Inputs, Width, new() { Dropout = dropout, Layers = layers }, new Generator(1));
        Assert.Equal(Values(Net(0, 1).Forward(x)), Values(Net(0.9, 1).Forward(x)));
        Assert.Equal(Values(Net(0, 2).Eval().Forward(x)), Values(Net(0.9, 2).Eval().Forward(x)));
        Assert.NotEqual(Values(Net(0, 2).Forward(x)), Values(Net(0.9, 2).Forward(x)));
        Assert.Empty(new Lstm(1, 1).StateDict().Keys.Except(
            ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]));
    }

    [Fact]
    public void Parameters_have_PyTorchs_names_and_begin_within_one_over_the_root_of_the_units()
    {
        var net = new Lstm(3, 16, new() { Layers = 2, IsBidirectional = true, Projection = 5 });
        string[] each = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"];
        string[] suffixes = ["_l0", "_l0_reverse", "_l1", "_l1_reverse"];
        Assert.Equal(
            suffixes.SelectMany(suffix => each.Select(name => name + suffix)),
            net.NamedParameters().Select(parameter => parameter.Name));
        Assert.Equal((Shape)(int[])[64, 10], net.Weights[2].Input.Shape);
        var all = net.Parameters().SelectMany(Values).ToArray();
        Assert.InRange(all.Max(), 0.24, 0.25);
        Assert.InRange(all.Min(), -0.25, -0.24);
    }

    [Fact]
    public void A_cell_is_one_step_of_its_layer()
    {
        var (x, h, c) = (Tensor.Randn([2, 3], new Generator(1)), Tensor.Randn([2, 4], new Generator(2)),
            Tensor.Randn([2, 4], new Generator(3)));
        static T Same<T>(T cell, RecurrentLayer layer) where T : RecurrentCellModule
        {
            cell.LoadStateDict(layer.StateDict().ToDictionary(
                entry => entry.Key.Replace("_l0", "", StringComparison.Ordinal), entry => entry.Value));
            return cell;
        }

        var lstm = new Lstm(3, 4);
        var (_, expected) = lstm.Forward(x.Unsqueeze(1), new(h.Unsqueeze(0), c.Unsqueeze(0)));
        var state = Same(new LstmCell(3, 4), lstm).Forward(x, new(h, c));
        Assert.Equal(Values(expected.Hidden), Values(state.Hidden));
        Assert.Equal(Values(expected.Cell), Values(state.Cell));
        var gru = new Gru(3, 4);
        Assert.Equal(Values(gru.Forward(x.Unsqueeze(1), h.Unsqueeze(0)).State),
            Values(Same(new GruCell(3, 4), gru).Forward(x, h)));
        var rnn = new Rnn(3, 4, activation: RecurrentActivation.Relu);
        Assert.Equal(Values(rnn.Forward(x.Unsqueeze(1), h.Unsqueeze(0)).State),
            Values(Same(new RnnCell(3, 4, activation: RecurrentActivation.Relu), rnn).Forward(x, h)));
        Assert.Equal("RnnCell: the input must be (n, 3): found (2, 1, 3); whole sequences take Rnn",
            Assert.Throws<AdjointException>(() => new RnnCell(3, 4).Forward(x.Unsqueeze(1))).Message);
    }

    [Fact]
    public void What_does_not_fit_is_named()
    {
        void Refused(string message, Action act) =>
            Assert.Equal(message, Assert.Throws<AdjointException>(act).Message);
        var (lstm, x) = (new Lstm(3, 4, new() { Layers = 2 }), Tensor.Zeros(2, 5, 3));
        Refused("Lstm: the input must be (n, t, 3): found (2, 5, 4); one sequence alone takes .Unsqueeze(0)",
            () => lstm.Forward(Tensor.Zeros(2, 5, 4)));
        Refused("Lstm: the hidden state must be (2, 2, 4), (layers·directions, n, width): found (1, 2, 4)",
            () => lstm.Forward(x, new(Tensor.Zeros(1, 2, 4), Tensor.Zeros(2, 2, 4))));
        Refused("Lstm: the cell state must be (2, 2, 4), (layers·directions, n, width): found (2, 3, 4)",
            () => lstm.Forward(x, new(Tensor.Zeros(2, 2, 4), Tensor.Zeros(2, 3, 4))));
        Refused("Lstm: the length of sequence 1 must be from 0 to 5, the steps of the input: found 6; pad the batch to "
            + "its longest sequence, or clamp the lengths", () =>
                lstm.Forward(x, null, Tensor.From(new long[] { 5, 6 })));
        Refused("Gru: takes no projection, which only an LSTM has: found 2; apply a Linear to the outputs",
            () => new Gru(3, 4, new() { Projection = 2 }));
        Refused("Lstm: a projection must be from 1 to 3, narrower than the 4 units, or 0 for none: found 4",
            () => new Lstm(3, 4, new() { Projection = 4 }));
        Refused("Rnn: the probability of dropout must be in [0, 1): found 1",
            () => new Rnn(3, 4, new() { Dropout = 1 }));
        Refused("Rnn: there must be 1 layer or more: found 0", () => new Rnn(3, 4, new() { Layers = 0 }));
    }

    private static RecurrentLayer Create(string kind, bool both = true, int width = Width, int inputs = Inputs)
    {
        var options = new RecurrentOptions
        {
            Layers = 2,
            IsBidirectional = both,
            Projection = kind == "Lstm, projected" ? 4 : 0,
        };
        var generator = new Generator(7);
        return kind switch
        {
            "Gru" => new Gru(inputs, width, options, generator),
            "Rnn" => new Rnn(inputs, width, options, generator: generator),
            "Rnn, relu" => new Rnn(inputs, width, options, RecurrentActivation.Relu, generator),
            _ => new Lstm(inputs, width, options, generator),
        };
    }

    private static (Tensor Outputs, Tensor[] States) Run(
        RecurrentLayer net, Tensor x, Tensor? lengths, Tensor[]? states = null)
    {
        if (net is Lstm lstm)
        {
            var (outputs, last) = lstm.Forward(x, states is null ? null : new(states[0], states[1]), lengths);
            return (outputs, [last.Hidden, last.Cell]);
        }
        var (y, h) = net is Gru gru ? gru.Forward(x, states?[0], lengths) : ((Rnn)net).Forward(x, states?[0], lengths);
        return (y, [h]);
    }

    private static float[] Values(Tensor x) => x.ToArray<float>();
}
