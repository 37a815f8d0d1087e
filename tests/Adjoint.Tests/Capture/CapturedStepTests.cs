using Adjoint.Data;
using Adjoint.Kernels;
using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Capture;

public class CapturedStepTests
{
    [Theory, InlineData("sigmoid", 1), InlineData("relu", 2), InlineData("gelu", 3), InlineData("tanh", 1)]
    public void A_replay_has_the_bits_of_the_eager_step(string activation, int layers)
    {
        var data = Enumerable.Range(0, 8)
            .Select(
            i => (X: Tensor.Randn([64, 20], new Generator((ulong)i)),
                Y: Tensor.From(Enumerable.Range(0, 64).Select(k => (k * 7L + i) % 5).ToArray()))).ToArray();
        float[] Train(bool captured)
        {
            var model = new Mlp(20, Enumerable.Repeat(300, layers).ToArray(), 5, activation, new Generator(1));
            var optimizer = new Adam(model.Parameters(), 0.01);
            Tensor Loss(Tensor x, Tensor y) => Adjoint.Loss.CrossEntropy(model.Forward(x), y, 0.1) + model.Parameters()
                .First().Square().Mean() * 0.01;
            var step = CapturedStep.Create(Loss, model.Parameters());
            var losses = new List<float>();
            foreach (var (x, y) in data)
            {
                if (captured) losses.Add((float)step.Run(x, y).Item());
                else
                {
                    optimizer.ZeroGrad();
                    var loss = Loss(x, y);
                    loss.Backward();
                    losses.Add((float)loss.Item());
                }
                optimizer.Step();
            }
            Assert.Equal(captured, step.IsCaptured);
            return [.. losses, .. model.Parameters().SelectMany(parameter => parameter.ToArray<float>())];
        }

        var eager = Train(false);
        var before = Workers.ThreadCount;
        try
        {
            foreach (var threads in (int[])[1, 2, 3, 8])
            {
                Workers.ThreadCount = threads;
                Assert.Equal(eager, Train(true));
            }
        }
        finally
        {
            Workers.ThreadCount = before;
        }
    }

    [Fact]
    public void Element_wise_chains_become_one_pass_with_the_same_bits()
    {
        Tensor Leaf(ulong seed) => Tensor.Randn([100_003], new Generator(seed)).RequireGrad();
        var (x, y, z) = (Leaf(1), Leaf(2), Leaf(3));
        var step = CapturedStep.Create((a, b) => (x * y + z).Sigmoid().Sum(), [x, y, z]);
        var none = Tensor.Zeros(1);
        var eagerLoss = step.Run(none, none).Item();
        var eager = new[] { x, y, z }.Select(leaf => leaf.Grad!.ToArray<float>()).ToArray();
        for (var call = 0; call < 3; call++)
        {
            x.ZeroGrad();
            Assert.Equal(eagerLoss, step.Run(none, none).Item());
            Assert.Equal(eager, new[] { x, y, z }.Select(leaf => leaf.Grad!.ToArray<float>()));
        }
        Assert.InRange(step.Operations, 2, 4);
    }

    [Fact]
    public void What_cannot_be_replayed_is_refused_with_its_reason_or_runs_eagerly()
    {
        var w = Tensor.Randn([64, 64], new Generator(1)).RequireGrad();
        var x = Tensor.Ones(64, 64);
        string Refusal(Func<Tensor, Tensor> loss)
        {
            var step = CapturedStep.Create((a, _) => loss(a), [w]);
            step.Run(x, x);
            var message = Assert.Throws<CaptureException>(() => step.Run(x, x)).Message;
            var eager = CapturedStep.Create((a, _) => loss(a), [w], fallBackToEager: true);
            for (var i = 0; i < 3; i++) Assert.True(double.IsFinite(eager.Run(x, x).Item()));
            Assert.False(eager.IsCaptured);
            Assert.NotNull(w.Grad);
            return message;
        }

        Assert.Contains("between operations", Refusal(a => (a * w).Sum() is var s && s.Item() > 0 ? s : -s),
            StringComparison.Ordinal);
        Assert.Contains("a Generator that is created inside",
            Refusal(a => (new Dropout(0.5, new Generator(1)).Forward(a) * w).Sum()), StringComparison.Ordinal);
        Assert.Contains("Peek reads", Refusal(a => Op.Apply(new Peek(), a * w).Sum()), StringComparison.Ordinal);
        // Afterwards everything works as before.
        (x * w).Sum().Backward();
        Assert.Equal(64 * 64, w.Grad!.Length);
    }

    private sealed class Peek : Op
    {
        public override string Name => "Peek";
        public override string Formula => "y = x";
        public override string Derivation => "∂L/∂x = g";
        public override Saves Saves => Saves.Nothing;
        public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

        public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
            output.CopyFrom<float>(inputs[0].ToArray<float>());

        public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient];
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Inputs_are_read_wherever_they_lie(bool isChained)
    {
        // Dense, a slice with an offset, transposed, spread, dense again; read by a product, or by an element-wise
        // chain.
        var all = Tensor.Randn([12, 40, 30], new Generator(1));
        Tensor[] inputs = [all[0], all[1].Contiguous(), all[2], all.Reshape(-1).Slice(0, 3607, 1200).Reshape(40, 30),
            Tensor.Randn([30, 40], new Generator(2)).Transpose(), Tensor.Randn([1, 30], new Generator(3))
            .Expand(40, 30), all[5]];
        var w = Tensor.Randn([30, 7], new Generator(4)).RequireGrad();
        var y = Tensor.From(Enumerable.Range(0, 40).Select(i => i % 7L).ToArray());
        Tensor Loss(Tensor x, Tensor labels) =>
            Adjoint.Loss.CrossEntropy((isChained ? (x * 2.0 + 1.0).Sigmoid() : x).MatMul(w), labels);
        var step = CapturedStep.Create(Loss, [w]);
        foreach (var x in inputs)
        {
            w.ZeroGrad();
            var before = x.ToArray<float>();
            Loss(x, y).Backward();
            var expected = w.Grad!.ToArray<float>();
            step.Run(x, y);
            Assert.Equal(expected, w.Grad!.ToArray<float>());
            Assert.Equal(before, x.ToArray<float>());
        }
        Assert.True(step.IsCaptured);
    }

    [Fact]
    public void A_replay_allocates_next_to_nothing()
    {
        var model = new Mlp(784, [256], 10, "sigmoid", new Generator(1));
        var step = CapturedStep.Create((a, b) => Adjoint.Loss.CrossEntropy(model.Forward(a), b), model.Parameters());
        var (x, y) = (Tensor.Rand([128, 784], new Generator(2)), Tensor.From(new long[128]));
        for (var i = 0; i < 5; i++) step.Run(x, y);
        var start = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) step.Run(x, y);
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - start) / 100, 0, 1_000);
    }
}
