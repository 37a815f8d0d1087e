using System.Runtime.CompilerServices;
using Adjoint.Memory;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Autograd;

public class RecordGraphTests
{
    private static Tensor Whole(Func<Tensor> compute)
    {
        using (new RecordGraph()) return compute();
    }

    [Fact]
    public void The_graph_reaches_the_inputs_whatever_their_types()
    {
        var pixels = Tensor.From(new long[] { 0, 128, 255, 64 }, 2, 2);
        var weight = Tensor.Ones(3, 2).RequireGrad();
        var y = Whole(() => (pixels.Reshape(1, 4).Reshape(2, 2).To(DType.Float32) / 255).Linear(weight,
            Tensor.Zeros(3)).Sum());
        Assert.Equal(["Sum", "Linear", "DivideByNumber", "Cast", "Reshape", "Reshape"], Names(y));
        var scaled = y.Source!.Inputs[0].Source!.Inputs[0];
        Assert.True(scaled is { RequiresGrad: false, IsLeaf: false } && pixels.IsLeaf);
        Assert.Equal(["Sum", "Linear"], Names((pixels.To(DType.Float32) / 255).Linear(weight, Tensor.Zeros(3)).Sum()));
    }

    [Fact]
    public void Gradients_are_those_without_it()
    {
        var x = Tensor.Randn([4, 3], new Generator(1));
        var model = new Mlp(3, [5], 2, "relu", new Generator(2));
        string Gradients(bool whole)
        {
            foreach (var parameter in model.Parameters()) parameter.ZeroGrad();
            var y = whole ? Whole(() => model.Forward(x * 2 + x)) : model.Forward(x * 2 + x);
            y.Square().Sum().Backward();
            return string.Join(' ', model.Parameters().SelectMany(parameter => parameter.Grad!.ToArray<float>()));
        }

        Assert.Equal(Gradients(whole: false), Gradients(whole: true));
        Assert.Null(x.Grad);
    }

    [Fact]
    public void The_way_back_is_recorded_only_where_it_is_asked_for()
    {
        using var whole = new RecordGraph();
        var x = Tensor.From(new[] { 3.0 }).RequireGrad();
        x.Square().Backward();
        Assert.True(x.Grad!.IsLeaf);
        x.Grad = null;
        var first = Differentiation.Gradients(x.Pow(3), [x], createGraph: true)[0]!;
        Assert.Equal(18, Differentiation.Gradients(first, [x])[0]!.Item(), 1e-9);
    }

    [Fact]
    public void NoGrad_wins_and_scopes_end_in_any_order()
    {
        var x = Tensor.Ones(2);
        Assert.Null((x * 2).Source);
        using (new RecordGraph())
        {
            using (new NoGrad()) Assert.Null((x * 2).Source);
            using (new RecordGraph()) Assert.NotNull((x * 2).Source);
            Assert.NotNull((x * 2).Source);
        }
        using (default(RecordGraph)) Assert.Null((x * 2).Source);
        Assert.Null((x * 2).Source);
    }

    [Fact]
    public void Indices_know_their_op()
    {
        var x = Tensor.Randn([2, 5], new Generator(3)).RequireGrad();
        var (values, indices) = x.TopK(2);
        Assert.True(indices.IsLeaf);
        using (new RecordGraph()) (values, indices) = x.TopK(2);
        Assert.Same(values.Source, indices.Source);
        Assert.Equal((1, false), (indices.OutputIndex, indices.RequiresGrad));
        values.Sum().Backward();
        Assert.Equal(4, x.Grad!.ToArray<float>().Count(value => value == 1));
    }

    [Fact]
    public void A_tensor_that_was_only_noted_becomes_a_leaf_when_it_is_to_have_a_gradient()
    {
        var w = Whole(() => Tensor.Ones(2) * 3);
        Assert.Equal("Affine", w.Source!.Op.Name);
        Assert.Same(w, w.RequireGrad(false));
        w.RequireGrad();
        Assert.True(w is { IsLeaf: true, RequiresGrad: true });
        (w * w).Sum().Backward();
        Assert.Equal([6f, 6], w.Grad!.ToArray<float>());
        new Sgd([w], 1).Step();
        Assert.Equal([-3f, -3], w.ToArray<float>());
        Assert.All(new Mlp(2, [3], 2).Parameters(), parameter => Assert.True(parameter.IsLeaf));
        using (new RecordGraph())
            Assert.All(new Mlp(2, [3], 2).Parameters(), parameter => Assert.True(parameter.IsLeaf));
    }

    [Fact]
    public void What_was_only_noted_may_be_written_and_is_a_leaf_then()
    {
        var x = Tensor.Ones(2).RequireGrad();
        var (noted, tracked) = (Whole(() => Tensor.Ones(2) * 3), Whole(() => x * 3));
        noted.Fill(5);
        Assert.True(noted.IsLeaf);
        Assert.Throws<AdjointException>(() => tracked.Fill(5));
        Assert.False(tracked.IsLeaf);
        // A gradient that was only noted is copied, as one without history is.
        var gradient = Whole(() => Tensor.Ones(2) * 7);
        x.Grad = gradient;
        Assert.NotSame(gradient, x.Grad);
        Assert.True(x.Grad!.IsLeaf);
    }

    [Fact]
    public void Backward_recycles_nothing_that_was_only_noted()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var (noted, made) = (default(Tensor), default(Tensor));
        var loss = Whole(() =>
        {
            noted = Tensor.Ones(64, 64) * 3;
            made = noted * w;
            return made.Sum();
        });
        loss.Backward();
        (w * 2).Sum().Backward();
        Assert.True(made!.IsReleased);
        Assert.Equal(3, noted!.ItemAt(0, 0));
        Assert.Equal(3, w.Grad!.ItemAt(0, 0) - 2);
    }

    [Fact]
    public void Dropped_graphs_without_gradients_leave_memory_flat()
    {
        using var whole = new RecordGraph();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TensorMemory.Trim();
        var before = BufferPool.RentedBytes + BufferPool.PooledBytes;
        for (var i = 0; i < 500; i++) Step();
        Assert.InRange(BufferPool.RentedBytes + BufferPool.PooledBytes, 0, before + (160L << 20));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Step() => (Tensor.Ones(512, 512) * 2 + 1).Sum();
    }

    [Fact]
    public void A_captured_step_is_captured_under_it()
    {
        using var whole = new RecordGraph();
        var w = Tensor.Ones(3).RequireGrad();
        var step = CapturedStep.Create((x, y) => ((x * 2 * w) - y).Square().Sum(), [w]);
        var (x, y) = (Whole(() => Tensor.Ones(3) * 2), Tensor.Zeros(3));
        for (var i = 0; i < 4; i++) Assert.Equal(48, step.Run(x, y).Item());
        Assert.True(step.IsCaptured);
        Assert.Equal([32f, 32, 32], w.Grad!.ToArray<float>());
    }

    [Fact]
    public void A_saved_tensor_that_was_changed_in_place_is_refused()
    {
        var index = Tensor.From(new long[] { 2, 0 });
        var x = Tensor.Ones(3).RequireGrad();
        var y = x.IndexSelect(0, index);
        Assert.Same(index, Assert.Single(y.Source!.Saved));
        index.Fill(1);
        var error = Assert.Throws<AdjointException>(() => y.Sum().Backward());
        Assert.StartsWith("IndexSelect: its saved tensor was changed in place after the forward pass", error.Message,
            StringComparison.Ordinal);
    }

    private static IEnumerable<string> Names(Tensor tensor)
    {
        for (var at = tensor; at.Source is { } node; at = node.Inputs[0]) yield return node.Op.Name;
    }
}
