using System.Numerics;

namespace Adjoint.Tests.Ops;

/// <summary>Comparisons of every type against naive loops.</summary>
public class CompareTests
{
    // What holds for an order, null where there is none.
    private static readonly (string Name, Func<Tensor, Tensor, Tensor> Tensors, Func<Tensor, double, Tensor> Number,
        Func<int?, bool> Holds)[] All =
    [
        ("<", (x, y) => x.Less(y), (x, y) => x.Less(y), order => order < 0),
        ("≤", (x, y) => x.LessOrEqual(y), (x, y) => x.LessOrEqual(y), order => order <= 0),
        ("=", (x, y) => x.EqualTo(y), (x, y) => x.EqualTo(y), order => order == 0),
        ("≥", (x, y) => x.GreaterOrEqual(y), (x, y) => x.GreaterOrEqual(y), order => order >= 0),
        (">", (x, y) => x.Greater(y), (x, y) => x.Greater(y), order => order > 0),
        ("≠", (x, y) => x.NotEqualTo(y), (x, y) => x.NotEqualTo(y), order => order != 0),
    ];

    [Theory, InlineData(0), InlineData(1), InlineData(15), InlineData(16), InlineData(17), InlineData(33),
        InlineData(2100)]
    public void Two_tensors_at_every_length_and_layout(int length)
    {
        var random = new Random(length);
        double[] some = [0, -0.0, 1, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, 2, 2];
        var left = Draw(random, some, length);
        var right = Draw(random, some, length);
        Check(left, right);
        Check(Array.ConvertAll(left, x => (float)x), Array.ConvertAll(right, x => (float)x));
        Check(Array.ConvertAll(left, x => x > 0), Array.ConvertAll(right, x => x > 0));
        long[] whole = [long.MinValue, long.MaxValue, 0, -1, (1L << 53) + 1, 1L << 53, long.MaxValue - 1];
        Check(Draw(random, whole, length), Draw(random, whole, length));
    }

    [Fact]
    public void Shapes_broadcast_whatever_their_layout()
    {
        var random = new Random(5);
        var x = Tensor.From(Draw(random, [0.0, 1, double.NaN], 60), 3, 4, 5);
        foreach (var y in (Tensor[])[x[0], x[0, 1], x[.., .., 2].Unsqueeze(2), x[0, 0, 0], x[.., 1].Unsqueeze(1),
            x.Transpose(0, 1).Clone().Transpose(0, 1), x[1].Transpose(0, 1).Clone().Transpose(0, 1)])
            foreach (var (name, call, _, holds) in All)
                foreach (var (a, b) in ((Tensor, Tensor)[])[(x, y), (y, x)])
                {
                    var found = call(a, b);
                    Assert.Equal(x.Shape, found.Shape);
                    var left = a.Expand(x.Shape.Sizes).ToArray<double>();
                    var right = b.Expand(x.Shape.Sizes).ToArray<double>();
                    Assert.True(left.Zip(right, (l, r) => holds(Order(l, r))).SequenceEqual(found.ToArray<bool>()),
                        name);
                }
    }

    [Fact]
    public void Whole_numbers_and_truth_compare_exactly_with_any_number()
    {
        long[] whole = [long.MinValue, long.MinValue + 1, -(1L << 53) - 1, -2, -1, 0, 1, 2, (1L << 53) + 1,
            long.MaxValue - 1, long.MaxValue];
        double[] numbers = [double.NaN, double.NegativeInfinity, double.PositiveInfinity, -1e300, 1e300,
            -9223372036854775808, 9223372036854775808, 9223372036854774784, -2, -1.5, -1, -0.5, -1e-300, -0.0, 0,
            1e-300, 0.5, 1, 1.5, 9007199254740992, 9007199254740994];
        var (x, truth) = (Tensor.From(whole), Tensor.From(new[] { false, true, true, false }));
        foreach (var number in numbers)
            foreach (var (name, _, call, holds) in All)
            {
                var why = $"{name} {number:R}";
                var expected = whole.Select(value => holds(Digits(value, number)));
                Assert.True(expected.SequenceEqual(call(x, number).ToArray<bool>()), why);
                expected = truth.ToArray<bool>().Select(value => holds(Digits(value ? 1 : 0, number)));
                Assert.True(expected.SequenceEqual(call(truth, number).ToArray<bool>()), why);
            }
    }

    [Fact]
    public void A_number_beside_floats_is_rounded_to_their_type()
    {
        var x = Tensor.From(new[] { 0.1f, MathF.BitIncrement(0.1f), float.NaN });
        Assert.Equal([true, false, false], x.EqualTo(0.1).ToArray<bool>());
        Assert.Equal([false, true, false], x.Greater(0.1).ToArray<bool>());
        Assert.Equal([true, true, false], x.Less(1e300).ToArray<bool>());
        Assert.Equal([false, false, false], x.To(DType.Float64).EqualTo(0.1).ToArray<bool>());
        var every = Tensor.From(new[] { 1f, 0, 2, 0, 3, 0 }).Slice(0, 0, 3, step: 2);
        Assert.Equal([false, true, true], every.GreaterOrEqual(2).ToArray<bool>());
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same()
    {
        var (x, y) = (Tensor.Randn([400, 300], new Generator(1)), Tensor.Randn([300], new Generator(2)));
        var results = Threads.Of(1, 2, 3).Select(_ => x.Less(y).ToArray<bool>()).ToArray();
        Assert.Equal(x.ToArray<float>().Select((value, i) => value < y.ToArray<float>()[i % 300]), results[0]);
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    private static void Check<T>(T[] left, T[] right) where T : unmanaged, IComparable
    {
        var (x, y) = (Tensor.From(left, left.Length), Tensor.From(right, right.Length));
        foreach (var (name, call, _, holds) in All)
        {
            var expected = left.Zip(right, (l, r) => holds(Order(l, r))).ToArray();
            foreach (var found in (Tensor[])[call(x, y), call(Layouts.Spread(x), y), call(x, Layouts.Spread(y))])
                Assert.True(expected.AsSpan().SequenceEqual(found.ToArray<bool>()), $"{name} {typeof(T).Name}");
        }
    }

    // Null where one is NaN.
    private static int? Order(IComparable x, IComparable y) =>
        x is double.NaN or float.NaN || y is double.NaN or float.NaN ? null
        : x is double and 0.0 && y is double and 0.0 || x is float and 0f && y is float and 0f ? 0
        : x.CompareTo(y);

    // By all digits of both.
    private static int? Digits(long x, double y)
    {
        if (double.IsNaN(y)) return null;
        if (double.IsInfinity(y)) return -Math.Sign(y);
        var order = new BigInteger(x).CompareTo(new BigInteger(Math.Floor(y)));
        return order == 0 && y > Math.Floor(y) ? -1 : order;
    }

    private static T[] Draw<T>(Random random, T[] from, int length) =>
        [.. Enumerable.Range(0, length).Select(_ => from[random.Next(from.Length)])];
}
