namespace Adjoint.Tests.Ops;

/// <summary>A NaN leaves a trace: where the input is one, the gradient passes, as in PyTorch.</summary>
public class NaNGradientTests
{
    [Theory, InlineData(DType.Float32), InlineData(DType.Float64)]
    public void Kinked_functions_pass_the_gradient_of_a_NaN(DType dtype)
    {
        foreach (var createGraph in (bool[])[false, true])
        {
            // NaN, below, at and above the kink at 0; long enough for whole vectors and a rest.
            var values = Enumerable.Repeat((double[])[double.NaN, -1, 0, 1], 10).SelectMany(x => x).ToArray();
            double[] Vjp(Func<Tensor, Tensor> function)
            {
                var x = Tensor.From(values).To(dtype).Detach().RequireGrad();
                return [.. Differentiation.Gradients(function(x).Sum(), [x], Tensor.Scalar(3, dtype),
                    createGraph: createGraph)[0]!.To(DType.Float64).ToArray<double>().TakeLast(4)];
            }

            var zero = Tensor.Scalar(0, dtype);
            var notANumber = Tensor.Scalar(double.NaN, dtype);
            Assert.Equal([3, 0, 0, 3], Vjp(x => x.Relu()));
            Assert.Equal([3, 0, 1.5, 3], Vjp(x => x.Maximum(zero)));
            Assert.Equal([3, 3, 1.5, 0], Vjp(x => x.Minimum(zero)));
            Assert.Equal([3, 0, 1.5, 3], Vjp(zero.Maximum));
            Assert.Equal([3, 3, 1.5, 0], Vjp(zero.Minimum));
            Assert.Equal([3, 3, 3, 3], Vjp(x => x.Maximum(notANumber)));
            Assert.Equal([3, 3, 3, 3], Vjp(notANumber.Minimum));
            Assert.Equal([0, 3, 3, 3], Vjp(x => x.Clamp(-1, 1)));
        }
    }

    [Fact]
    public void The_other_side_of_a_NaN_gets_its_gradient_too()
    {
        var (x, y) = (Tensor.From(new[] { double.NaN, 1 }).RequireGrad(),
            Tensor.From(new[] { 1, double.NaN }).RequireGrad());
        x.Maximum(y).Sum().Backward();
        Assert.Equal([1, 1], x.Grad!.ToArray<double>());
        Assert.Equal([1, 1], y.Grad!.ToArray<double>());
    }

    [Fact]
    public void Of_a_row_with_NaNs_they_share_the_gradient()
    {
        foreach (var largest in (bool[])[true, false])
        {
            var x = Tensor.From(new[] { 1, double.NaN, 3, double.NaN, 2, 2, 1, 2 }, 2, 4).RequireGrad();
            (largest ? x.Max(1) : (-x).Min(1)).Sum().Backward();
            Assert.Equal([0, 0.5, 0, 0.5, 1.0 / 3, 1.0 / 3, 0, 1.0 / 3],
                x.Grad!.ToArray<double>().Select(g => largest ? g : -g));
        }
    }

    [Fact]
    public void Max_pooling_sends_it_to_the_first_NaN()
    {
        foreach (var (values, at) in ((double[], int)[])[([1, double.NaN, 3, double.NaN], 1), ([1, 4, 4, 2], 1),
            ([2, 2, 2, 2], 0), ([1, 2, 3, double.NaN], 3)])
        {
            var x = Tensor.From(values, 1, 1, 2, 2).RequireGrad();
            x.MaxPool2d(2).Sum().Backward();
            Assert.Equal(Enumerable.Range(0, 4).Select(i => i == at ? 1.0 : 0), x.Grad!.ToArray<double>());
        }
    }

    [Fact]
    public void A_tensor_from_one_value_is_a_vector_whatever_the_overload()
    {
        Shape expected = (int[])[1];
        Assert.Equal(expected, Tensor.From([2.5f]).Shape);
        Assert.Equal(expected, Tensor.From(new[] { 2.5f }).Shape);
        Assert.Equal(expected, Tensor.From((ReadOnlySpan<float>)[2.5f]).Shape);
        Assert.Equal(expected, Tensor.From(new[] { 2.5f }.AsSpan()).Shape);
        Assert.Equal(expected, Tensor.From(new long[] { 2 }, []).Shape);
        Assert.Equal((int[])[1, 1], Tensor.From(new[,] { { 2.5f } }).Shape);
        Assert.Equal((int[])[0], Tensor.From<float>([]).Shape);
        Assert.Equal(0, Tensor.Scalar(2.5).Rank);
    }
}
