using System.Numerics;

namespace Adjoint.Tests.Ops;

/// <summary>⌊x / y⌋ and what is left over, of whole and of floating numbers.</summary>
public class IntegerDivisionTests
{
    [Theory, InlineData(1), InlineData(17), InlineData(5000), InlineData(40000)]
    public void Integers_divide_by_the_rule_of_Python(int length)
    {
        Check<long>(length, [long.MinValue, long.MaxValue, -7, -2, -1, 1, 2, 3, 1L << 53]);
        Check<int>(length, [int.MinValue, int.MaxValue, -7, -2, -1, 1, 2, 3]);
        Check<byte>(length, [1, 2, 3, 7, 128, 254, 255]);
    }

    [Fact]
    public void Signs_are_those_of_floor_division()
    {
        var (x, y) = (Tensor.From(new long[] { -7, 7, -7, 7, -8 }), Tensor.From(new long[] { 2, -2, -2, 2, 2 }));
        Assert.Equal([-4L, -4, 3, 3, -4], x.FloorDivide(y).ToArray<long>());
        Assert.Equal([1L, -1, -1, 1, 0], x.Remainder(y).ToArray<long>());
        Assert.Equal([-3L, 2, -3, 2, -3], x.FloorDivide(3).ToArray<long>());
        Assert.Equal([-3.5f, -3.5f, 3.5f, 3.5f, -4], (x / y).ToArray<float>());
        Assert.Equal([long.MinValue], Tensor.From(new[] { long.MinValue }).FloorDivide(-1).ToArray<long>());
        Assert.Equal([0L], Tensor.From(new[] { long.MinValue }).Remainder(-1).ToArray<long>());
    }

    [Theory, InlineData(1), InlineData(50000)]
    public void Division_by_0_is_refused(int length)
    {
        var x = Tensor.Arange(length);
        foreach (var (op, call) in ((string, Func<Tensor>)[])[("FloorDivide", () => x.FloorDivide(x - (length - 1))),
            ("Remainder", () => x.Remainder(0)),
            ("Remainder", () => x.To(DType.UInt8).Remainder(Tensor.From(new byte[] { 0 })))])
            Assert.Equal(
                $"{op}: a whole number has no quotient by 0; replace the zeros of the divisor, as with Tensor.Where, "
                    + "or divide with /",
                Assert.Throws<AdjointException>(call).Message);
        // The workers go on to work.
        Assert.Equal(length, (x + 1).Max().Item<long>());
    }

    // As PyTorch 1.13 has them.
    [Fact]
    public void Floating_quotients_are_those_of_PyTorch()
    {
        const double inf = double.PositiveInfinity;
        double[] x = [1, -1, 0, inf, 1, -1, 5, -5, 0, -0.0, double.NaN, 5.5, -5.5, 5.5, -5.5, 1e300];
        double[] y = [0, 0, 0, 2, inf, inf, -inf, -inf, -3, 3, 1, 2, 2, -2, -2, 1e-300];
        double[] floors = [inf, -inf, double.NaN, double.NaN, 0, -1, -1, 0, -0.0, -0.0, double.NaN, 2, -3, -3, 2, inf];
        double[] rests = [double.NaN, double.NaN, double.NaN, double.NaN, 1, inf, -inf, -5, 0, -0.0, double.NaN, 1.5,
            0.5, -0.5, -1.5, 1e300 % 1e-300];
        var (a, b) = (Tensor.From(x), Tensor.From(y));
        Assert.Equal(floors, a.FloorDivide(b).ToArray<double>());
        Assert.Equal(rests, a.Remainder(b).ToArray<double>());
        var (narrow, by) = (a.Slice(0, 0, 15).To(DType.Float32), b.Slice(0, 0, 15).To(DType.Float32));
        Assert.Equal(floors[..15], narrow.FloorDivide(by).To(DType.Float64).ToArray<double>());
        Assert.Equal(rests[..15], narrow.Remainder(by).To(DType.Float64).ToArray<double>());
        Assert.Equal([2.0, 1], Tensor.From(new[] { 7.5, 4 }).FloorDivide(3).ToArray<double>());
    }

    private static void Check<T>(int length, T[] from) where T : unmanaged, IBinaryInteger<T>
    {
        var random = new Random(length);
        T[] Draw() => [.. Enumerable.Range(0, length).Select(_ => from[random.Next(from.Length)])];
        var (left, right) = (Draw(), Draw());
        var (x, y) = (Tensor.From(left, length), Tensor.From(right, length));
        var floors = left.Zip(right, (a, b) =>
            T.CreateTruncating(Floor(BigInteger.CreateChecked(a), BigInteger.CreateChecked(b)))).ToArray();
        var rests = left.Zip(right, (a, b) =>
        {
            var (wide, by) = (BigInteger.CreateChecked(a), BigInteger.CreateChecked(b));
            return T.CreateTruncating(wide - by * Floor(wide, by));
        }).ToArray();
        foreach (var (a, b) in ((Tensor, Tensor)[])[(x, y), (Layouts.Spread(x), y), (x, Layouts.Spread(y))])
        {
            Assert.Equal(floors, a.FloorDivide(b).ToArray<T>());
            Assert.Equal(rests, a.Remainder(b).ToArray<T>());
        }
    }

    private static BigInteger Floor(BigInteger x, BigInteger y)
    {
        var quotient = BigInteger.DivRem(x, y, out var rest);
        return rest != 0 && rest < 0 != y < 0 ? quotient - 1 : quotient;
    }
}
