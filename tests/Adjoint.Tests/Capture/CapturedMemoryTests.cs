using System.Runtime.CompilerServices;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Capture;

/// <summary>A plan owns what it reads and writes, and nothing else.</summary>
public class CapturedMemoryTests
{
    private static readonly Tensor None = Tensor.Zeros(1);
    private static readonly Tensor Ones = Tensor.Ones(64, 64);

    [Fact]
    public void Constants_made_in_a_step_live_as_long_as_the_step()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var step = CapturedStep.Create((x, _) => (x * w).MatMul(Tensor.Full([64, 64], 1.0)).Mean(), [w]);
        AssertConstant(64, step, Tensor.Ones(64, 64));
        var scale = Tensor.Full([1, 1, 1, 1], 1.0).RequireGrad();
        var pool = CapturedStep.Create((x, _) => (x * scale).AvgPool2d(32).Mean(), [scale]);
        AssertConstant(72, pool, Tensor.Full([2, 3, 64, 64], 72));
        var mixed = CapturedStep.Create(
            (x, _) => (x * w * Tensor.Full([64, 64], 2)).Sigmoid().MatMul(Tensor.From(new float[4096], 64, 64)).Sum(),
            [w]);
        AssertConstant(0, mixed, Tensor.Ones(64, 64));
        var counted = CapturedStep.Create(
            (x, _) => (x * w).MatMul(Tensor.Eye(64)).Mean() + Tensor.Arange(0, 4096).Max() * Tensor.Eye(64, 80).Sum(),
            [w]);
        AssertConstant(1 + 4095 * 64, counted, Tensor.Ones(64, 64));
    }

    private static void AssertConstant(double expected, CapturedStep step, Tensor x)
    {
        for (var call = 0; call < 6; call++)
        {
            Assert.Equal(expected, step.Run(x, None).Item());
            FreeMemory.Overwrite();
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_trainer_captures_a_module_that_makes_constants()
    {
        double[] Losses(bool eager)
        {
            var inputs = Tensor.Randn([256 * 40], new Generator(1)).ToArray<float>();
            byte[] labels = [.. Enumerable.Range(0, 256).Select(i => (byte)(i % 3))];
            var data = new TensorDataset("noise", (int[])[40], inputs, labels, ["a", "b", "c"]);
            var model = new Halved(new Mlp(40, [64], 3, "relu", new Generator(2)));
            var (training, validation) = (new DataLoader(data, 64), new DataLoader(data, 64));
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(), training,
                validation)
            { Eager = eager };
            trainer.Callbacks.Add(new Disturbing());
            return [.. trainer.Fit(3).Epochs.Select(epoch => epoch.ValidationLoss)];
        }

        Assert.Equal(Losses(eager: true), Losses(eager: false));
    }

    [Fact]
    public void A_tensor_of_a_graph_that_went_backward_since_is_refused_as_in_an_eager_step()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        var made = v * 3;
        var (dropped, kept) = (made.Detach(), (v * 4).Keep().Detach());
        var step = CapturedStep.Create((x, _) => (x * w).MatMul(dropped).Mean(), [w]);
        var keeping = CapturedStep.Create((x, _) => (x * w).MatMul(kept).Mean(), [w]);
        var x = Tensor.Ones(64, 64);
        for (var call = 0; call < 3; call++)
        {
            Assert.Equal(192, step.Run(x, None).Item());
            Assert.Equal(256, keeping.Run(x, None).Item());
        }
        made.Sum().Backward();
        for (var i = 0; i < 3; i++) (v * 5).Sum().Backward();
        FreeMemory.Overwrite();
        Assert.Equal(256, keeping.Run(x, None).Item());
        var before = w.Grad!.ToArray<float>();
        var error = Assert.Throws<AdjointException>(() => step.Run(x, None));
        Assert.Equal(Assert.Throws<AdjointException>(() => (x * w).MatMul(dropped)).Message, error.Message);
        Assert.Equal(before, w.Grad!.ToArray<float>());
    }

    [Fact]
    public void A_gradient_that_was_cleared_since_is_refused_as_in_an_eager_step()
    {
        var (w, v) = (Tensor.Ones(64, 64).RequireGrad(), Tensor.Ones(64, 64).RequireGrad());
        (v * 3).Sum().Backward();
        var gradient = v.Grad!;
        var step = CapturedStep.Create((x, _) => (x * w).MatMul(gradient).Mean(), [w]);
        for (var call = 0; call < 3; call++) Assert.Equal(192, step.Run(Tensor.Ones(64, 64), None).Item());
        v.ZeroGrad();
        FreeMemory.Overwrite();
        var error = Assert.Throws<AdjointException>(() => step.Run(Ones, None));
        Assert.Contains("cleared by ZeroGrad", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Gradients_outlive_the_step_that_made_them()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        RunAndDrop(w);
        for (var i = 0; i < 3; i++) FreeMemory.Overwrite();
        Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(2, value));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunAndDrop(Tensor w)
    {
        var step = CapturedStep.Create((x, _) => (x * w).Sum(), [w]);
        for (var call = 0; call < 3; call++) step.Run(Tensor.Full([64, 64], 2.0), None);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(3)]
    public void A_tensor_kept_from_a_captured_step_never_shows_stale_numbers(int size)
    {
        var w = Tensor.Ones(size, size).RequireGrad();
        Tensor? kept = null, part = null;
        var step = CapturedStep.Create(
            (a, _) => (part = (kept = (a * w).Sigmoid()).MatMul(w).Sum() * 2) + w.Square().Sum(), [w]);
        step.Run(Tensor.Ones(size, size), None);
        _ = kept!.ToArray<float>();
        for (var call = 0; call < 3; call++)
        {
            var loss = step.Run(Tensor.Full([size, size], call), None);
            foreach (var tensor in (Tensor[])[kept, part!])
            {
                var error = Assert.Throws<AdjointException>(() => tensor.ToArray<float>());
                Assert.Contains("inside a captured function", error.Message, StringComparison.Ordinal);
            }
            Assert.Equal(1, loss.Item() / (2 * size * size * size / (1 + Math.Exp(-call)) + size * size), 1e-5);
        }
    }

    [Fact]
    public void Views_with_gaps_are_joined_in_a_captured_step()
    {
        var w = Tensor.Randn([8, 6], new Generator(1)).RequireGrad();
        Tensor Of(Tensor x) => (Tensor.Concat([w.Transpose(), x.Transpose()], 1) * 2).Square().Sum();
        var step = CapturedStep.Create((x, _) => Of(x), [w]);
        for (var call = 0; call < 4; call++)
        {
            var x = Tensor.Randn([8, 6], new Generator((ulong)call));
            var expected = Of(x);
            Assert.Equal(expected.Item(), step.Run(x, None).Item());
            Assert.Equal(Differentiation.Gradients(expected, [w])[0]!.ToArray<float>(), w.Grad!.ToArray<float>());
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_random_program_gives_the_eager_bits_with_constants_foreign_leaves_and_collections_in_between()
    {
        var seed = Environment.TickCount;
        for (var round = 0; round < 25; round++)
            RandomProgram.Check(seed + round);
    }

    private sealed class Halved : Layer
    {
        private readonly Layer inner;

        public Halved(Layer inner) => this.inner = AddChild("inner", inner);

        protected override Tensor ForwardCore(Tensor x) => inner.Forward(x * Tensor.Full(x.Shape, 0.5));
    }

    private sealed class Disturbing : Callback
    {
        public override void AfterBatch(Trainer trainer, StepInfo step) => FreeMemory.Overwrite();
    }
}
