using Adjoint.Nn;
using Adjoint.Optim;

namespace Adjoint.Tests.Capture;

/// <summary>Captured steps that choose by indices and conditions, which change from call to call.</summary>
public class CapturedIndexTests
{
    private const int Steps = 20;

    [Fact]
    public void Embedding_gather_where_casts_and_arg_max_replay_the_bits_of_the_eager_step()
    {
        var random = new Random(1);
        var batches = Enumerable.Range(0, Steps).Select(_ => (X: Whole(random, 50, 32, 6), Y: Whole(random, 10,
            32))).ToArray();
        float[] Train(bool captured)
        {
            var (table, linear) = (new Embedding(50, 16, new Generator(1)), new Linear(16, 10,
                generator: new Generator(2)));
            Tensor[] parameters = [table.Weight, .. linear.Parameters()];
            Tensor Loss(Tensor x, Tensor y)
            {
                var h = table.Forward(x);
                h = Tensor.Where(x.Greater(20.5).Unsqueeze(2), h, h * -0.5);
                var logits = linear.Forward(Tensor.Where(h.Less(h.Mean()), h, h.Square()).Mean(1));
                var (best, worst) = (logits.Detach().ArgMax(), logits.Detach().ArgMin());
                var weight = best.EqualTo(y).To(DType.Float32) + worst.To(DType.Float64).To(DType.Float32) * 0.1;
                return -(logits.LogSoftmax().SelectPerRow(y) * (weight + 1)).Mean() + logits.SelectPerRow(best).Mean();
            }

            return Run(Loss, parameters, batches, captured);
        }

        var eager = Train(false);
        foreach (var _ in Threads.Of(1, 2, 3)) Assert.Equal(eager, Train(true));
    }

    [Fact]
    public void Second_derivatives_through_labels_and_pools_replay_the_bits_of_the_eager_step()
    {
        var random = new Random(2);
        var batches = Enumerable.Range(0, Steps).Select(i =>
            (X: Tensor.Randn([8, 2, 6, 6], new Generator((ulong)i)), Y: Whole(random, 5, 8))).ToArray();
        float[] Train(bool captured)
        {
            var (convolution, linear) = (new Conv2d(2, 3, 3, new() { Generator = new Generator(1) }), new Linear(12, 5,
                generator: new Generator(2)));
            Tensor[] parameters = [.. convolution.Parameters(), .. linear.Parameters()];
            Tensor Loss(Tensor x, Tensor y)
            {
                var logits = linear.Forward(convolution.Forward(x).MaxPool2d(2).Reshape(8, 12));
                var loss = Adjoint.Loss.CrossEntropy(logits, y, 0.1);
                var slopes = Differentiation.Gradients(loss, parameters, createGraph: true);
                return slopes.Aggregate(loss, (sum, slope) => sum + slope!.Square().Sum() * 0.1);
            }

            return Run(Loss, parameters, batches, captured);
        }

        Assert.Equal(Train(false), Train(true));
    }

    [Fact]
    public void A_replay_refuses_an_index_outside()
    {
        var table = new Embedding(5, 3, new Generator(1));
        var step = CapturedStep.Create((x, _) => table.Forward(x).Sum(), [table.Weight]);
        var y = Tensor.Zeros(1);
        for (var call = 0; call < 3; call++) step.Run(Tensor.From(new long[] { 0, 4 }), y);
        Assert.Equal("Embedding: index 5 at (1) is not a row of (5, 3); use 0..4",
            Assert.Throws<AdjointException>(() => step.Run(Tensor.From(new long[] { 0, 5 }), y)).Message);
        step.Run(Tensor.From(new long[] { 3, 3 }), y);
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 0, 0, 0], table.Weight.Grad!.ToArray<float>());
        Assert.True(step.IsCaptured);
    }

    private static float[] Run(
        Func<Tensor, Tensor, Tensor> loss, Tensor[] parameters, (Tensor X, Tensor Y)[] batches, bool captured)
    {
        var optimizer = new Adam(parameters, 0.01);
        var step = CapturedStep.Create(loss, parameters);
        var losses = new List<float>();
        foreach (var (x, y) in batches)
        {
            if (captured) losses.Add((float)step.Run(x, y).Item());
            else
            {
                optimizer.ZeroGrad();
                var value = loss(x, y);
                value.Backward();
                losses.Add((float)value.Item());
            }
            optimizer.Step();
        }
        Assert.Equal(captured, step.IsCaptured);
        return [.. losses, .. parameters.SelectMany(parameter => parameter.ToArray<float>())];
    }

    private static Tensor Whole(Random random, int below, params int[] sizes) => Tensor.From(
        Enumerable.Range(0, sizes.Aggregate(1, (a, b) => a * b)).Select(_ => (long)random.Next(below)).ToArray(),
            sizes);
}
