using Adjoint.IO;

namespace Adjoint.Tests.IO;

public class TensorSummaryTests
{
    // Values of NumPy: mean, std, and histogram(bins=20) of these numbers.
    [Fact]
    public void Numbers_are_those_of_NumPy()
    {
        double[] x = [.. Enumerable.Range(0, 100).Select(i => Math.Sin(i) * i)];
        var summary = TensorSummary.Of(Tensor.From(x).Reshape(4, 25));
        Assert.Equal(100, summary.Count);
        Assert.Equal(x.Min(), summary.Minimum);
        Assert.Equal(x.Max(), summary.Maximum);
        Assert.Equal(-0.5415568272840552, summary.Mean, 12);
        Assert.Equal(40.834811743413375, summary.Deviation, 12);
        Assert.Equal(1, summary.Zeros);
        Assert.Equal(x[..8], summary.First);
        Assert.Equal([1, 1, 5, 1, 5, 3, 5, 7, 9, 9, 14, 7, 10, 3, 7, 3, 4, 1, 4, 1], summary.Histogram);
    }

    [Fact]
    public void What_is_not_finite_is_counted_and_left_out()
    {
        var summary = TensorSummary.Of(Tensor.From(
            [float.NaN, 1, float.PositiveInfinity, 3, float.NegativeInfinity, float.NaN, -0f, 0]));
        Assert.Equal((2, 1, 1, 2), (summary.NaNs, summary.PositiveInfinities, summary.NegativeInfinities,
            summary.Zeros));
        Assert.Equal((0, 3, 1), (summary.Minimum, summary.Maximum, summary.Mean));
        Assert.Equal(Math.Sqrt((1 + 0 + 4 + 1) / 4.0), summary.Deviation, 15);
        Assert.Equal((2, 1, 1), (summary.Histogram[0], summary.Histogram[6], summary.Histogram[19]));
    }

    [Fact]
    public void Nothing_and_one_value_and_huge_and_tiny_ones_have_a_summary()
    {
        foreach (var none in (Tensor[])[Tensor.Zeros(0), Tensor.From([double.NaN])])
        {
            var summary = TensorSummary.Of(none);
            Assert.Equal((double.NaN, double.NaN, double.NaN),
                (summary.Minimum, summary.Mean, summary.Deviation));
            Assert.Empty(summary.Histogram);
        }
        foreach (var value in (double[])[0, 3, double.MaxValue, -double.MaxValue, double.Epsilon])
        {
            var summary = TensorSummary.Of(Tensor.From([value, value, value]));
            Assert.Equal((value, 0), (summary.Mean, summary.Deviation));
            Assert.Equal(3, summary.Histogram[TensorSummary.Bins / 2]);
        }
        var huge = TensorSummary.Of(Tensor.From([double.MaxValue, -double.MaxValue]));
        Assert.Equal((0, double.MaxValue), (huge.Mean, huge.Deviation));
        Assert.Equal((1, 1), (huge.Histogram[0], huge.Histogram[19]));
    }

    [Fact]
    public void Every_type_and_layout_counts_its_own_elements()
    {
        foreach (var type in Enum.GetValues<DType>())
        {
            var summary = TensorSummary.Of(Tensor.From([0f, 1, 1, 0, 1, 1]).To(type).Reshape(2, 3).Transpose(0, 1));
            Assert.Equal((0, 1, 2, 4), (summary.Minimum, summary.Maximum, summary.Histogram[0],
                summary.Histogram[19]));
            Assert.Equal([0, 0, 1, 1, 1, 1], summary.First);
        }
        var long64 = TensorSummary.Of(Tensor.From([long.MinValue, 5L]));
        Assert.Equal((-9223372036854775808.0, 5), (long64.Minimum, long64.Maximum));
        // Longer than what is read at a time.
        var many = TensorSummary.Of(Tensor.Ones(300_000));
        Assert.Equal((300_000, 1, 300_000), (many.Count, many.Mean, many.Histogram[10]));
    }
}
