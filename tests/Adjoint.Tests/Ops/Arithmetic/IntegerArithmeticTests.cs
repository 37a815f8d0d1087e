using System.Numerics;

namespace Adjoint.Tests.Ops;

/// <summary>
/// Arithmetic of whole numbers and truth values against naive loops, in BigInteger, of which the low bits count.
/// </summary>
public class IntegerArithmeticTests
{
    // The rows of the table that have a rule in whole numbers; powers need exponents that are small.
    private static readonly (
        string Name, Func<Tensor, Tensor, Tensor> Call, Func<BigInteger, BigInteger, BigInteger> Of)[] Binary =
    [
        .. OpCases.All.Where(row => row is { Exact: not null, Shapes: [_, _] } && row.Types.Contains(DType.UInt8))
            .Select(row => (row.Name, Two(row), row.Exact!)),
        ("Pow", (x, y) => x.Pow(y.Abs().Minimum(Like(y, 70)).Maximum(Like(y, 0))),
            (x, y) => BigInteger.Pow(x, (int)BigInteger.Max(0, BigInteger.Min(Wrapped(BigInteger.Abs(y)), 70)))),
    ];

    private static readonly (string Name, Func<Tensor, Tensor> Call, Func<BigInteger, BigInteger> Of)[] Unary =
    [
        .. OpCases.All.Where(row => row is { Exact: not null, Shapes: [_] })
            .Select(row => (row.Name, One(row), Rule(row))),
    ];

    private static Func<Tensor, Tensor, Tensor> Two(OpCase row) => (x, y) => row.Call([x, y]);

    private static Func<Tensor, Tensor> One(OpCase row) => x => row.Call([x]);

    private static Func<BigInteger, BigInteger> Rule(OpCase row) => x => row.Exact!(x, 0);

    // The lowest number has no opposite: its magnitude wraps to itself.
    private static BigInteger Wrapped(BigInteger magnitude) =>
        magnitude == BigInteger.Pow(2, 63) || magnitude == BigInteger.Pow(2, 31) ? -magnitude : magnitude;

    [Theory, InlineData(0), InlineData(1), InlineData(2), InlineData(17), InlineData(1030), InlineData(40000)]
    public void Every_type_length_and_layout_wraps(int length)
    {
        Check<long>(length, Edges<long>());
        Check<int>(length, Edges<int>());
        Check<byte>(length, [0, 1, 2, 3, 127, 128, 200, 254, 255]);
    }

    [Fact]
    public void Broadcasts_as_floats_do()
    {
        var x = Tensor.From(Enumerable.Range(0, 60).Select(i => i * 1_000_000_007L - 30).ToArray(), 3, 4, 5);
        foreach (var y in (Tensor[])[x[0], x[0, 1], x[.., .., 2].Unsqueeze(2), x[0, 0, 1],
            x.Transpose(0, 1).Clone().Transpose(0, 1), Tensor.From(new[] { (1L << 53) + 1 })])
            foreach (var (name, call, of) in Binary[..^1])
            {
                var (left, right) = (x.ToArray<long>(), y.Expand(x.Shape.Sizes).ToArray<long>());
                Assert.True(
                    left.Zip(right, (a, b) => Wrap<long>(of(a, b))).SequenceEqual(call(x, y).ToArray<long>()), name);
                Assert.True(
                    left.Zip(right, (a, b) => Wrap<long>(of(b, a))).SequenceEqual(call(y, x).ToArray<long>()), name);
            }
    }

    [Fact]
    public void Truth_adds_as_or_and_multiplies_as_and()
    {
        var (x, y) = (Tensor.From(new[] { false, false, true, true }), Tensor.From(new[] { false, true, false, true }));
        Assert.Equal([false, true, true, true], (x + y).ToArray<bool>());
        Assert.Equal([false, false, false, true], (x * y).ToArray<bool>());
        Assert.Equal([false, true, true, true], x.Maximum(y).ToArray<bool>());
        Assert.Equal([false, false, false, true], x.Minimum(y).ToArray<bool>());
        Assert.Equal([1L, 1, 2, 2], (x + 1).ToArray<long>());
        Assert.Equal([1L, 1, 0, 0], (1 - x).ToArray<long>());
        Assert.Equal([0f, 0, 2.5f, 2.5f], (x * 2.5).ToArray<float>());
    }

    [Theory, InlineData("-"), InlineData("−x"), InlineData("Pow")]
    public void Operations_that_truth_values_lack_are_refused(string what)
    {
        var x = Tensor.From(new[] { false, true });
        var error = Assert.Throws<AdjointException>(() => what switch { "-" => x - x, "−x" => -x, _ => x.Pow(x) });
        Assert.Contains("computes on floating or integer types: found bool", error.Message, StringComparison.Ordinal);
        Assert.Contains("cast with .To(", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_real_number_makes_float32_and_a_whole_one_keeps_all_digits()
    {
        var x = Tensor.From(new[] { 1L << 53, 4 });
        Assert.Equal([(1L << 53) + 1, 5], (x + 1).ToArray<long>());
        Assert.Equal([(1L << 53) + ((1L << 53) + 1), 4 + ((1L << 53) + 1)], (x + ((1L << 53) + 1)).ToArray<long>());
        foreach (var y in (Tensor[])[x + 2.0, x * 2.5, 1.0 - x, x / 2, 2 / x, x / x, x.Pow(0.5), x.Clamp(0, 2.5),
            x.Exp(), x.Sqrt(), x.Sigmoid(), Tensor.From(new[] { true }).Sin()])
            Assert.Equal(DType.Float32, y.DType);
        Assert.Equal([3.5f, -1.5f], (Tensor.From(new[] { 7, -3 }) / 2).ToArray<float>());
        Assert.Equal([float.PositiveInfinity, float.NaN], (Tensor.From(new long[] { 1, 0 }) / 0).ToArray<float>());
        Assert.Equal([2f, 3], Tensor.From(new byte[] { 4, 9 }).Sqrt().ToArray<float>());
    }

    [Fact]
    public void A_negative_or_too_large_exponent_is_refused()
    {
        var error = Assert.Throws<AdjointException>(() => Tensor.From(new long[] { 2 }).Pow(-1));
        Assert.Equal(
            "Pow: a whole number to the power -1 is no whole number; cast with .To(DType.Float32)", error.Message);
        error = Assert.Throws<AdjointException>(() => Tensor.From(new byte[] { 2 }).Pow(300));
        Assert.Equal("Pow: uint8 has no 300, only 0 to 255; cast the tensor with .To(DType.Int64)", error.Message);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same()
    {
        var x = Tensor.Arange(100_000).Reshape(400, 250);
        var results = Threads.Of(1, 2, 3)
            .Select(_ => (x * x.Transpose().Reshape(400, 250) - x[0]).ToArray<long>()).ToArray();
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    private static void Check<T>(int length, T[] from) where T : unmanaged, IBinaryInteger<T>
    {
        var random = new Random(length);
        T[] Draw() => [.. Enumerable.Range(0, length).Select(_ => from[random.Next(from.Length)])];
        var (left, right) = (Draw(), Draw());
        var (x, y) = (Tensor.From(left, length), Tensor.From(right, length));
        foreach (var (name, call, of) in Binary)
        {
            var expected = left.Zip(right, (a, b) => Wrap<T>(of(Big(a), Big(b)))).ToArray();
            foreach (var found in (Tensor[])[call(x, y), call(Layouts.Spread(x), y), call(x, Layouts.Spread(y))])
                Assert.True(expected.AsSpan().SequenceEqual(found.ToArray<T>()), $"{name} {typeof(T).Name}");
        }
        foreach (var (name, call, of) in Unary)
        {
            var expected = left.Select(a => Wrap<T>(of(Big(a)))).ToArray();
            foreach (var found in (Tensor[])[call(x), call(Layouts.Spread(x))])
                Assert.True(expected.AsSpan().SequenceEqual(found.ToArray<T>()), $"{name} {typeof(T).Name}");
        }
    }

    private static T[] Edges<T>() where T : IBinaryInteger<T>, IMinMaxValue<T> =>
        [T.MinValue, T.MinValue + T.One, T.MaxValue, T.MaxValue - T.One, T.Zero, T.One, -T.One, T.CreateChecked(7),
            T.CreateChecked(-3), T.MaxValue / T.CreateChecked(3)];

    private static BigInteger Big<T>(T x) where T : IBinaryInteger<T> => BigInteger.CreateChecked(x);

    private static T Wrap<T>(BigInteger x) where T : IBinaryInteger<T> => T.CreateTruncating(x);

    private static Tensor Like(Tensor y, byte number) => y.DType switch
    {
        DType.Int64 => Tensor.From(new long[] { number }),
        DType.Int32 => Tensor.From(new int[] { number }),
        _ => Tensor.From(new[] { number }),
    };
}
