using System.Numerics;

namespace Adjoint.Tests.Ops;

/// <summary>Folds, scans, orders and products of whole numbers and truth values against naive loops.</summary>
public class IntegerReductionTests
{
    [Theory, InlineData(1, 1, 1), InlineData(3, 4, 5), InlineData(1, 9000, 1), InlineData(1, 70000, 1),
        InlineData(2, 700, 3), InlineData(40, 3, 300)]
    public void Every_type_shape_and_layout_gives_the_naive_result(int a, int b, int c)
    {
        Check(Draw(a * b * c, i => (long)(i * 0x9E3779B97F4A7C15)), a, b, c);
        Check(Draw(a * b * c, i => (int)(i * 0x9E3779B9)), a, b, c);
        Check(Draw(a * b * c, i => (byte)(i * 151)), a, b, c);
    }

    [Fact]
    public void Truth_is_counted_and_folded()
    {
        var x = Tensor.From(new[] { true, false, true, true, false, false }, 2, 3);
        Assert.Equal(3, x.Sum().Item<long>());
        Assert.Equal([2L, 1], x.Sum(1).ToArray<long>());
        Assert.Equal([1L, 1, 2, 1, 1, 1], x.CumSum(1).ToArray<long>());
        Assert.Equal([true, true], x.Max(1).ToArray<bool>());
        Assert.Equal([true, false, false], x.Min(0).ToArray<bool>());
        Assert.Equal([0L, 0], x.ArgMax(1).ToArray<long>());
        Assert.Equal([true, true], x.Any(1).ToArray<bool>());
        Assert.Equal([true, false, true], x.Any(0).ToArray<bool>());
        Assert.Equal([[false, false]], x.All(1, keepDims: true).ToArray<bool>().Chunk(2));
        Assert.True(x.Any().Item<bool>());
        Assert.False(x.All([0, 1]).Item<bool>());
        Assert.True(Tensor.From(new[] { double.NaN, 1 }).All().Item<bool>());
        Assert.False(Tensor.From(new[] { 0, -0.0 }).Any().Item<bool>());
    }

    [Fact]
    public void An_empty_axis_folds_to_the_identity_and_has_no_extremum()
    {
        var nothing = Tensor.Zeros([2, 0], DType.Int32);
        Assert.Equal([0L, 0], nothing.Sum(1).ToArray<long>());
        Assert.Equal([false, false], nothing.Any(1).ToArray<bool>());
        Assert.Equal([true, true], nothing.All(1).ToArray<bool>());
        Assert.Empty(nothing.CumSum(1).ToArray<long>());
        Assert.Equal("Max: there is no largest of no elements: found (2, 0)",
            Assert.Throws<AdjointException>(() => nothing.Max(1)).Message);
    }

    [Theory, InlineData("Mean"), InlineData("Var")]
    public void What_has_no_whole_result_is_refused(string op)
    {
        foreach (var x in (Tensor[])[Tensor.From(new long[] { 1, 2 }), Tensor.From(new byte[] { 1, 2 }),
            Tensor.From(new[] { true, false })])
            Assert.Equal(
                $"{op}: needs a floating type, which its result has: found {x.DType.Label()}; "
                    + "cast with .To(DType.Float32)",
                Assert.Throws<AdjointException>(() => op == "Mean" ? x.Mean() : x.Var()).Message);
        Assert.Equal(DType.Float32, Tensor.From(new long[] { 1, 2 }).LogSumExp(0).DType);
    }

    [Fact]
    public void Products_of_matrices_wrap()
    {
        var random = new Random(3);
        foreach (var (batch, m, k, n) in ((int, int, int, int)[])
            [(1, 1, 1, 1), (1, 3, 5, 2), (4, 17, 3, 9), (1, 2, 0, 3), (2, 200, 33, 40)])
        {
            var a = Enumerable.Range(0, batch * m * k).Select(_ => random.NextInt64()).ToArray();
            var b = Enumerable.Range(0, batch * k * n).Select(_ => random.NextInt64()).ToArray();
            var expected = new long[batch * m * n];
            for (var at = 0; at < batch; at++)
                for (var i = 0; i < m; i++)
                    for (var j = 0; j < n; j++)
                        for (var l = 0; l < k; l++)
                            expected[(at * m + i) * n + j] += a[(at * m + i) * k + l] * b[(at * k + l) * n + j];
            var (x, y) = (Tensor.From(a, batch, m, k), Tensor.From(b, batch, k, n));
            Assert.Equal(expected, x.MatMul(y).ToArray<long>());
            Assert.Equal(expected, x.MatMul(y.Transpose().Clone().Transpose()).ToArray<long>());
            Assert.Equal(expected.Select(value => (int)value), x.Narrow().MatMul(y.Narrow()).ToArray<int>());
        }
        Assert.Equal(25, Tensor.From(new long[] { 3, 4 }).MatMul(Tensor.From(new long[] { 3, 4 })).Item<long>());
        var error = Assert.Throws<AdjointException>(
            () => Tensor.From(new long[] { 3 }).MatMul(Tensor.From(new[] { 3f })));
        Assert.Equal(
            "MatMul: both operands must be of one floating or integer type: found int64 and float32; "
                + "cast one with .To(…)",
            error.Message);
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same()
    {
        var x = Tensor.Arange(200_000).Reshape(400, 500) * 0x12345678;
        var results = Threads.Of(1, 2, 3).Select(_ => (long[])[.. x.Sum().ToArray<long>(), .. x.Max(0).ToArray<long>(),
            .. x.CumSum(1).ToArray<long>(), .. x.MatMul(x.Transpose()).ToArray<long>()]).ToArray();
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    private static T[] Draw<T>(int length, Func<ulong, T> of) =>
        [.. Enumerable.Range(1, length).Select(i => of((ulong)i))];

    private static void Check<T>(T[] values, int a, int b, int c)
        where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
    {
        var plain = Tensor.From(values, a, b, c);
        T At(int i, int j, int k) => values[(i * b + j) * c + k];
        foreach (var x in (Tensor[])[plain, plain.Transpose().Clone().Transpose()])
        {
            Assert.Equal(
                values.Aggregate(0L, (sum, value) => unchecked(sum + long.CreateTruncating(value))),
                x.Sum().Item<long>());
            Assert.Equal(values.Max(), x.Max().Item<T>());
            Assert.Equal(values.Min(), x.Min().Item<T>());
            var (sums, least, most, places) = (new List<long>(), new List<T>(), new List<T>(), new List<long>());
            for (var i = 0; i < a; i++)
                for (var k = 0; k < c; k++)
                {
                    var run = Enumerable.Range(0, b).Select(j => At(i, j, k)).ToArray();
                    sums.Add(run.Aggregate(0L, (sum, value) => unchecked(sum + long.CreateTruncating(value))));
                    (T low, T high) = (run.Min(), run.Max());
                    least.Add(low);
                    most.Add(high);
                    places.Add(Array.IndexOf(run, high));
                }
            Assert.Equal(sums, x.Sum(1).ToArray<long>());
            Assert.Equal(least, x.Min(1).ToArray<T>());
            Assert.Equal(most, x.Max(1).ToArray<T>());
            Assert.Equal(places, x.ArgMax(1).ToArray<long>());
            var outer = Enumerable.Range(0, b).Select(j => Enumerable.Range(0, a).SelectMany(i =>
                Enumerable.Range(0, c).Select(k => At(i, j, k))).Max());
            Assert.Equal(outer, x.Max([0, 2]).ToArray<T>());
            Assert.Equal(sums, x.CumSum(1).Slice(1, b - 1, 1).ToArray<long>());
            Assert.Equal(sums, x.CumSum(1, reverse: true).Slice(1, 0, 1).ToArray<long>());
            var (ordered, indices) = x.Reshape(-1).Sort();
            var all = x.ToArray<T>();
            Assert.Equal(all.Order(), ordered.ToArray<T>());
            Assert.Equal(
                Enumerable.Range(0, all.Length).OrderBy(i => all[i]).Select(i => (long)i), indices.ToArray<long>());
            Assert.Equal(all.OrderDescending().Take(1), x.Reshape(-1).TopK(1).Values.ToArray<T>());
        }
    }
}

file static class Narrowing
{
    // Casts are to the nearest: the low bits are cut off by hand.
    internal static Tensor Narrow(this Tensor x) =>
        Tensor.From(Array.ConvertAll(x.ToArray<long>(), value => unchecked((int)value)), [.. x.Shape.Sizes]);
}
