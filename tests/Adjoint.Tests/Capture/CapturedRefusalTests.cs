using Adjoint.Nn;
using Adjoint.Optim;
using static Adjoint.Tests.Capture.CapturedWholeStepTests;

namespace Adjoint.Tests.Capture;

/// <summary>What cannot be captured is refused by name, or runs eagerly, and leaves no trace.</summary>
public class CapturedRefusalTests
{
    private static readonly Tensor None = Tensor.Zeros(1);

    [Fact]
    public void What_a_replay_would_not_do_is_refused_by_name()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var (x, buffer) = (Tensor.Ones(64, 64), Tensor.Ones(64, 64));
        string Refusal(Func<Tensor, Tensor> loss)
        {
            var step = CapturedStep.Create((a, _) => loss(a), [w]);
            step.Run(x, None);
            var message = Assert.Throws<CaptureException>(() => step.Run(x, None)).Message;
            var lenient = CapturedStep.Create((a, _) => loss(a), [w], fallBackToEager: true);
            for (var call = 0; call < 3; call++) lenient.Run(x, None);
            Assert.NotNull(lenient.Refusal);
            return message;
        }

        Tensor Plain(Tensor a) => (a * w).Sum();
        void Refused(string reason, Func<Tensor, Tensor> loss) =>
            Assert.Contains(reason, Refusal(loss), StringComparison.Ordinal);
        Func<Tensor, Tensor> After(Action act) => a =>
        {
            act();
            return Plain(a);
        };

        Refused("Fill writes into an input", a =>
        {
            a.Fill(2);
            return Plain(a);
        });
        Refused("CopyFrom writes", After(() => buffer.CopyFrom<float>(new float[64 * 64])));
        Refused("random numbers", a => (a * w).IndexSelect(0, new Generator(1).Permutation(64)).Sum());
        Refused("changes a constant", a =>
        {
            var constant = Tensor.Full([64, 64], 1.0);
            var y = a * w + constant;
            constant.CopyFrom<float>(new float[64 * 64]);
            return (y + constant).Sum();
        });
        Refused("plain numbers", a =>
        {
            var constant = Tensor.Full([64, 64], 1.0);
            var y = a * w + constant;
            constant.Fill(2);
            return (y + constant).Sum();
        });
        Refused("between operations", a =>
        {
            buffer.CopyFrom((a * w).Detach());
            return Plain(a) * buffer.Mean().Item() + buffer.ItemAt(1, 1);
        });
        Refused("between operations", a =>
        {
            var made = Tensor.Zeros(64, 64);
            made.CopyFrom((a * w).Detach());
            return Plain(a) * made.ItemAt(1, 1);
        });
        Refused("plain numbers", a => Op.Apply(new AddsUp(), a * w).Sum());
        Refused("plain numbers", a => Op.Apply(new AddsUp(isUpdate: true), a * w).Sum());
        var error = Assert.Throws<AdjointException>(() => Plain(x).BackwardTo([w * 2]));
        Assert.Contains("gradients are added to leaves", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_that_gradients_would_flow_through_are_refused_or_run_eagerly()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        var strict = CapturedStep.Create((a, _) => (a * w).Sum(), [v, w]);
        for (var call = 0; call < 3; call++) strict.Run(Tensor.Ones(64, 64), None);
        string Refusal(Tensor x) => Assert.Throws<CaptureException>(() => strict.Run(x, None)).Message;
        Assert.Contains("requires a gradient", Refusal(v * 2), StringComparison.Ordinal);
        Assert.Contains("requires a gradient", Refusal(v), StringComparison.Ordinal);
        var lenient = CapturedStep.Create((a, _) => (a * w).Sum(), [v, w], fallBackToEager: true);
        for (var call = 0; call < 4; call++)
        {
            lenient.Run(v * 2, None);
            Assert.All(v.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
            lenient.Run(Tensor.Ones(64, 64), None);
            Assert.Null(v.Grad);
        }
        Assert.True(lenient.IsCaptured);
        using (new NoGrad()) Assert.Throws<AdjointException>(() => lenient.Run(Tensor.Ones(64, 64), None));
        var spoiled = Tensor.Full([64, 64], double.NaN);
        using (new AnomalyMode()) Assert.Throws<AnomalyException>(() => lenient.Run(spoiled, None));
    }

    [Fact]
    public void A_refusal_leaves_everything_as_it_was_and_the_eager_step_goes_on()
    {
        static Func<Tensor, Tensor, (Tensor, Tensor)> Step(Sequential model, Optimizer optimizer)
        {
            var whole = WholeStep(model, optimizer);
            return (x, y) =>
            {
                var (loss, logits) = whole(x, y);
                return double.IsNaN(loss.Item()) ? (loss, loss) : (loss, logits);
            };
        }

        float[] Run(bool captured)
        {
            var random = new Generator(1);
            var model = new Sequential(new Linear(12, 40, generator: random), new Dropout(0.5, new Generator(2)),
                new Linear(40, 5, generator: random));
            var optimizer = new Adam(model.Parameters(), 0.01);
            var function = Step(model, optimizer);
            var plan = CapturedFunction.Create(function, fallBackToEager: true);
            for (var call = 0; call < 5; call++)
                _ = captured
                    ? plan.Run(Batch(32, call), Labels(32, call))
                    : function(Batch(32, call), Labels(32, call));
            Assert.Equal(captured, plan.Refusal?.Contains("between operations", StringComparison.Ordinal) == true);
            return [.. Bits(model.Parameters()), .. Bits(model.Parameters().Select(parameter => parameter.Grad!)),
                optimizer.StepCount];
        }

        Assert.Equal(Run(false), Run(true));
    }

    [Fact]
    public void A_refusal_gives_back_the_gradients_that_it_cleared_or_added_to()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        var function = CapturedFunction.Create((Tensor x) =>
        {
            w.ZeroGrad();
            var loss = (x * w * v).Sum();
            loss.Backward();
            return loss * loss.Item();
        });
        function.Run(Tensor.Ones(64, 64));
        var (ofW, ofV) = (w.Grad, v.Grad);
        Assert.Throws<CaptureException>(() => function.Run(Tensor.Full([64, 64], 3)));
        Assert.Same(ofW, w.Grad);
        Assert.Same(ofV, v.Grad);
        Assert.All([.. w.Grad!.ToArray<float>(), .. v.Grad!.ToArray<float>()], value => Assert.Equal(1, value));
    }

    [Fact]
    public void What_changes_at_each_call_is_named_and_runs_eagerly()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var optimizer = new Sgd([w], 0.5);
        Tensor Decayed(Tensor x)
        {
            w.ZeroGrad();
            // Computes with the rate itself, which is another at each call.
            var loss = (x * w).Sum() * optimizer.LearningRate;
            loss.Backward();
            return loss;
        }

        var function = CapturedFunction.Create(Decayed, fallBackToEager: true);
        for (var call = 0; call < 20; call++)
        {
            optimizer.LearningRate = 1.0 / (call + 1);
            Assert.Equal(Decayed(Tensor.Ones(64, 64)).Item(), function.Run(Tensor.Ones(64, 64)).Item());
        }
        Assert.Contains("a learning rate or weight decay", function.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_that_are_added_to_and_then_cleared_are_named_with_the_remedy()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        Tensor Attacked(Tensor x)
        {
            var at = x.Clone().RequireGrad();
            (at * w).Square().Sum().Backward(); // of w, too, on top of what was there
            w.ZeroGrad();
            var loss = ((x + at.Grad!.Sign()) * w).Square().Sum();
            loss.Backward();
            return loss;
        }

        Tensor Input(int call) => Batch(64, call)[.., ..1];
        var expected = Enumerable.Range(0, 10).Select(call => Attacked(Input(call)).Item()).ToArray();
        var function = CapturedFunction.Create(Attacked, fallBackToEager: true);
        Assert.Equal(expected, Enumerable.Range(0, 10).Select(call => function.Run(Input(call)).Item()));
        Assert.EndsWith(
            "the gradient of a leaf (64, 64) that it begins with; call ZeroGrad() before the first Backward() of it",
            function.Refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void An_optimizer_that_is_made_inside_is_refused_by_name()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        float[] Train(Func<Func<Tensor, Tensor>, Func<Tensor, Tensor>> wrap)
        {
            using (new NoGrad()) w.Fill(1);
            w.ZeroGrad();
            var step = wrap(x =>
            {
                var optimizer = new Adam([w], 0.1);
                optimizer.ZeroGrad();
                (x * w).Square().Sum().Backward();
                optimizer.Step();
                return w.Sum();
            });
            for (var call = 0; call < 6; call++) step(Tensor.Full([64], call - 2.5));
            return w.ToArray<float>();
        }

        CapturedFunction<Tensor>? function = null;
        var captured = Train(step =>
        {
            function = CapturedFunction.Create(step, fallBackToEager: true);
            return x => function.Run(x);
        });
        Assert.Equal(Train(step => step), captured);
        Assert.StartsWith("Adam is created inside", function!.Refusal, StringComparison.Ordinal);
    }

    // A user's op with a scratch tensor that it adds into.
    private sealed class AddsUp(bool isUpdate = false) : Op
    {
        public override string Name => "AddsUp";
        public override string Formula => "y = x + 1";
        public override string Derivation => "∂L/∂x = g";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
        {
            var total = Tensor.Ones(64, 64);
            if (isUpdate) Backend.Run(new Primitives.ParameterUpdate<Ascend>(), inputs[0], total);
            else Backend.Run(new Primitives.Zip<Accumulate.Operator>(), total, inputs[0], total);
            Backend.Run(new Primitives.Copy(), total, output);
        }

        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient];

        private readonly struct Ascend : Adjoint.Kernels.IUpdateRule
        {
            public static int States => 0;
            public void Invoke<V>(ref V w, V g, ref V s, ref V t) where V : struct, Adjoint.Kernels.ILanes<V> =>
                w += g;
        }
    }
}
