using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>
/// Widening and narrowing in vectors, against the sorted list of all numbers that there are, and against .NET's Half.
/// </summary>
public class HalfPrecisionTests
{
    private const int All = 1 << 16;

    [Fact]
    public void Widening_is_exact_for_all_values()
    {
        var (upper, half) = (new BFloat16[All], new Half[All]);
        for (var i = 0; i < All; i++)
            (upper[i], half[i]) = (BFloat16.FromBits((ushort)i), BitConverter.UInt16BitsToHalf((ushort)i));
        var (wide, wideHalf) = (Widen(upper), Widen(half));
        for (var i = 0; i < All; i++)
        {
            Assert.Equal((uint)i << 16, BitConverter.SingleToUInt32Bits(wide[i]));
            var expected = (float)half[i];
            if (float.IsNaN(expected)) Assert.True(float.IsNaN(wideHalf[i]), $"{i:x4}");
            else Assert.Equal(
                BitConverter.SingleToUInt32Bits(expected), BitConverter.SingleToUInt32Bits(wideHalf[i]));
        }
    }

    [Fact]
    public void Narrowing_gives_back_what_was_widened()
    {
        var upper = new BFloat16[All];
        var half = new Half[All];
        for (var i = 0; i < All; i++)
            (upper[i], half[i]) = (BFloat16.FromBits((ushort)i), BitConverter.UInt16BitsToHalf((ushort)i));
        var (again, againHalf) = (Narrow<BFloat16>(Widen(upper)), Narrow<Half>(Widen(half)));
        for (var i = 0; i < All; i++)
        {
            if (float.IsNaN(upper[i])) Assert.True(float.IsNaN(again[i]));
            else Assert.Equal(i, again[i].Bits);
            if (Half.IsNaN(half[i])) Assert.True(Half.IsNaN(againHalf[i]));
            else Assert.Equal(i, BitConverter.HalfToUInt16Bits(againHalf[i]));
        }
    }

    [Fact]
    public void Narrowing_takes_the_nearest_and_of_two_the_even_one()
    {
        var x = Cases();
        Check(x, Narrow<BFloat16>(x), value => value.Bits, bits => BFloat16.FromBits(bits));
        Check(x, Narrow<Half>(x), BitConverter.HalfToUInt16Bits, bits => (double)BitConverter.UInt16BitsToHalf(bits));
        var half = Narrow<Half>(x);
        for (var i = 0; i < x.Length; i++)
            Assert.Equal(BitConverter.HalfToUInt16Bits((Half)x[i]), BitConverter.HalfToUInt16Bits(half[i]));
        var upper = Narrow<BFloat16>(x);
        for (var i = 0; i < x.Length; i++) Assert.Equal(((BFloat16)x[i]).Bits, upper[i].Bits);
    }

    [Fact]
    public void A_value_does_not_depend_on_its_place()
    {
        var x = Cases();
        var all = Narrow<Half>(x);
        for (var length = 1; length < 40; length++)
            Assert.Equal(all[..length], Narrow<Half>(x[..length]));
    }

    // Every number of both types, the middles between neighbors, and what lies just beside; and any bits.
    private static float[] Cases()
    {
        var x = new List<float>();
        for (var i = 0; i < 0x7F80; i++)
        {
            var bits = (uint)i << 16;
            foreach (var near in (uint[])[bits, bits + 1, bits + 0x7FFF, bits + 0x8000, bits + 0x8001])
                x.Add(BitConverter.UInt32BitsToSingle(near));
        }
        for (var i = 0; i < 0x7C00; i++)
        {
            var middle = ((float)BitConverter.UInt16BitsToHalf((ushort)i)
                + (float)BitConverter.UInt16BitsToHalf((ushort)(i + 1))) / 2;
            if (i == 0x7BFF) middle = 65520;
            x.AddRange([middle, float.BitDecrement(middle), float.BitIncrement(middle)]);
        }
        x.AddRange([float.NaN, float.PositiveInfinity, float.MaxValue, float.Epsilon, 0]);
        var random = new Random(7);
        for (var i = 0; i < 100_000; i++) x.Add(BitConverter.Int32BitsToSingle(random.Next()));
        return [.. x, .. x.Select(value => -value)];
    }

    private static void Check<TStored>(
        float[] x, TStored[] found, Func<TStored, ushort> bits, Func<ushort, double> number)
    {
        // The largest is followed by what would come next, where ∞ begins.
        var values = Enumerable.Range(0, All / 2).Select(i => number((ushort)i)).TakeWhile(double.IsFinite).ToList();
        values.Add(values[^1] + (values[^1] - values[^2]));
        for (var i = 0; i < x.Length; i++)
        {
            if (float.IsNaN(x[i]))
            {
                Assert.True(double.IsNaN(number(bits(found[i]))));
                continue;
            }
            var magnitude = Math.Min(Math.Abs((double)x[i]), values[^1]);
            var at = values.BinarySearch(magnitude);
            if (at < 0)
            {
                at = ~at;
                var (below, above) = (magnitude - values[at - 1], values[at] - magnitude);
                if (below < above || below == above && (at - 1) % 2 == 0) at--;
            }
            Assert.Equal((float.IsNegative(x[i]) ? 0x8000 : 0) | at, bits(found[i]));
        }
    }

    private static unsafe float[] Widen<TStored>(TStored[] x) where TStored : unmanaged
    {
        var y = new float[x.Length];
        fixed (TStored* from = x)
        fixed (float* to = y) HalfPrecision.Widen(from, to, x.Length);
        return y;
    }

    private static unsafe TStored[] Narrow<TStored>(float[] x) where TStored : unmanaged
    {
        var y = new TStored[x.Length];
        fixed (float* from = x)
        fixed (TStored* to = y) HalfPrecision.Narrow(from, to, x.Length);
        return y;
    }
}
