using System.Globalization;
using System.Numerics;
using Adjoint.Tests.Tensors;

namespace Adjoint.Tests.Kernels;

/// <summary>The struct itself: all of its 65,536 values, and every point where rounding turns.</summary>
public class BFloat16Tests
{
    private static IEnumerable<BFloat16> All =>
        Enumerable.Range(0, 65536).Select(bits => BFloat16.FromBits((ushort)bits));

    // Finite ones without a sign, in order.
    private static BFloat16[] Finite => [.. All.Take(0x7F80)];

    [Fact]
    public void Every_value_goes_to_wider_types_and_back()
    {
        foreach (var x in All)
        {
            Assert.Equal((uint)x.Bits << 16, BitConverter.SingleToUInt32Bits(x));
            foreach (var back in (BFloat16[])[(BFloat16)(float)x, (BFloat16)(double)x])
                if (BFloat16.IsNaN(x)) Assert.Equal(x.Bits | 0x40, back.Bits);
                else Assert.Equal(x.Bits, back.Bits);
        }
    }

    [Fact]
    public void Between_two_neighbors_the_nearer_wins_and_a_tie_is_even()
    {
        var finite = Finite;
        for (var i = 0; i < finite.Length; i++)
        {
            double low = finite[i], high = i + 1 < finite.Length ? finite[i + 1] : Math.ScaleB(1, 128);
            var middle = (low + high) / 2;
            var (below, above) = (finite[i].Bits, (ushort)(i + 1));
            var tie = (below & 1) == 0 ? below : above;
            foreach (var (value, bits) in ((double, ushort)[])
                [(middle, tie), (Math.BitDecrement(middle), below), (Math.BitIncrement(middle), above)])
            {
                Assert.Equal(bits, ((BFloat16)value).Bits);
                Assert.Equal(bits | 0x8000, ((BFloat16)(-value)).Bits);
            }
            // The middle is a float32 too, but for that below the smallest number of all.
            var near = (float)middle;
            Assert.Equal(tie, ((BFloat16)near).Bits);
            Assert.Equal(below, ((BFloat16)MathF.BitDecrement(near)).Bits);
            Assert.Equal(above, ((BFloat16)MathF.BitIncrement(near)).Bits);
            if (middle is < 256 or > 9e18) continue;
            var whole = (long)middle;
            Assert.Equal(tie, ((BFloat16)whole).Bits);
            Assert.Equal(below, ((BFloat16)(whole - 1)).Bits);
            Assert.Equal(above, ((BFloat16)(whole + 1)).Bits);
            Assert.Equal(below | 0x8000, ((BFloat16)(1 - whole)).Bits);
            Assert.Equal(above, ((BFloat16)(ulong)(whole + 1)).Bits);
            if (whole < int.MaxValue) Assert.Equal(above, ((BFloat16)(int)(whole + 1)).Bits);
        }
        Assert.Equal(Math.ScaleB(1, 64), (BFloat16)ulong.MaxValue);
        Assert.Equal(Math.ScaleB(-1, 63), (BFloat16)long.MinValue);
    }

    [Fact]
    public void Every_half_converts_as_its_exact_value_does()
    {
        for (var bits = 0; bits < 65536; bits++)
        {
            var half = BitConverter.UInt16BitsToHalf((ushort)bits);
            var expected = Exactly.Rounded(DType.BFloat16, (double)half);
            Assert.Equal(expected, (float)(BFloat16)half);
            var x = BFloat16.FromBits((ushort)bits);
            Assert.Equal(Exactly.Rounded(DType.Float16, (double)x), (double)(Half)x);
        }
    }

    [Fact]
    public void NaN_stays_NaN_keeps_its_sign_and_becomes_quiet()
    {
        for (uint fraction = 1; fraction < 1 << 23; fraction = fraction * 3 / 2 + 1)
            foreach (var sign in (uint[])[0, 0x80000000])
            {
                var x = (BFloat16)BitConverter.UInt32BitsToSingle(sign | 0x7F800000 | fraction);
                Assert.True(BFloat16.IsNaN(x));
                Assert.Equal(sign != 0, BFloat16.IsNegative(x));
                Assert.Equal(0x40, x.Bits & 0x40);
            }
        Assert.True(
            BFloat16.IsNaN((BFloat16)double.NaN) && BFloat16.IsNaN((BFloat16)Half.NaN) && BFloat16.IsNaN(BFloat16.NaN));
    }

    [Fact]
    public void Sums_products_and_quotients_are_the_nearest_to_the_exact_ones()
    {
        var random = new Random(7);
        for (var i = 0; i < 100_000; i++)
        {
            var x = BFloat16.FromBits((ushort)random.Next(65536));
            var y = BFloat16.FromBits((ushort)((x.Bits + random.Next(-2000, 2000)) ^ (random.Next(2) << 15)));
            // Exact in float64 where the exponents are near each other; a quotient is rounded there, but never onto a
            // middle.
            Assert.Equal((BFloat16)((double)x + (double)y), x + y);
            Assert.Equal((BFloat16)((double)x - (double)y), x - y);
            Assert.Equal((BFloat16)((double)x * (double)y), x * y);
            Assert.Equal((BFloat16)((double)x / (double)y), x / y);
            Assert.Equal((BFloat16)((double)x % (double)y), x % y);
        }
    }

    [Fact]
    public void Order_and_equality_are_those_of_the_numbers()
    {
        BFloat16[] some = [.. All.Where((_, i) => i % 257 < 2), BFloat16.NegativeZero, BFloat16.Zero];
        foreach (var x in some)
            foreach (var y in some)
            {
                var (a, b) = ((double)x, (double)y);
                Assert.Equal((a < b, a <= b, a > b, a >= b, a == b, a != b),
                    (x < y, x <= y, x > y, x >= y, x == y, x != y));
                Assert.Equal(a.CompareTo(b), x.CompareTo(y));
                Assert.Equal(a.Equals(b), x.Equals(y));
                if (x.Equals(y)) Assert.Equal(x.GetHashCode(), y.GetHashCode());
            }
        Assert.Throws<ArgumentException>(() => BFloat16.One.CompareTo((object)1f));
    }

    [Fact]
    public void What_a_value_is_agrees_with_float32()
    {
        foreach (var x in All)
        {
            float value = x;
            Assert.Equal((float.IsNaN(value), float.IsFinite(value), float.IsInfinity(value), float.IsNegative(value),
                float.IsPositive(value)), (BFloat16.IsNaN(x), BFloat16.IsFinite(x), BFloat16.IsInfinity(x),
                BFloat16.IsNegative(x), BFloat16.IsPositive(x)));
            Assert.Equal((float.IsPositiveInfinity(value), float.IsNegativeInfinity(value), float.IsInteger(value),
                float.IsNormal(value), float.IsSubnormal(value)), (BFloat16.IsPositiveInfinity(x),
                BFloat16.IsNegativeInfinity(x), BFloat16.IsInteger(x), BFloat16.IsNormal(x), BFloat16.IsSubnormal(x)));
        }
        Assert.Equal(Math.ScaleB(1, -133), BFloat16.Epsilon);
        Assert.Equal(Math.ScaleB(1 - Math.ScaleB(1, -8), 128), BFloat16.MaxValue);
        Assert.Equal(-(double)BFloat16.MaxValue, BFloat16.MinValue);
        Assert.Equal((1.0, -1.0, 0.0, double.PositiveInfinity, double.NegativeInfinity), ((double)BFloat16.One,
            (double)BFloat16.NegativeOne, (double)BFloat16.Zero, (double)BFloat16.PositiveInfinity,
            (double)BFloat16.NegativeInfinity));
        Assert.True(double.IsNegative(BFloat16.NegativeZero));
    }

    [Fact]
    public void Every_value_is_written_as_the_shortest_text_that_reads_back()
    {
        foreach (var x in All.Where(x => !BFloat16.IsNaN(x)))
        {
            var text = x.ToString();
            Assert.Equal(x.Bits, BFloat16.Parse(text, CultureInfo.InvariantCulture).Bits);
            Assert.Equal(text, $"{x:R}", StringComparer.Ordinal);
            if (!BFloat16.IsFinite(x) || x == BFloat16.Zero) continue;
            // No shorter run of digits reads back as it.
            var digits = text.Split('E')[0].Replace("-", "").Replace(".", "").Trim('0').Length;
            for (var fewer = 1; fewer < digits; fewer++)
                Assert.NotEqual(x.Bits, ((BFloat16)double.Parse(
                    ((double)x).ToString($"E{fewer - 1}", CultureInfo.InvariantCulture),
                    CultureInfo.InvariantCulture)).Bits);
        }
        Assert.Equal(("0.1", "256", "3.39E+38", "NaN", "-0", "0.100"), (((BFloat16)0.1f).ToString(),
            ((BFloat16)256f).ToString(), BFloat16.MaxValue.ToString(), BFloat16.NaN.ToString(),
            BFloat16.NegativeZero.ToString(), ((BFloat16)0.1f).ToString("0.000", CultureInfo.InvariantCulture)));
        Assert.Equal("0,1", ((BFloat16)0.1f).ToString(null, new NumberFormatInfo { NumberDecimalSeparator = "," }));
        Assert.False(BFloat16.TryParse("one", CultureInfo.InvariantCulture, out _));
        Assert.Throws<FormatException>(() => BFloat16.Parse("", CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Generic_code_converts_it_once()
    {
        Assert.Equal(255, byte.CreateSaturating((BFloat16)1000f));
        Assert.Equal(0, byte.CreateSaturating(BFloat16.NaN));
        Assert.Equal(long.MaxValue, long.CreateSaturating(BFloat16.PositiveInfinity));
        Assert.Equal((int.MaxValue, long.MinValue), ((int)BFloat16.MaxValue, (long)BFloat16.MinValue));
        Assert.Throws<OverflowException>(() => byte.CreateChecked((BFloat16)1000f));
        // 1 + 2⁻⁸ + 2⁻³⁰ lies above a middle; by way of float32 it would be one.
        Assert.Equal(1 + Math.ScaleB(1, -7), Create(1 + Math.ScaleB(1, -8) + Math.ScaleB(1, -30)));
        Assert.Equal(Math.ScaleB(1 + Math.ScaleB(1, -7), 40), Create((1L << 40) + (1L << 32) + 1));
        Assert.Equal(3, Create((sbyte)3));
        Assert.Equal(1.5, Create((Half)1.5));
        Assert.Equal(double.NegativeInfinity, Create(-1e300));

        static double Create<T>(T value) where T : INumber<T> => Into<BFloat16, T>(value);

        static TTo Into<TTo, T>(T value) where T : INumber<T> where TTo : INumber<TTo> => TTo.CreateSaturating(value);
    }
}
