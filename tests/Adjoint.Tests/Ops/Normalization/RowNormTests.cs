namespace Adjoint.Tests.Ops;

/// <summary>Norms over rows and groups at large offsets, with NaN in a row, and of two types.</summary>
public class RowNormTests
{
    private const int Rows = 3, Columns = 40;

    /// <summary>The norms of rows without scale and shift: over last axes, groups, and positions.</summary>
    public static TheoryData<string> Norms() => ["LayerNorm", "GroupNorm", "InstanceNorm"];

    // Numbers beside 10⁶ have steps of 1/16 in float32, and so has their mean, if it is rounded: 0.03 of a deviation.
    [Theory, MemberData(nameof(Norms))]
    public void A_large_offset_takes_no_digits_of_the_normalized_values(string norm)
    {
        var random = new Random(5);
        float[] values = [.. Enumerable.Range(0, Rows * Columns).Select(_ => 1_000_000 + random.Next(16) / 16f)];
        var x = Tensor.From(values, Rows, Columns).RequireGrad();
        var y = Of(norm, x);
        (y * y * y).Sum().Backward();
        var (found, gradient) = (y.ToArray<float>(), x.Grad!.ToArray<float>());
        for (var row = 0; row < Rows; row++)
        {
            double[] all = [.. values[(row * Columns)..((row + 1) * Columns)].Select(value => (double)value)];
            var mean = all.Average();
            var root = Math.Sqrt(all.Average(value => (value - mean) * (value - mean)) + 1e-5);
            double[] normalized = [.. all.Select(value => (value - mean) / root)];
            double[] g = [.. normalized.Select(value => 3 * value * value)];
            var (average, dot) = (g.Average(), g.Zip(normalized, (a, b) => a * b).Average());
            for (var i = 0; i < Columns; i++)
            {
                Assert.Equal(normalized[i], found[row * Columns + i], 2e-6);
                Assert.Equal((g[i] - average - normalized[i] * dot) / root, gradient[row * Columns + i], 1e-4);
            }
        }
    }

    [Theory, MemberData(nameof(Norms)), InlineData("RmsNorm")]
    public void NaN_stays_in_its_row(string norm)
    {
        foreach (var special in (float[])[float.NaN, float.PositiveInfinity])
            foreach (var at in (int[])[0, 17, Columns - 1])
            {
                var clean = Tensor.Randn([Rows, Columns], new Generator(3));
                var x = clean.Clone();
                x[1, at].Fill(special);
                var (y, gradient) = Both(norm, x);
                var (expected, slopes) = Both(norm, clean);
                for (var i = 0; i < Rows * Columns; i++)
                {
                    if (i / Columns != 1)
                        Assert.Equal((expected[i], slopes[i]), (y[i], gradient[i]));
                    else if (norm != "RmsNorm" || float.IsNaN(special))
                        Assert.True(float.IsNaN(y[i]) && float.IsNaN(gradient[i]));
                }
            }
    }

    // Weights of master copies, and activations of half precision: rounded once, to the input's type.
    [Fact]
    public void Scale_and_shift_may_have_the_type_that_is_computed_in()
    {
        var x = Tensor.Randn([4, 5], new Generator(1)).To(DType.BFloat16).Detach();
        var (gamma, beta) = (Tensor.Full([5], 1.001).RequireGrad(), Tensor.Full([5], 1e-4).RequireGrad());
        var y = x.LayerNorm(gamma, beta);
        Assert.Equal(DType.BFloat16, y.DType);
        Assert.Equal(x.To(DType.Float32).LayerNorm(gamma, beta).To(DType.BFloat16).To(DType.Float32).ToArray<float>(),
            y.To(DType.Float32).ToArray<float>());
        y.To(DType.Float32).Square().Sum().Backward();
        Assert.Equal((DType.Float32, DType.Float32), (gamma.Grad!.DType, beta.Grad!.DType));
        Assert.Equal(DType.Float32, Tensor.Ones(2, 3).RmsNorm(Tensor.Ones([3], DType.Float64)).DType);
    }

    private static (float[] Values, float[] Gradient) Both(string norm, Tensor from)
    {
        var x = from.Clone().Detach().RequireGrad();
        var y = Of(norm, x);
        (y * Tensor.Randn([Rows, Columns], new Generator(9))).Sum().Backward();
        return (y.ToArray<float>(), x.Grad!.ToArray<float>());
    }

    private static Tensor Of(string norm, Tensor x) => norm switch
    {
        "LayerNorm" => x.LayerNorm(Tensor.Ones(Columns), Tensor.Zeros(Columns)),
        "RmsNorm" => x.RmsNorm(Tensor.Ones(Columns)),
        "GroupNorm" => x.Reshape(Rows, 4, Columns / 4).GroupNorm(1, Tensor.Ones(4), Tensor.Zeros(4))
            .Reshape(Rows, Columns),
        _ => x.Reshape(1, Rows, Columns).InstanceNorm().Reshape(Rows, Columns),
    };
}
