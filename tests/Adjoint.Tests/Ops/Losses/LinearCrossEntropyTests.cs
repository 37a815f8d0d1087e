using Adjoint.Memory;

namespace Adjoint.Tests.Ops;

/// <summary>The loss of an output layer without logits of all rows: memory, blocks, rows that are left out.</summary>
public class LinearCrossEntropyTests
{
    private const int Rows = 700, Width = 24, Classes = 900;

    [Theory, InlineData(Reduction.Mean), InlineData(Reduction.Sum), InlineData(Reduction.None)]
    public void Several_blocks_are_the_product_and_its_cross_entropy(Reduction reduction)
    {
        var labels = Labels(leftOut: 5);
        var weights = Tensor.From([.. Enumerable.Range(0, Rows).Select(i => i % 7 / 3.0)]);
        foreach (var own in (Tensor?[])[null, weights])
            foreach (var bias in (bool[])[true, false])
                Assert.Equal(0, Compare(own, bias), 1e-12);

        double Compare(Tensor? own, bool bias)
        {
            var (fused, plain) = (Leaves(bias), Leaves(bias));
            var above = reduction == Reduction.None ? Tensor.Randn([Rows], new Generator(5), DType.Float64)
                : Tensor.Scalar(0.7, DType.Float64);
            var b = bias ? fused[2] : null;
            var loss = Loss.LinearCrossEntropy(fused[0], fused[1], b, labels, 0.1, reduction, own);
            var logits = plain[0].MatMul(plain[1].Transpose());
            if (bias) logits += plain[2];
            var expected = Loss.CrossEntropy(logits, labels, 0.1, reduction, own);
            var ofLoss = Distance(loss.Detach(), expected.Detach());
            loss.Backward(above);
            expected.Backward(above);
            return fused.Zip(plain, (one, other) => Distance(one.Grad!, other.Grad!)).Append(ofLoss).Max();
        }
    }

    [Fact]
    public void The_logits_of_all_rows_are_never_in_memory()
    {
        const int N = 2048, C = 8192, D = 16;
        const long All = (long)N * C * sizeof(float);
        var hidden = Tensor.Randn([N, D], new Generator(1)).RequireGrad();
        var weight = Tensor.Randn([C, D], new Generator(2)).RequireGrad();
        var labels = Tensor.Arange(N);
        var before = BufferPool.RentedBytes;
        TensorMemory.Trim();
        // What was needed at once lies in the pool in the end, or is rented still.
        Loss.LinearCrossEntropy(hidden, weight, null, labels).Backward();
        var peak = BufferPool.RentedBytes + BufferPool.PooledBytes - before;
        Assert.InRange(peak, 1, All / 4);
    }

    [Fact]
    public void What_is_left_out_is_not_read()
    {
        var labels = Tensor.From(new long[] { 1, -100, 0 });
        foreach (var reduction in Enum.GetValues<Reduction>())
            foreach (var createGraph in (bool[])[false, true])
            {
                var (hidden, weight) = (Tensor.Ones(3, 2), Tensor.Ones(2, 2).RequireGrad());
                hidden[1].Fill(double.NaN);
                hidden.RequireGrad();
                var loss = Loss.LinearCrossEntropy(hidden, weight, null, labels, reduction: reduction);
                Assert.Equal(reduction == Reduction.Mean ? Math.Log(2) : 2 * Math.Log(2), loss.Sum().Item(), 1e-6);
                loss.Backward(Tensor.Ones(loss.Shape.Sizes), createGraph: createGraph);
                Assert.All(weight.Grad!.ToArray<float>(), value => Assert.Equal(0, value));
                Assert.Equal([0, 0], hidden.Grad![1].ToArray<float>());
            }
        var none = Loss.LinearCrossEntropy(Tensor.Ones(2, 2), Tensor.Ones(3, 2).RequireGrad(), null,
            Tensor.From(new long[] { -100, -100 }));
        Assert.True(double.IsNaN(none.Item()));
    }

    [Fact]
    public void A_leaf_that_asks_for_its_gradient_late_gets_it()
    {
        var (fused, late) = (Leaves(bias: true), Leaves(bias: true));
        late[1].RequiresGrad = false;
        Loss.LinearCrossEntropy(fused[0], fused[1], fused[2], Labels(0)).Backward();
        var loss = Loss.LinearCrossEntropy(late[0], late[1], late[2], Labels(0));
        late[1].RequiresGrad = true;
        loss.Backward();
        Assert.All(fused.Zip(late), pair => Assert.Equal(0, Distance(pair.First.Grad!, pair.Second.Grad!), 1e-12));
    }

    private static Tensor Labels(int leftOut)
    {
        var labels = Enumerable.Range(0, Rows).Select(i => i * 37L % Classes).ToArray();
        for (var i = 0; i < leftOut; i++) labels[i * 31 + 3] = Loss.IgnoredLabel;
        return Tensor.From(labels);
    }

    private static Tensor[] Leaves(bool bias)
    {
        int[][] shapes = bias ? [[Rows, Width], [Classes, Width], [Classes]] : [[Rows, Width], [Classes, Width]];
        return [.. shapes.Select((shape, i) =>
            Tensor.Randn(shape, new Generator(11, (ulong)i), DType.Float64).RequireGrad())];
    }

    private static double Distance(Tensor x, Tensor y) =>
        (x - y).Abs().Max().Item() / Math.Max(1, y.Abs().Max().Item());
}
