namespace Adjoint.Tests.Ops;

/// <summary>Division by numbers and by counts is division.</summary>
public class DivisionTests
{
    [Theory, InlineData(DType.Float32), InlineData(DType.Float64)]
    public void K_over_k_is_1_for_every_k(DType dtype)
    {
        for (var k = 1; k <= 3000; k++)
        {
            var x = Tensor.Scalar(k, dtype).RequireGrad();
            Assert.Equal(1, (x / k).Item());
            // The gradient is divided too.
            Assert.Equal(1, Differentiation.Gradients(x / k, [x], Tensor.Scalar(k, dtype))[0]!.Item());
            if (k % 50 == 0) Assert.Equal(1, Tensor.Full([k], 1, dtype).Mean().Item());
        }
    }

    [Fact]
    public void The_variance_of_large_neighbors_does_not_hold_the_means_last_digit()
    {
        foreach (var (values, expected) in ((float[], double)[])[([1e6f, 1e6f + 1, 1e6f + 1], 1.0 / 3),
            ([1e6f, 1e6f, 1e6f + 1, 1e6f], 0.25), ([-3e6f, -3e6f, -3e6f, -3e6f, -3e6f + 1], 0.2)])
        {
            var x = Tensor.From(values).RequireGrad();
            var y = x.Var();
            Assert.Equal(expected, y.Item(), 1e-7);
            y.Backward();
            Assert.Equal(0, x.Grad!.Sum().Item(), 1e-6);
        }
    }

    [Fact]
    public void Tiny_and_huge_divisors_divide()
    {
        Assert.Equal(1, (Tensor.Scalar(1e-40) / 1e-40).Item());
        Assert.Equal(1, (Tensor.Scalar(1e-310, DType.Float64) / 1e-310).Item());
        Assert.Equal(1, (Tensor.Scalar(3e38) / 3e38).Item());
        Assert.Equal(double.PositiveInfinity, (Tensor.Scalar(1) / 0).Item());
        Assert.Equal(double.NegativeInfinity, (Tensor.Scalar(1) / -0.0).Item());
        Assert.Equal(double.NaN, (Tensor.Scalar(0) / 0).Item());
    }

    [Fact]
    public void The_mean_of_equal_small_numbers_is_that_number_and_of_nothing_NaN()
    {
        foreach (var n in (int[])[3, 7, 49, 1000])
            Assert.Equal((double)1e-40f, Tensor.Full([n], 1e-40).Mean().Item());
        Assert.Equal(double.NaN, Tensor.Zeros(0).Mean().Item());
    }

    [Fact]
    public void Products_with_numbers_keep_the_sign_of_zero()
    {
        foreach (var y in (Tensor[])[Tensor.Scalar(-0.0) * 2, 2 * Tensor.Scalar(-0.0), Tensor.Scalar(0) * -2,
            Tensor.Scalar(-0.0) / 2])
            Assert.True(double.IsNegative(y.Item()));
        Assert.False(double.IsNegative((Tensor.Scalar(-0.0) * -2).Item()));
    }

    public static TheoryData<double> Levels() => [0, 0.1, 1, -1e3, 1e6, 123456.7, -1e8, 1e20, 1e-30];

    [Theory, MemberData(nameof(Levels))]
    public void Rows_of_one_value_deviate_by_nothing(double level)
    {
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
            foreach (var n in (int[])[1, 2, 3, 7, 31, 100, 384, 1000, 8191])
            {
                var x = Tensor.Full([2, n], level, dtype);
                Assert.All(x.LayerNorm(Tensor.Full([n], 1, dtype)).To(DType.Float64).ToArray<double>(), y =>
                    Assert.Equal(0, y));
                Assert.All(x.Reshape(2, n, 1).GroupNorm(1, Tensor.Full([n], 1, dtype),
                    Tensor.Zeros([n], dtype)).To(DType.Float64).ToArray<double>(), y => Assert.Equal(0, y));
                Assert.All(x.Var(1, correction: 0).To(DType.Float64).ToArray<double>(), y => Assert.Equal(0, y));
                Assert.All(x.Var(0, correction: 0).To(DType.Float64).ToArray<double>(), y => Assert.Equal(0, y));
            }
        Assert.Equal(0, Tensor.Full([3_000_000], level).Var(correction: 0).Item());
    }

    [Theory, MemberData(nameof(Levels))]
    public void Channels_of_one_value_become_their_shift(double level)
    {
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
        {
            var shift = Tensor.Full([2], 0.25, dtype);
            var y = Tensor.Full([5, 2, 77], level, dtype).BatchNorm(Tensor.Full([2], 1, dtype), shift);
            Assert.All(y.To(DType.Float64).ToArray<double>(), value => Assert.Equal(0.25, value));
        }
    }

    [Fact]
    public void Averages_of_ones_are_1_whatever_the_window()
    {
        for (var k = 1; k <= 15; k++)
            Assert.All(Tensor.Ones(1, 1, k, k).AvgPool2d(k).ToArray<float>(), y => Assert.Equal(1, y));
    }

    [Fact]
    public void Layer_norm_of_a_constant_row_passes_a_finite_gradient()
    {
        var x = Tensor.Full([1, 384], 1e6).RequireGrad();
        x.LayerNorm(Tensor.Ones(384)).Square().Sum().Backward();
        Assert.All(x.Grad!.ToArray<float>(), g => Assert.Equal(0, g));
    }

    [Fact]
    public void A_variance_without_degrees_of_freedom_is_NaN_or_infinite_never_negative()
    {
        foreach (var dtype in (DType[])[DType.Float32, DType.Float64])
        {
            // PyTorch 1.13: var(correction=…) of [5], [1, 2], [1, 2], [1, 2], [3, 3], [].
            Assert.Equal(double.NaN, Tensor.Full([1], 5, dtype).Var().Item());
            var two = Tensor.Arange(1, 3, dtype: dtype);
            Assert.Equal(0.5, two.Var().Item());
            Assert.Equal(double.PositiveInfinity, two.Var(correction: 2).Item());
            Assert.Equal(double.PositiveInfinity, two.Var(correction: 3).Item());
            Assert.Equal(double.PositiveInfinity, two.Var(correction: int.MaxValue).Item());
            Assert.Equal(double.NaN, Tensor.Full([2], 3, dtype).Var(correction: 2).Item());
            Assert.Equal(double.NaN, Tensor.Full([0], 3, dtype).Var().Item());
            Assert.InRange(two.Var(correction: int.MinValue).Item(), 0, 1e-9);
        }
    }
}
