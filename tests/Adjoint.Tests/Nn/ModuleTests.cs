using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Tests.Nn;

public class ModuleTests
{
    [Fact]
    public void Parameters_have_paths_and_states_load_all_or_nothing()
    {
        var model = new Mlp(4, [8], 3, "relu", new Generator(1));
        Assert.Equal(["1.weight", "1.bias", "3.weight", "3.bias"], model.NamedParameters()
            .Select(parameter => parameter.Name));
        var other = new Mlp(4, [8], 3, "relu", new Generator(2));
        other.LoadStateDict(model.StateDict());
        Assert.Equal(model.Parameters().SelectMany(p => p.ToArray<float>()), other.Parameters()
            .SelectMany(p => p.ToArray<float>()));
        var error = Assert.Throws<AdjointException>(() => new Mlp(4, [9], 3).LoadStateDict(model.StateDict()));
        Assert.StartsWith("LoadStateDict: 1.weight must be (9, 4) float32: found (8, 4) float32", error.Message,
            StringComparison.Ordinal);
        Assert.Contains("missing 5.weight, 5.bias",
            Assert.Throws<AdjointException>(() => new Mlp(4, [8, 3], 3).LoadStateDict(model.StateDict())).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_input_that_does_not_fit_names_the_layer()
    {
        var error = Assert.Throws<AdjointException>(() => new Mlp(4, [8], 3).Forward(Tensor.Zeros(2, 5)));
        Assert.Equal(
            "layer 1 (Linear(4 → 8)): Linear: an input (n, 4) is needed: found (2, 5) for weights (8, 4); the last " +
            "axis must be the number of inputs", error.Message);
    }

    [Fact]
    public void Initializers_have_the_variance_of_their_paper()
    {
        void Check(Initializer initializer, double variance)
        {
            var values = initializer.Create(300, 200, new Generator(4)).ToArray<float>();
            Assert.Equal(variance, values.Average(x => (double)x * x), variance * 0.03);
            Assert.Equal(0, values.Average(), Math.Sqrt(variance) * 0.02);
        }

        Check(Initializer.XavierUniform, 2.0 / 500);
        Check(Initializer.XavierNormal, 2.0 / 500);
        Check(Initializer.KaimingUniform, 2.0 / 200);
        Check(Initializer.KaimingNormal, 2.0 / 200);
        Check(Initializer.Default, 1.0 / 3 / 200);
    }

    [Fact]
    public void Dropout_keeps_the_mean_in_training_and_does_nothing_in_use()
    {
        var dropout = new Dropout(0.3, new Generator(5));
        var y = dropout.Forward(Tensor.Ones(100_000)).ToArray<float>();
        Assert.Equal(1, y.Average(), 0.01);
        Assert.Equal(0.3, y.Count(x => x == 0) / 100_000.0, 0.01);
        dropout.Eval();
        Assert.All(dropout.Forward(Tensor.Ones(10)).ToArray<float>(), x => Assert.Equal(1, x));
    }

    [Fact]
    public void Hooks_see_and_replace_what_passes_forward_and_backward()
    {
        var model = new Mlp(3, [4], 2, "relu", new Generator(1));
        var seen = new List<string>();
        var handles = model.Select(layer => layer.RegisterForwardHook((module, x, y) =>
        {
            seen.Add($"{module} {x.Shape} {y.Shape}");
            return null;
        })).ToArray();
        var x = Tensor.Ones(5, 3);
        model.Forward(x);
        Assert.Equal(
            ["Flatten (5, 3) (5, 3)", "Linear(3 → 4) (5, 3) (5, 4)", "Relu (5, 4) (5, 4)",
                "Linear(4 → 2) (5, 4) (5, 2)"], seen);
        foreach (var handle in handles) handle.Dispose();

        var last = model[^1];
        using (last.RegisterForwardHook((_, _, y) => y * 0))
            Assert.All(model.Forward(x).ToArray<float>(), value => Assert.Equal(0, value));
        Shape? arrived = null;
        using (last.RegisterBackwardHook((_, gradient) => { arrived = gradient.Shape; return gradient * 2; }))
            model.Forward(x).Sum().Backward();
        Assert.Equal((Shape)(int[])[5, 2], arrived);
        Assert.Equal([10f, 10], ((Linear)last).Bias!.Grad!.ToArray<float>());
        model.Forward(x).Sum().Backward();
        Assert.Equal([15f, 15], ((Linear)last).Bias!.Grad!.ToArray<float>());
        Assert.Equal(4, seen.Count);
    }

    [Fact]
    public void Summary_lists_layers_shapes_and_parameters()
    {
        var summary = new Mlp(4, [8], 3).Summary(1, 4);
        Assert.Contains("1 Linear(4 → 8)", summary, StringComparison.Ordinal);
        Assert.Matches(@"total\s+67", summary);
    }

    [Fact]
    public void An_error_names_the_whole_path_of_the_layer()
    {
        var model = new Named(("features", new Sequential(new Relu(), new Named(("conv", new Conv2d(3, 4, 3))))));
        var error = Assert.Throws<AdjointException>(() => model.Forward(Tensor.Zeros(1, 2, 8, 8)));
        Assert.StartsWith(
            "layer features.1.conv (Conv2d(3 → 4, 3)): Conv2d: an input (n, 3, h, w) is needed: found (1, 2, 8, 8)",
            error.Message, StringComparison.Ordinal);
        Assert.StartsWith("Conv2d: an input",
            Assert.Throws<AdjointException>(() => new Conv2d(3, 4, 3).Forward(Tensor.Zeros(1, 2, 8, 8))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void An_embedding_gives_rows_and_their_gradients()
    {
        var embedding = new Embedding(5, 3, new Generator(1));
        var rows = embedding.Weight.ToArray<float>();
        var y = embedding.Forward(Tensor.From(new long[] { 4, 0, 4, 2 }, 2, 2));
        Assert.Equal((Shape)(int[])[2, 2, 3], y.Shape);
        Assert.Equal([.. rows[12..15], .. rows[0..3], .. rows[12..15], .. rows[6..9]], y.ToArray<float>());
        y.Sum().Backward();
        Assert.Equal([1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 2, 2, 2], embedding.Weight.Grad!.ToArray<float>());
        foreach (var index in (long[])[5, -1, 1L << 40])
            Assert.Equal($"Embedding: index {index} at (0) is not a row of (5, 3); use 0..4",
                Assert.Throws<AdjointException>(() => embedding.Forward(Tensor.From(new long[] { index }))).Message);
        Assert.Contains("int64", Assert.Throws<AdjointException>(() => embedding.Forward(Tensor.Zeros(2))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Dropout2d_drops_whole_channels_and_keeps_the_mean()
    {
        var layer = new Dropout2d(0.25, new Generator(3));
        var y = layer.Forward(Tensor.Ones(50, 40, 3, 3)).ToArray<float>();
        foreach (var channel in y.Chunk(9))
            Assert.True(channel.All(value => value == 0) || channel.All(value => Math.Abs(value - 4 / 3f) < 1e-6));
        // 2,000 channels: the standard deviation of the mean is √(0.25 / 0.75 / 2000) = 0.013.
        Assert.Equal(1, y.Average(), 0.05);
        Assert.Equal(1, layer.Eval().Forward(Tensor.Ones(1, 2, 2, 2)).ToArray<float>().Min());
        Assert.Contains("Dropout2d", Assert.Throws<AdjointException>(() => new Dropout2d(1)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.Int64)]
    [InlineData(DType.Bool)]
    public void Dropout_of_whole_numbers_is_refused_in_training(DType type)
    {
        foreach (var dropout in (Layer[])[new Dropout(0.5, new Generator(1)), new Dropout2d(0.5, new Generator(1))])
        {
            var x = Tensor.Zeros([2, 3, 4, 4], type);
            var error = Assert.Throws<AdjointException>(() => dropout.Forward(x));
            Assert.Contains("needs a floating type", error.Message, StringComparison.Ordinal);
            Assert.Same(x, dropout.Eval().Forward(x));
        }
    }

    [Fact]
    public void A_module_is_no_part_of_itself()
    {
        var (inner, outer) = (new Mixed(), new Mixed());
        outer.Add(("inner", inner));
        foreach (var (child, to) in ((Mixed, Mixed)[])[(inner, inner), (outer, inner)])
        {
            var error = Assert.Throws<AdjointException>(() => to.Add(("again", child)));
            Assert.Contains("'again' holds this module itself", error.Message, StringComparison.Ordinal);
        }
        Assert.Empty(outer.Parameters());
    }

    [Fact]
    public void A_hook_that_is_removed_twice_takes_no_other_along()
    {
        var (x, relu) = (Tensor.Ones(1).RequireGrad(), new Relu());
        Func<Tensor, Tensor?> twice = gradient => gradient * 2;
        var first = x.RegisterHook(twice);
        x.RegisterHook(twice);
        Func<Module, Tensor, Tensor, Tensor?> triple = (_, _, y) => y * 3;
        var before = relu.RegisterForwardHook(triple);
        relu.RegisterForwardHook(triple);
        for (var i = 0; i < 2; i++)
        {
            first.Dispose();
            before.Dispose();
        }
        var y = relu.Forward(x);
        y.Sum().Backward();
        Assert.Equal(3, y.Item());
        Assert.Equal(6, x.Grad!.Item());
    }

    [Fact]
    public void Names_within_a_module_differ_and_have_no_dot()
    {
        var weight = Tensor.Ones(2);
        Refused("there is a 'weight' already", module => module.Add(("weight", weight), ("weight", weight)));
        var buffer = new Buffer(weight);
        Refused("there is a 'weight' already", module => module.Add(("weight", weight), ("weight", buffer)));
        Refused("there is a 'part' already", module => module.Add(("part", new Relu()), ("part", new Relu())));
        foreach (var name in (string[])["", "a.weight"])
            Refused($"found '{name}'", module => module.Add((name, weight)));

        static void Refused(string part, Action<Mixed> add) =>
            Assert.Contains(part, Assert.Throws<AdjointException>(() => add(new())).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DType.Float64)]
    [InlineData(DType.Int64)]
    [InlineData(DType.Bool)]
    public void Buffers_of_every_type_are_loaded_shared_and_averaged(DType type)
    {
        var (first, second) = (new Mixed(), new Mixed());
        var (from, to) = (Tensor.Ones(5).To(type), Tensor.Zeros(5).To(type));
        first.Add(("a", new Buffer(from)), ("b", new Buffer(from)));
        second.Add(("a", new Buffer(to)), ("b", new Buffer(to)));
        var average = new WeightAverage(second);
        second.LoadStateDict(first.StateDict());
        Assert.Equal(from.ToString(), to.ToString());
        average.Update();
        using (average.Swap()) Assert.NotEqual(0, to.ItemAt(0));
        Assert.Equal(1, to.ItemAt(0));
        var error = Assert.Throws<AdjointException>(() => to.CopyFrom(Tensor.Zeros(5, 1).To(type)));
        Assert.Contains("must be (5,)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_average_of_a_parameter_named_as_its_own_count_is_refused()
    {
        var model = new Mixed();
        model.Add(("steps", Tensor.Ones(2)));
        var error = Assert.Throws<AdjointException>(() => new WeightAverage(model));
        Assert.Contains("'steps'", error.Message, StringComparison.Ordinal);
    }

    private sealed record Buffer(Tensor Value);

    private sealed class Mixed : Module
    {
        internal void Add(params ReadOnlySpan<(string Name, object Value)> all)
        {
            foreach (var (name, value) in all)
                if (value is Module child) AddChild(name, child);
                else if (value is Buffer buffer) AddBuffer(name, buffer.Value);
                else AddParameter(name, (Tensor)value);
        }
    }

    private sealed class Named : Layer
    {
        private readonly Layer inner;

        internal Named((string Name, Layer Value) child) => inner = AddChild(child.Name, child.Value);

        protected override Tensor ForwardCore(Tensor x) => inner.Forward(x);
    }
}
