namespace Adjoint.Tests.Ops;

/// <summary>Softmax and what is made of it see only differences of logits.</summary>
public class ShiftInvarianceTests
{
    public static TheoryData<double> Shifts() => [0, 1e4, 1e6, 1e8, 1e15, 1e30, -1e4, -1e8, -1e30];

    [Theory, MemberData(nameof(Shifts))]
    public void Two_equal_logits_cost_ln_2_wherever_they_lie(double at)
    {
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
            foreach (var labeled in (Func<Tensor, Tensor>[])
                [
                    x => Loss.CrossEntropy(x, Tensor.From(new long[] { 1, 0 })),
                    x => Loss.CrossEntropy(x, Tensor.From(new long[] { 1, 0 }), labelSmoothing: 0.3),
                    x => Loss.Nll(x.LogSoftmax(), Tensor.From(new long[] { 1, 0 })),
                    x => -x.LogSoftmax().Mean(),
                    x => -x.LogSoftmax(0).Mean(),
                    x => -x.Softmax().Log().Mean(),
                ])
            {
                var x = Tensor.From(new[] { at, at, at, at }, 2, 2).To(dtype).Detach();
                Assert.Equal(Math.Log(2), labeled(x).Item(), dtype == DType.Float32 ? 6e-8 : 2e-16);
                x.RequireGrad();
                foreach (var createGraph in (bool[])[false, true])
                    foreach (var slope in Differentiation.Gradients(labeled(x), [x],
                        createGraph: createGraph)[0]!.To(DType.Float64).ToArray<double>())
                        Assert.InRange(Math.Abs(slope), 0, 0.2501);
            }
    }

    [Fact]
    public void A_shift_of_whole_rows_changes_no_bit_of_losses_and_gradients()
    {
        const int rows = 40, classes = 37;
        var random = new Random(3);
        // Multiples of 1/8: with 10⁵ added they are still exact in float32.
        var values = Enumerable.Range(0, rows * classes).Select(_ => random.Next(-80, 81) / 8f).ToArray();
        var labels = Tensor.From(Enumerable.Range(0, rows).Select(i => i * 7L % classes).ToArray());
        foreach (var loss in (Func<Tensor, Tensor>[])[x => Loss.CrossEntropy(x, labels), x =>
            Loss.CrossEntropy(x, labels, 0.1, Reduction.Sum), x => Loss.Nll(x.LogSoftmax(), labels)])
        {
            (float Value, float[] Vjp) At(float shift)
            {
                var x = Tensor.From(values.Select(value => value + shift).ToArray(), rows, classes).RequireGrad();
                var y = loss(x);
                var value = y.Item<float>();
                y.Backward();
                return (value, x.Grad!.ToArray<float>());
            }

            var (value, slope) = At(0);
            foreach (var shift in (float[])[1e4f, 1e5f, -1e5f])
            {
                var (shifted, slopes) = At(shift);
                Assert.Equal(value, shifted);
                Assert.Equal(slope, slopes);
            }
        }
    }

    [Theory, InlineData(0.0), InlineData(0.2)]
    public void The_gradient_is_the_same_bits_with_and_without_retainGraph(double smoothing)
    {
        var values = Enumerable.Range(0, 60).Select(i => 1e6f + i * 7 % 11).ToArray();
        var labels = Tensor.From(new long[] { 0, 1, 2, 3, 4, 9 });
        foreach (var factor in (double[])[1, 3, -0.1])
        {
            var gradients = ((bool[])[false, true]).Select(retain =>
            {
                var x = Tensor.From(values, 6, 10).RequireGrad();
                var loss = Loss.CrossEntropy(x, labels, smoothing);
                if (factor != 1) loss *= factor;
                loss.Backward(retainGraph: retain);
                var first = x.Grad!.ToArray<float>();
                if (!retain) return first;
                // The graph that was kept gives the same once more.
                x.Grad = null;
                loss.Backward();
                Assert.Equal(first, x.Grad!.ToArray<float>());
                return first;
            }).ToArray();
            Assert.Equal(gradients[0], gradients[1]);
        }
    }

    [Fact]
    public void Infinite_logits_cost_what_they_cost()
    {
        var labels = Tensor.From(new long[] { 0 });
        Assert.Equal(0, Loss.CrossEntropy(Tensor.From(new[] { 1, double.NegativeInfinity }, 1, 2), labels).Item());
        Assert.Equal(double.PositiveInfinity,
            Loss.CrossEntropy(Tensor.From(new[] { double.NegativeInfinity, 1 }, 1, 2), labels).Item());
        Assert.Equal(double.NaN, Loss.CrossEntropy(Tensor.From(new[] { double.PositiveInfinity, 1 }, 1, 2),
            labels).Item());
        Assert.Equal(double.NaN, Loss.CrossEntropy(Tensor.From(new[] { double.NegativeInfinity,
            double.NegativeInfinity }, 1, 2), labels).Item());
    }
}
