using Adjoint.Nn;
using static Adjoint.Tests.Capture.CapturedWholeStepTests;

namespace Adjoint.Tests.Capture;

/// <summary>Functions of any number of tensors, against the same function called as it is.</summary>
public class CapturedFunctionTests
{
    [Fact]
    public void Inference_with_any_results_is_captured_with_and_without_NoGrad()
    {
        var model = new Mlp(12, [300, 300], 5, "relu", new Generator(1));
        model.Eval();
        (Tensor, Tensor, Tensor) Compute(Tensor x)
        {
            var logits = model.Forward(x);
            return (logits, logits.ArgMax(1), x);
        }

        var function = CapturedFunction.Create(Compute);
        for (var call = 0; call < 12; call++)
        {
            var x = Batch(call % 2 == 0 ? 64 : 17, call);
            var (logits, best, same) = call < 6 ? function.Run(x) : Within(() => function.Run(x));
            var (expected, _, _) = Compute(x);
            Assert.Equal(expected.Detach().ToArray<float>(), logits.ToArray<float>());
            Assert.Equal(expected.Detach().ArgMax(1).ToArray<long>(), best.ToArray<long>());
            Assert.Equal(x.ToArray<float>(), same.ToArray<float>());
            Assert.False(logits.RequiresGrad);
        }
        Assert.Equal(4, function.Plans);

        static T Within<T>(Func<T> compute)
        {
            using var _ = new NoGrad();
            return compute();
        }
    }

    [Fact]
    public void Results_stay_as_they_were_whatever_is_replayed_after_them()
    {
        var w = Tensor.Randn([12, 12], new Generator(1)).RequireGrad();
        var function = CapturedFunction.Create((Tensor x) => (x.MatMul(w), w));
        var results = Enumerable.Range(0, 6).Select(call => function.Run(Batch(40, call))).ToArray();
        var weights = w.ToArray<float>();
        using (new NoGrad()) w.Fill(0);
        function.Run(Batch(40, 9));
        for (var call = 0; call < 6; call++)
        {
            Assert.Equal(Batch(40, call).MatMul(Tensor.From<float>(weights, 12, 12)).ToArray<float>(),
                results[call].Item1.ToArray<float>());
            Assert.Equal(weights, results[call].Item2.ToArray<float>());
        }
    }

    [Fact]
    public void Numbers_that_change_are_arguments()
    {
        var w = Tensor.Randn([12, 5], new Generator(1)).RequireGrad();
        Tensor Penalized(Tensor x, Tensor y, Tensor weight, Tensor temperature)
        {
            w.ZeroGrad();
            var loss = Loss.CrossEntropy(x.MatMul(w) / temperature, y) + weight * w.Square().Sum();
            loss.Backward();
            return loss;
        }

        var function = CapturedFunction.Create(Penalized);
        for (var call = 0; call < 8; call++)
        {
            var (weight, temperature) = (Tensor.Scalar(0.1 * call), Tensor.Scalar(1 + call));
            var expected = Penalized(Batch(32, call), Labels(32, call), weight, temperature).Item();
            var gradient = w.Grad!.ToArray<float>();
            Assert.Equal(expected, function.Run(Batch(32, call), Labels(32, call), weight, temperature).Item());
            Assert.Equal(gradient, w.Grad!.ToArray<float>());
        }
        Assert.Equal(1, function.Plans);
    }

    [Fact]
    public void Any_number_of_inputs_and_none()
    {
        var generator = new Generator(5);
        var draw = CapturedFunction.Create(() => Tensor.Randn([100], generator) * 2);
        var other = new Generator(5);
        for (var call = 0; call < 5; call++)
            Assert.Equal((Tensor.Randn([100], other) * 2).ToArray<float>(), draw.Run().ToArray<float>());
        Assert.True(draw.IsCaptured);

        var sum = CapturedFunction.Create((Tensor[] all) => new[] { all.Aggregate((a, b) => a + b), all[^1] * 2 });
        for (var call = 0; call < 9; call++)
        {
            Tensor[] all = [.. Enumerable.Range(0, 2 + call % 3).Select(i => Batch(50, i + call))];
            var results = sum.Run(all);
            Assert.Equal(all.Aggregate((a, b) => a + b).ToArray<float>(), results[0].ToArray<float>());
            Assert.Equal((all[^1] * 2).ToArray<float>(), results[1].ToArray<float>());
        }
        Assert.Equal(3, sum.Plans);
        var error = Assert.Throws<AdjointException>(() => draw.Run(Batch(1, 1)));
        Assert.Equal("CapturedFunction: it takes 0 tensors: found 1", error.Message);
        Assert.Contains("a tuple of two to four", Assert.Throws<AdjointException>(
            () => CapturedFunction.Create((Tensor x) => x.Length)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void One_within_another_is_part_of_it()
    {
        var w = Tensor.Randn([12, 12], new Generator(1));
        var inner = CapturedFunction.Create((Tensor x) => x.MatMul(w).Relu());
        var outer = CapturedFunction.Create((Tensor x) => inner.Run(inner.Run(x)));
        for (var call = 0; call < 5; call++)
        {
            var x = Batch(40, call);
            Assert.Equal(x.MatMul(w).Relu().MatMul(w).Relu().ToArray<float>(), outer.Run(x).ToArray<float>());
        }
        Assert.True(outer.IsCaptured);
    }

    [Fact]
    public void An_error_of_the_function_comes_through_and_leaves_readable_gradients()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var mustFail = false;
        var function = CapturedFunction.Create((Tensor x) =>
        {
            w.ZeroGrad();
            (x * w).Sum().Backward();
            return mustFail ? throw new InvalidOperationException("mine") : w.Sum();
        });
        function.Run(Tensor.Ones(64, 64));
        mustFail = true;
        Assert.Equal(
            "mine", Assert.Throws<InvalidOperationException>(() => function.Run(Tensor.Full([64, 64], 2))).Message);
        Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
        mustFail = false;
        for (var call = 0; call < 3; call++) function.Run(Tensor.Full([64, 64], 3));
        Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(3, value));
        Assert.True(function.IsCaptured);
    }

    [Fact]
    public void More_shapes_in_turn_than_plans_replay_those_that_have_one()
    {
        var w = Tensor.Randn([12, 5], new Generator(1));
        var function = CapturedFunction.Create((Tensor x) => x.MatMul(w));
        void Run(int rows) =>
            Assert.Equal(
                Batch(rows, rows).MatMul(w).ToArray<float>(), function.Run(Batch(rows, rows)).ToArray<float>());

        for (var call = 0; call < 100; call++) Run(20 + call % 10);
        Assert.Equal((8, 8L, 64L), (function.Plans, function.Report.Recorded, function.Report.Replayed));
        Assert.Contains("pass fewer kinds of inputs", function.Refusal, StringComparison.Ordinal);
        Run(20);
        Assert.Null(function.Refusal);
        // Shapes that come no more make room.
        for (var call = 0; call < 100; call++) Run(50);
        Assert.Equal(9, function.Report.Recorded);
    }

    [Fact]
    public void Plans_of_one_function_share_what_lives_only_within_a_replay()
    {
        var model = new Mlp(12, [512, 512], 5, "relu", new Generator(1));
        model.Eval();
        var function = CapturedFunction.Create((Tensor x) => model.Forward(x).Sum(0));
        void Run(int rows)
        {
            for (var call = 0; call < 3; call++) function.Run(Batch(rows, call));
        }

        Run(256);
        var one = function.PlannedBytes;
        for (var rows = 255; rows > 249; rows--) Run(rows);
        Assert.Equal(7, function.Plans);
        Assert.InRange(function.PlannedBytes, one, one * 3 / 2);
        for (var rows = 100; rows < 120; rows++) Run(rows);
        Assert.Equal(CapturedFunction<Tensor>.MaxPlans, function.Plans);
    }
}
