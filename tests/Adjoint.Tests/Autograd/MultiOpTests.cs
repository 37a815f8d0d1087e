using Adjoint.Primitives;

namespace Adjoint.Tests.Autograd;

public class MultiOpTests
{
    private static Tensor X => Tensor.From(new[] { 0.5, -1.25, 2 }).RequireGrad();

    [Fact]
    public void A_node_knows_all_outputs_and_each_output_knows_the_node_and_its_place()
    {
        var x = X;
        var all = SinCosOp.Of(x);
        var node = all[0].Source!;
        Assert.Equal(all, node.Outputs);
        Assert.Same(all[0], node.Output);
        Assert.Same(node, all[1].Source);
        Assert.Equal([0, 1], all[..2].Select(output => output.OutputIndex));
        Assert.Equal([true, true, false], all.Select(output => output.RequiresGrad));
        Assert.Null(all[2].Source);
        Assert.Equal([1, 0, 1L], all[2].ToArray<long>());
        Assert.Equal("SinCos((3,)) → (3,), (3,), (3,)", node.ToString());
        var exp = x.Exp();
        Assert.Same(exp, Assert.Single(exp.Source!.Outputs));
    }

    [Fact]
    public void Nothing_is_noted_without_gradients()
    {
        using (new NoGrad()) Assert.All(SinCosOp.Of(X), output => Assert.Null(output.Source));
        Assert.All(SinCosOp.Of(X.Detach()), output => Assert.Null(output.Source));
    }

    [Fact]
    public void Apply_gives_the_first_result_of_the_whole_op()
    {
        var y = Op.Apply(new SinCosOp(), X);
        Assert.Equal((0, 3), (y.OutputIndex, y.Source!.Outputs.Count));
        Assert.Equal(Array.ConvertAll(X.ToArray<double>(), Math.Sin), y.ToArray<double>());
        Assert.Single(Op.ApplyAll(X.Exp().Source!.Op, X));
    }

    [Fact]
    public void Gradients_of_outputs_that_nobody_used_are_null()
    {
        Assert.Equal(Expected((x, _) => Math.Cos(x)), Gradient(all => all[0].Sum()));
        Assert.Equal(Expected((x, _) => -Math.Sin(x)), Gradient(all => all[1].Sum()));
        // Each used twice, in another order than they were made.
        Assert.Equal(
            Expected((x, _) => 3 * Math.Cos(x) - 3 * Math.Sin(x)),
            Gradient(all => (all[1] + all[0] + all[0] * 2 + all[1] * 2).Sum()));
    }

    [Fact]
    public void Every_output_can_be_where_backward_begins()
    {
        foreach (var which in (int[])[0, 1])
        {
            var x = Tensor.From(new[] { 0.5 }).RequireGrad();
            SinCosOp.Of(x)[which].Backward();
            Assert.Equal(which == 0 ? Math.Cos(0.5) : -Math.Sin(0.5), x.Grad!.Item());
        }
    }

    [Fact]
    public void First_and_second_derivatives_agree_with_finite_differences()
    {
        static Tensor Function(Tensor[] inputs)
        {
            var all = SinCosOp.Of(inputs[0]);
            return all[0] * all[1] + all[1].Exp();
        }

        Assert.True(GradCheck.Run(Function, [X]).Passed);
        var second = GradCheck.RunSecondOrder(Function, [X]);
        Assert.True(second is { Passed: true, Comparisons: > 0 }, second.Worst);
        Assert.True(GradCheck.RunSecondOrder(inputs => SinCosOp.Of(inputs[0])[1].Square(), [X]).Passed);
    }

    [Fact]
    public void Hooks_and_kept_gradients_are_of_one_output()
    {
        var x = X;
        var all = SinCosOp.Of(x);
        all[1].RetainGrad();
        using var hook = all[0].RegisterHook(gradient => gradient * 10);
        (all[0] * 2 + all[1] * 3).Sum().Backward();
        Assert.Null(all[0].Grad);
        Assert.Equal([3.0, 3, 3], all[1].Grad!.ToArray<double>());
        Assert.Equal(Expected((x, _) => 20 * Math.Cos(x) - 3 * Math.Sin(x)), x.Grad!.ToArray<double>());
    }

    [Fact]
    public void Gradients_with_respect_to_outputs()
    {
        var all = SinCosOp.Of(X);
        var gradients = Differentiation.Gradients((all[0] * 2 + all[1] * all[1]).Sum(), [all[1], all[0], all[2]]);
        Assert.Equal(Expected((x, _) => 2 * Math.Cos(x)), gradients[0]!.ToArray<double>());
        Assert.Equal([2.0, 2, 2], gradients[1]!.ToArray<double>());
        Assert.Null(gradients[2]);
    }

    [Fact]
    public void An_output_that_was_changed_in_place_is_refused()
    {
        var all = SinCosOp.Of(X);
        using (new NoGrad()) all[1].Fill(0);
        var error = Assert.Throws<AdjointException>(() => all[0].Sum().Backward());
        Assert.StartsWith("SinCos: its output 1 (3,) was changed in place", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memory_of_every_output_with_a_gradient_is_recycled_and_of_the_others_is_not()
    {
        var x = Tensor.Zeros(64, 64).RequireGrad();
        var all = SinCosOp.Of(x.To(DType.Float64));
        (all[0] + all[1]).Sum().Backward();
        (x * 2).Sum().Backward();
        Assert.Equal([true, true, false], all.Select(output => output.IsReleased));
    }

    [Fact]
    public void An_op_without_results_is_refused()
    {
        var error = Assert.Throws<AdjointException>(() => Op.ApplyAll(new Nothing(), X));
        Assert.StartsWith("Nothing: InferAll must describe", error.Message, StringComparison.Ordinal);
        Assert.Throws<AdjointException>(() => Op.Apply(new Nothing(), X));
    }

    private sealed class Nothing : MultiOp
    {
        public override string Name => "Nothing";
        public override string Formula => "none";
        public override string Derivation => "none";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec[] InferAll(ReadOnlySpan<Tensor> inputs) => [];
        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs) { }
        public override Tensor?[] Backward(OpNode node, ReadOnlySpan<Tensor?> gradients) => [null];
    }

    [Fact]
    public void Anomaly_mode_names_the_output()
    {
        using var anomaly = new AnomalyMode();
        var x = Tensor.From(new[] { double.PositiveInfinity });
        var error = Assert.Throws<AnomalyException>(() => SinCosOp.Of(x));
        Assert.StartsWith(
            "SinCos: its forward made NaN at element 0 of (1,) in its output 0", error.Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Tracing_notes_the_gradient_of_each_output()
    {
        using var tracing = new Tracing();
        var all = SinCosOp.Of(X);
        (all[1] * 3).Sum().Backward();
        var trace = all[0].Source!.Trace!;
        Assert.Equal([null, "3, 3, 3", null], trace.Gradients.Select(
            gradient => gradient is null ? null : string.Join(", ", gradient.ToArray<double>())));
        Assert.Equal(Expected((x, _) => -3 * Math.Sin(x)), trace.Contributions[0]!.ToArray<double>());
    }

    [Fact]
    public void A_captured_step_replays_an_op_with_several_results()
    {
        var w = Tensor.Randn([4, 6], new Generator(3)).RequireGrad();
        Tensor Step(Tensor x, Tensor y)
        {
            var both = Op.ApplyAll(new TwiceAndSquareOp(), w + x);
            return (both[0] * y + both[1] * both[0]).Sum();
        }

        var step = CapturedStep.Create(Step, [w]);
        for (var i = 0; i < 4; i++)
        {
            var (x, y) = (Tensor.Randn([4, 6], new Generator(7, (ulong)i)), Tensor.Randn([4, 6], new Generator(8,
                (ulong)i)));
            w.ZeroGrad();
            var eager = Step(x, y);
            eager.Backward();
            var expected = (eager.Item(), string.Join(' ', w.Grad!.ToArray<float>()));
            Assert.Equal(expected, (step.Run(x, y).Item(), string.Join(' ', w.Grad!.ToArray<float>())));
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_rule_with_too_few_gradients_is_refused()
    {
        var node = SinCosOp.Of(X)[0].Source!;
        var error = Assert.Throws<AdjointException>(() => node.ApplyRule([null]));
        Assert.StartsWith("SinCos: its rule takes one gradient for each of its 3 outputs", error.Message,
            StringComparison.Ordinal);
        Assert.Equal([null], X.Exp().Source!.ApplyRule([null]));
    }

    private static double[] Gradient(Func<Tensor[], Tensor> of)
    {
        var x = X;
        of(SinCosOp.Of(x)).Backward();
        return x.Grad!.ToArray<double>();
    }

    // Of primitives, which can be replayed.
    private sealed class TwiceAndSquareOp : MultiOp
    {
        public override string Name => "TwiceAndSquare";
        public override string Formula => "y₁ = 2x, y₂ = x²";
        public override string Derivation => "∂L/∂x = 2g₁ + 2g₂ · x";
        public override Saves Saves => Saves.Inputs;

        public override TensorSpec[] InferAll(ReadOnlySpan<Tensor> inputs)
        {
            var alike = new TensorSpec(inputs[0].Shape, inputs[0].DType);
            return [alike, alike];
        }

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs)
        {
            Backend.Run(new Zip<AddOp.Operator>(), inputs[0], inputs[0], outputs[0]);
            Backend.Run(new Zip<MultiplyOp.Operator>(), inputs[0], inputs[0], outputs[1]);
        }

        public override Tensor?[] Backward(OpNode node, ReadOnlySpan<Tensor?> gradients) =>
            [gradients[0]! * 2 + gradients[1]! * node.Inputs[0] * 2];
    }

    private static double[] Expected(Func<double, int, double> of) => [.. X.ToArray<double>().Select(of)];
}
