using System.Numerics;

namespace Adjoint.Tests.Ops;

/// <summary>And, or, either, not, of truth values and of bits; what is no number.</summary>
public class LogicTests
{
    [Theory, InlineData(0), InlineData(1), InlineData(33), InlineData(40000)]
    public void Every_type_length_and_layout_gives_the_naive_bits(int length)
    {
        Check(
            Draw(length, i => (long)(i * 0x9E3779B97F4A7C15)), Draw(length, i => (long)(i * 0xD6E8FEB86659FD93)),
            x => ~x);
        Check(Draw(length, i => (int)(i * 0x9E3779B9)), Draw(length, i => (int)(i * 0x85EBCA6B)), x => ~x);
        Check(Draw(length, i => (byte)(i * 151)), Draw(length, i => (byte)(i * 77)), x => (byte)~x);
        var (x, y) = (Draw(length, i => i % 3 == 0), Draw(length, i => i % 2 == 0));
        Check(x, y, (a, b) => a & b, (a, b) => a | b, (a, b) => a ^ b, a => !a);
    }

    [Fact]
    public void Numbers_and_other_types_are_promoted()
    {
        var x = Tensor.From(new[] { 0x1FF, 0x2A, -1 });
        Assert.Equal([0xFF, 0x2A, 0xFF], (x & 0xFF).ToArray<int>());
        Assert.Equal([0x1FF, 0x2B, -1], (x | 1).ToArray<int>());
        Assert.Equal([1L, 0, 1], (Tensor.From(new[] { true, false, true }) & 3).ToArray<long>());
        Assert.Equal([1, 0, 1], (x & Tensor.From(new[] { true, true, true })).ToArray<int>());
        Assert.Equal([false, true, false], (!Tensor.From(new[] { 2.5f, 0, float.NaN })).ToArray<bool>());
        Assert.Equal([false, true], (!Tensor.From(new byte[] { 7, 0 })).ToArray<bool>());
    }

    [Fact]
    public void Floating_operands_are_refused()
    {
        var (x, whole) = (Tensor.Ones(2), Tensor.Arange(2));
        Assert.Equal(
            "And: computes on integer or bool types: found float32 and float32; compare first, as in x.Greater(0)",
            Assert.Throws<AdjointException>(() => x & x).Message);
        Assert.Equal(
            "Or: computes on integer or bool types: found int64 and float32; compare first, as in x.Greater(0)",
            Assert.Throws<AdjointException>(() => whole | 2.5).Message);
        Assert.Equal("Not: computes on integer or bool types: found float32; use LogicalNot, which compares with 0",
            Assert.Throws<AdjointException>(() => ~x).Message);
        Assert.Equal("Xor: uint8 has no 256, only 0 to 255; cast the tensor with .To(DType.Int64)",
            Assert.Throws<AdjointException>(() => Tensor.From(new byte[] { 1 }) ^ 256).Message);
    }

    [Fact]
    public void What_is_no_number_is_found()
    {
        double[] values = [0, -1, double.NaN, double.PositiveInfinity, double.NegativeInfinity, double.MaxValue];
        foreach (var type in (DType[])[DType.Float64, DType.Float32, DType.BFloat16, DType.Float16])
        {
            var x = Tensor.From(values).To(type).RequireGrad();
            bool[] isInfinite = [false, false, false, true, true, type != DType.Float64];
            Assert.Equal(values.Select(double.IsNaN), x.IsNaN().ToArray<bool>());
            Assert.Equal(isInfinite, x.IsInfinity().ToArray<bool>());
            Assert.Equal(isInfinite.Select((infinite, i) => !infinite && i != 2), x.IsFinite().ToArray<bool>());
        }
        foreach (var x in (Tensor[])[Tensor.From(new[] { long.MaxValue }), Tensor.From(new byte[] { 1 }),
            Tensor.From(new[] { true })])
            Assert.Equal(
                (false, false, true), (x.IsNaN().Item<bool>(), x.IsInfinity().Item<bool>(), x.IsFinite().Item<bool>()));
    }

    [Fact]
    public void Unequal_is_not_equal_and_NaN_is_unequal_to_itself()
    {
        var x = Tensor.From(new[] { 1, double.NaN, 2 });
        Assert.Equal([false, true, false], x.NotEqualTo(x).ToArray<bool>());
        Assert.Equal([false, true, true], x.NotEqualTo(1).ToArray<bool>());
        var whole = Tensor.From(new[] { (1L << 53) + 1, 1L << 53, -4 });
        Assert.Equal([false, true, true], whole.NotEqualTo((1L << 53) + 1).ToArray<bool>());
        Assert.Equal([true, false, false], whole.Greater(1L << 53).ToArray<bool>());
        Assert.Equal([true, false, false], whole.EqualTo((1L << 53) + 1).ToArray<bool>());
        foreach (var number in (double[])[double.NaN, double.PositiveInfinity, double.NegativeInfinity, 1e300, 0.5])
            Assert.Equal([true, true, true], whole.NotEqualTo(number).ToArray<bool>());
        Assert.Equal([true, false], Tensor.From(new[] { true, false }).NotEqualTo(0).ToArray<bool>());
    }

    [Fact]
    public void Any_number_of_threads_gives_the_same()
    {
        var (x, y) = (Tensor.Arange(120_000).Reshape(400, 300), Tensor.Arange(120_000).Reshape(400, 300) * 7919);
        var results = Threads.Of(1, 2, 3, 8).Select(_ => (long[])[.. (x & y | ~x ^ y).ToArray<long>(),
            .. (x & 8).Any(1).To(DType.Int64).ToArray<long>(), .. (y & 3).All(0).To(DType.Int64).ToArray<long>()]);
        Assert.Single(results.Distinct(new SameElements()));
    }

    private sealed class SameElements : IEqualityComparer<long[]>
    {
        public bool Equals(long[]? x, long[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(long[] x) => 0;
    }

    private static T[] Draw<T>(int length, Func<ulong, T> of) =>
        [.. Enumerable.Range(1, length).Select(i => of((ulong)i))];

    private static void Check<T>(T[] x, T[] y, Func<T, T> not) where T : unmanaged, IBinaryInteger<T> =>
        Check(x, y, (a, b) => a & b, (a, b) => a | b, (a, b) => a ^ b, not);

    private static void Check<T>(T[] x, T[] y, Func<T, T, T> and, Func<T, T, T> or, Func<T, T, T> xor, Func<T, T> not)
        where T : unmanaged
    {
        var (a, b) = (Tensor.From(x, x.Length), Tensor.From(y, y.Length));
        foreach (var (left, right) in ((Tensor, Tensor)[])[(a, b), (Layouts.Spread(a), b), (a, Layouts.Spread(b))])
        {
            Assert.Equal(x.Zip(y, and), (left & right).ToArray<T>());
            Assert.Equal(x.Zip(y, or), (left | right).ToArray<T>());
            Assert.Equal(x.Zip(y, xor), (left ^ right).ToArray<T>());
            Assert.Equal(x.Select(not), (~left).ToArray<T>());
        }
        if (x.Length == 0) return;
        Assert.Equal(x.Select(value => and(value, y[0])), (a & b[0]).ToArray<T>());
        Assert.Equal(x.Select(value => xor(value, y[0])), (b[0] ^ a).ToArray<T>());
    }
}
