namespace Adjoint.Tests.Ops;

/// <summary>From each element type to each other.</summary>
public class CastTests
{
    private static readonly double[] Special =
    [
        0, -0.0, 1, -1, 0.4, 0.5, 1.9, -2.9, 1e-45, 16777217, 9007199254740993, 1e19, -1e19, 1e39, -1e39,
        double.MaxValue, double.PositiveInfinity, double.NegativeInfinity, double.NaN,
    ];

    [Theory, InlineData(0), InlineData(1), InlineData(15), InlineData(16), InlineData(17), InlineData(1037)]
    public void Every_pair_of_types_at_every_length_and_layout(int length)
    {
        var random = new Random(length);
        double[] values = [.. Enumerable.Range(0, length).Select(i => i < Special.Length
            ? Special[i]
            : Math.ScaleB(random.NextDouble() - 0.5, random.Next(-5, 70)))];
        foreach (var (from, exact) in ((Tensor, object[])[])
        [
            (Tensor.From(values, length), [.. values.Cast<object>()]),
            (Tensor.From(Array.ConvertAll(values, x => (float)x), length), [.. values.Select(x => (object)(float)x)]),
            (Tensor.From(Array.ConvertAll(values, Whole), length), [.. values.Select(x => (object)Whole(x))]),
            (Tensor.From(Array.ConvertAll(values, x => x > 0), length), [.. values.Select(x => (object)(x > 0))]),
        ])
            foreach (var x in (Tensor[])[from, Layouts.Spread(from)])
            {
                Equal([.. exact.Select(value => (float)Number(value))], x.To(DType.Float32).ToArray<float>());
                Equal([.. exact.Select(value => Number(value))], x.To(DType.Float64).ToArray<double>());
                Equal([.. exact.Select(value => value is long whole ? whole : Whole(Number(value)))],
                    x.To(DType.Int64).ToArray<long>());
                Equal([.. exact.Select(value => Number(value) != 0)], x.To(DType.Bool).ToArray<bool>());
            }
    }

    // The literal values are those of PyTorch 1.13.
    [Fact]
    public void Fractions_are_cut_and_truth_is_what_is_not_0()
    {
        var x = Tensor.From(new[] { 1.9f, -2.9f, 0, -0f, 0.4f });
        Assert.Equal([1L, -2, 0, 0, 0], x.To(DType.Int64).ToArray<long>());
        Assert.Equal([true, true, false, false, true], x.To(DType.Bool).ToArray<bool>());
        Assert.True(Tensor.Scalar(double.NaN).To(DType.Bool).Item<bool>());
        Assert.Equal(9007199254740992, Tensor.From([9007199254740993L]).To(DType.Float64).Item());
        Assert.Equal(16777216, Tensor.From([16777217L]).To(DType.Float32).Item());
        Assert.Equal(double.PositiveInfinity, Tensor.Scalar(1e39, DType.Float64).To(DType.Float32).Item());
    }

    [Fact]
    public void The_same_type_is_the_tensor_itself_and_others_have_no_history()
    {
        var x = Tensor.Ones(3).RequireGrad();
        Assert.Same(x, x.To(DType.Float32));
        Assert.NotNull(x.To(DType.Float64).Source);
        Assert.Null(x.To(DType.Int64).Source);
        Assert.Null(x.To(DType.Bool).To(DType.Float32).Source);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same()
    {
        var x = Tensor.Randn([100_003], new Generator(3)) * 1e10;
        var results = Threads.Of(1, 2, 3).Select(_ => x.To(DType.Int64).ToArray<long>()).ToArray();
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    private static double Number(object value) =>
        value switch { bool truth => truth ? 1 : 0, float x => x, long whole => whole, _ => (double)value };

    private static long Whole(double x) => double.IsNaN(x) ? 0
        : x >= 9223372036854775808 ? long.MaxValue
        : x <= -9223372036854775808 ? long.MinValue
        : (long)Math.Truncate(x);

    // NaN equals NaN here, and −0 does not equal 0.
    private static void Equal<T>(T[] expected, T[] found) => Assert.Equal(expected.Select(Bits), found.Select(Bits));

    private static object Bits<T>(T value) => value switch
    {
        float x => float.IsNaN(x) ? "NaN" : BitConverter.SingleToInt32Bits(x),
        double x => double.IsNaN(x) ? "NaN" : BitConverter.DoubleToInt64Bits(x),
        _ => value!,
    };
}
