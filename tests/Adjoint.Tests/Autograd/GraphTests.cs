using System.Runtime.CompilerServices;
using Adjoint.Memory;

namespace Adjoint.Tests.Autograd;

public class GraphTests
{
    [Fact]
    public void Graph_can_be_walked_and_quotient_has_its_minus_sign()
    {
        var a = Tensor.From(new[,] { { 1.0, 2 }, { 3, 4 } }).RequireGrad();
        var b = Tensor.From(new[,] { { 2.0, 4 }, { 5, 8 } }).RequireGrad();
        var c = a / b;
        Assert.Equal("Divide", c.Source!.Op.Name);
        Assert.Same(a, c.Source.Inputs[0]);
        Assert.Same(c, c.Source.Output);
        Assert.True(a.IsLeaf && a.Source is null);
        c.Sum().Backward();
        Assert.Equal([0.5, 0.25, 0.2, 0.125], a.Grad!.ToArray<double>());
        Assert.Equal([-0.25, -0.125, -0.12, -0.0625], b.Grad!.ToArray<double>().Select(x => Math.Round(x, 15)));
    }

    [Fact]
    public void Gradients_add_up_over_uses_and_over_calls_until_cleared()
    {
        var x = Tensor.From(new[] { 3.0 }).RequireGrad();
        (x * x + x).Sum().Backward();
        Assert.Equal(7, x.Grad!.Item());
        (x * 2).Sum().Backward();
        Assert.Equal(9, x.Grad.Item());
        x.Grad = null;
        (x * 2).Sum().Backward();
        Assert.Equal(2, x.Grad!.Item());
    }

    [Fact]
    public void Gradients_add_up_in_the_reverse_of_a_depth_first_walk()
    {
        // An order by counts of uses would come to c before p: (1e8 + 1) − 1e8, which is 0 in float32.
        var w = Tensor.From(new[] { 1f }).RequireGrad();
        var q = w * 1;
        var (c, p) = (q * 0.5, q * -1e8);
        var m = p + c;
        (c + m + q * 1e8).Backward();
        Assert.Equal(1e8f - 1e8f + 1, w.Grad!.Item());
    }

    [Fact]
    public void A_gradient_that_is_shared_is_not_changed_by_adding_up()
    {
        // Add passes one and the same gradient to both sides; adding to one must leave the other alone.
        var (x, y) = (Tensor.Zeros(2000).RequireGrad(), Tensor.Zeros(2000).RequireGrad());
        (x + y + x).Sum().Backward();
        Assert.All(x.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
        Assert.All(y.Grad!.ToArray<float>(), value => Assert.Equal(1, value));
    }

    [Fact]
    public void A_chain_of_100_000_ops_goes_back_without_recursion()
    {
        var x = Tensor.From(new[] { 1.0 }).RequireGrad();
        var y = x;
        for (var i = 0; i < 100_000; i++) y = y + 0.001;
        y.Sum().Backward();
        Assert.Equal(1, x.Grad!.Item());
    }

    [Fact]
    public void Second_and_third_derivatives_exist()
    {
        var x = Tensor.From(new[] { 2.0 }).RequireGrad();
        var first = Differentiation.Gradients(x.Pow(4), [x], createGraph: true)[0]!;
        var second = Differentiation.Gradients(first, [x], createGraph: true)[0]!;
        var third = Differentiation.Gradients(second, [x])[0]!;
        Assert.Equal(
            [32, 48, 48], new[] { first.Item(), second.Item(), third.Item() }.Select(value => Math.Round(value, 9)));
        Assert.Null(x.Grad);
    }

    [Fact]
    public void Nothing_is_recorded_without_gradients()
    {
        var x = Tensor.Ones(3).RequireGrad();
        using (new NoGrad()) Assert.Null((x * 2).Source);
        Assert.NotNull((x * 2).Source);
        Assert.Null((x.Detach() * 2).Source);
        Assert.Null((Tensor.Ones(3) * 2).Source);
    }

    [Fact]
    public void Errors_say_what_to_do()
    {
        var x = Tensor.Ones(2, 2).RequireGrad();
        Assert.Contains("reduce it with .Sum() or .Mean()", Assert.Throws<AdjointException>(() => (x * 2).Backward())
            .Message, StringComparison.Ordinal);
        Assert.Contains("call .RequireGrad()", Assert.Throws<AdjointException>(() => Tensor.Ones(1).Backward()).Message,
            StringComparison.Ordinal);
        var loss = (x * x).Sum();
        loss.Backward();
        Assert.Contains("retainGraph: true", Assert.Throws<AdjointException>(() => loss.Backward()).Message,
            StringComparison.Ordinal);
        Assert.Contains("float32", Assert.Throws<AdjointException>(() => x.ToArray<double>()).Message,
            StringComparison.Ordinal);
        Assert.Contains("RequireGrad: only floating-point",
            Assert.Throws<AdjointException>(() => Tensor.Arange(3).RequireGrad()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_retained_graph_goes_back_twice()
    {
        var x = Tensor.From(new[] { 3f }).RequireGrad();
        var loss = x.Square().Sum();
        loss.Backward(retainGraph: true);
        loss.Backward();
        Assert.Equal(12, x.Grad!.Item());
    }

    [Fact]
    public void A_saved_tensor_that_was_changed_in_place_is_refused()
    {
        var x = Tensor.From(new[] { 3f }).RequireGrad();
        var y = x.Square();
        using (new NoGrad()) x.Fill(5);
        var error = Assert.Throws<AdjointException>(() => y.Sum().Backward());
        Assert.StartsWith("Square: its input 0 (1,) was changed in place after the forward pass", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Values_stay_readable_until_the_next_backward_and_never_show_stale_numbers()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var first = w * 2;
        var kept = (w * 3).Keep();
        (first + kept).Sum().Backward();
        Assert.Equal(2, first.ItemAt(0, 0));
        (w * 5).Sum().Backward();
        Assert.True(first.IsReleased);
        var error = Assert.Throws<AdjointException>(() => first.ItemAt(0, 0));
        Assert.Contains(".Keep()", error.Message, StringComparison.Ordinal);
        Assert.Equal(3, kept.ItemAt(0, 0));
        Assert.Equal("Tensor (64, 64) float32 (memory recycled)", first.ToString());
    }

    [Fact]
    public void Hooks_see_and_replace_gradients()
    {
        var x = Tensor.From(new[] { 1f, 2 }).RequireGrad();
        var y = x * 2;
        Tensor? seen = null;
        using (y.RegisterHook(gradient => seen = gradient * 10)) y.Sum().Backward();
        Assert.Equal([10f, 10], seen!.ToArray<float>());
        Assert.Equal([20f, 20], x.Grad!.ToArray<float>());
        x.Grad = null;
        using (x.RegisterHook(gradient => gradient * 0)) (x * x).Sum().Backward();
        Assert.Equal([0f, 0], x.Grad!.ToArray<float>());
    }

    [Fact]
    public void Anomaly_mode_names_the_first_op_that_made_a_NaN_and_the_line()
    {
        using var anomaly = new AnomalyMode();
        var x = Tensor.From(new[] { -1f }).RequireGrad();
        // A call in the last place of an optimized method leaves no line.
        var forward = Assert.Throws<AnomalyException>(() => x.Sqrt().Sum());
        Assert.Equal("Sqrt", forward.OpName);
        Assert.Contains("GraphTests", forward.CalledAt, StringComparison.Ordinal);
        var zero = Tensor.From(new[] { 0f }).RequireGrad();
        var backward = Assert.Throws<AnomalyException>(() => zero.Sqrt().Sum().Backward());
        Assert.True(backward.IsBackward);
        Assert.Equal("Sqrt", backward.OpName);
    }

    [Fact]
    public void A_users_op_works_forward_backward_and_twice()
    {
        static Tensor Cube(Tensor x) => Op.Apply(new CubeOp(), x);
        var x = Tensor.From(new[] { 1.0, 2 });
        Assert.True(GradCheck.Run(inputs => Cube(inputs[0]), [x]).Passed);
        Assert.True(GradCheck.RunSecondOrder(inputs => Cube(inputs[0]), [x]).Passed);
        Assert.False(GradCheck.Run(inputs => Op.Apply(new CubeOp(wrong: true), inputs[0]), [x]).Passed);
    }

    [Fact]
    public void A_loop_of_100_000_steps_without_Dispose_leaves_memory_flat()
    {
        var w = Tensor.Zeros(40, 40).RequireGrad();
        var x = Tensor.Randn([40, 40], new Generator(1));
        long Step()
        {
            w.Grad = null;
            (w * x).Sigmoid().Sum().Backward();
            return BufferPool.RentedBytes + BufferPool.PooledBytes;
        }

        CollectGarbage();
        for (var i = 0; i < 2_000; i++) Step();
        var early = Step();
        for (var i = 0; i < 98_000; i++) Step();
        Assert.InRange(Step(), 0, early + (160 << 20)); // a leak of one buffer a step would be 627 MB
    }

    [Theory, InlineData(0), InlineData(64)]
    public void Inference_hands_dropped_buffers_back(int heldBefore)
    {
        using var _ = new NoGrad();
        HoldAMoment(heldBefore);
        var x = Tensor.Ones(512, 512);
        CollectGarbage();
        var before = BufferPool.RentedBytes + BufferPool.PooledBytes;
        for (var i = 0; i < 2_000; i++) x = x * 1.0;
        Assert.InRange(BufferPool.RentedBytes + BufferPool.PooledBytes, 0, before + (160L << 20));
    }

    // Memory that is never written to, so that no page of it is needed. On a frame of its own: nothing must be held
    // afterwards.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void HoldAMoment(int tensors) =>
        GC.KeepAlive(Enumerable.Range(0, tensors).Select(_ => Tensor.Empty(Shape.Create([2048, 1024]), DType.Float32))
            .ToArray());

    // What earlier tests dropped must not count.
    private static void CollectGarbage()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        BufferPool.Trim();
    }

    private sealed class CubeOp(bool wrong = false) : Op
    {
        public override string Name => "Cube";
        public override string Formula => "y = x³";
        public override string Derivation => "∂L/∂x = g · 3x²";
        public override Saves Saves => Saves.Inputs;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);
        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            output.CopyFrom<double>(Array.ConvertAll(inputs[0].ToArray<double>(), x => x * x * x));
        public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
            [gradient * node.Inputs[0].Square() * (wrong ? 2 : 3)];
    }
}
