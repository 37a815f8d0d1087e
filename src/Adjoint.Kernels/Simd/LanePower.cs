using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Powers. Special cases as the C standard has them (ISO C17, F.10.4.4): x⁰ = 1 and 1ʸ = 1 even for NaN, (−1)^±∞ = 1,
/// signs of zeros and infinities by the parity of y, NaN for a finite x &lt; 0 with a broken y. What is representable
/// is met exactly; the rest is within one unit in the last place.
/// </summary>
public static class LanePower
{
    // The largest whole exponent, by magnitude, for which multiplying is both quick and exact enough.
    private const int LargestMultiplied = 64;

    /// <summary>xᵖ for one number p: by multiplications where p is whole and small, by a root where it is ±½.</summary>
    /// <param name="x">The base.</param>
    /// <param name="p">The exponent.</param>
    /// <returns>The power, lane by lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Pow<V>(V x, double p) where V : struct, ILanes<V>
    {
        if (p == 0) return V.Splat(1);
        if (p == 1) return x;
        if (p == 2) return x * x;
        if (p == -1) return V.Splat(1) / x;
        if (p is 0.5 or -0.5) return OfRoot(x, p < 0);
        return Math.Abs(p) <= LargestMultiplied && p == Math.Floor(p) ? Whole(x, (int)p) : V.Pow(x, V.Splat(p));
    }

    // √ is NaN at −∞ and −0 at −0, where the power is ∞ and 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V OfRoot<V>(V x, bool inverse) where V : struct, ILanes<V>
    {
        var infinite = V.Splat(double.PositiveInfinity);
        var root = V.Sqrt(V.Select(V.Equal(x, -infinite), infinite, x) + V.Splat(0));
        return inverse ? V.Splat(1) / root : root;
    }

    // By squaring, each product with its rounding error beside it, so that no error adds up. Where a product over- or
    // underflows the error means nothing, and is left out.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Whole<V>(V x, int n) where V : struct, ILanes<V>
    {
        var (zero, one) = (V.Splat(0), V.Splat(1));
        var (square, squareError) = (x, zero);
        if (n < 0)
        {
            square = one / x;
            squareError = V.Fma(-square, x, one) * square;
            n = -n;
        }
        while ((n & 1) == 0)
        {
            (square, squareError) = Product(square, squareError, square, squareError);
            n >>= 1;
        }
        var (power, error) = (square, squareError);
        for (n >>= 1; n != 0; n >>= 1)
        {
            (square, squareError) = Product(square, squareError, square, squareError);
            if ((n & 1) != 0) (power, error) = Product(power, error, square, squareError);
        }
        var magnitude = V.Abs(power);
        var corrected = V.Select(V.Less(magnitude, V.Splat(double.PositiveInfinity)), power + error, power);
        return V.Select(V.Less(zero, magnitude), corrected, power);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V Product, V Error) Product<V>(V a, V aError, V b, V bError) where V : struct, ILanes<V>
    {
        var product = a * b;
        return (product, V.Fma(a, b, -product) + V.Fma(a, bError, aError * b));
    }

    /// <summary>xʸ in lanes of double precision, good to what single precision needs: e^(y ln |x|).</summary>
    /// <param name="x">The base.</param>
    /// <param name="y">The exponent.</param>
    /// <returns>The power, lane by lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ForSingle<V>(V x, V y) where V : struct, ILanes<V> =>
        WithSpecialCases(x, y, V.Exp(y * V.Log(V.Abs(x))));

    /// <summary>
    /// xʸ in lanes of double precision: the logarithm has more bits than a double, or its error, times y, would show.
    /// </summary>
    /// <param name="x">The base.</param>
    /// <param name="y">The exponent.</param>
    /// <returns>The power, lane by lane.</returns>
    public static V ForDouble<V>(V x, V y) where V : struct, ILanes<V>
    {
        var magnitude = V.Abs(x);
        var logarithm = V.Log(magnitude);
        var estimate = y * logarithm;
        // Beyond ±750 the result is 0 or ∞ whatever its last digits; the comparison is false at NaN, ∞ and 0 too.
        var isInside = V.Less(V.Abs(estimate), V.Splat(750));
        return WithSpecialCases(x, y, V.Select(isInside, Precise(magnitude, logarithm, y), V.Exp(estimate)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V WithSpecialCases<V>(V x, V y, V magnitude) where V : struct, ILanes<V>
    {
        var (zero, one, half) = (V.Splat(0), V.Splat(1), V.Splat(0.5));
        var infinite = V.Splat(double.PositiveInfinity);
        // ±∞·ln 1 is NaN; a NaN exponent stays one, but for x = 1.
        magnitude = V.Select(V.Equal(V.Abs(x), one), V.Select(V.Equal(y, y), one, y), magnitude);
        var halved = y * half;
        var isEven = V.Equal(halved, V.Floor(halved));
        var isWhole = V.Equal(y, V.Floor(y));
        var isEnd = V.Select(V.Equal(x, zero), one, V.Select(V.Equal(V.Abs(x), infinite), one, zero));
        var broken = V.Select(V.Equal(isEnd, one), magnitude, V.Splat(double.NaN));
        var ofNegative = V.Select(isWhole, V.Select(isEven, magnitude, -magnitude), broken);
        // −0 is less than 0 only by its reciprocal.
        var sign = V.Select(V.Equal(x, zero), one / x, x);
        var result = V.Select(V.Less(sign, zero), ofNegative, magnitude);
        return V.Select(V.Equal(y, zero), one, V.Select(V.Equal(x, one), one, result));
    }

    // x = 2ⁿ·m with m from √½ to √2; ln m = 2 artanh s = 2s(1 + s²/3 + s⁴/5 + …) with s = (m − 1)/(m + 1).
    // Pairs (a, aLow) stand for their sum.
    private static V Precise<V>(V x, V logarithm, V y) where V : struct, ILanes<V>
    {
        var one = V.Splat(1);
        var n = V.Floor(V.Fma(logarithm, V.Splat(1.44269504088896341), V.Splat(0.5)));
        var m = V.ScaleByPowerOfTwo(x, -n);

        var numerator = m - one;
        var denominator = m + one;
        var denominatorLow = m - (denominator - one);
        var s = numerator / denominator;
        var sLow = (V.Fma(-s, denominator, numerator) - s * denominatorLow) / denominator;
        var z = s * s;
        var zLow = V.Fma(s, s, -z) + (s + s) * sLow;

        var third = V.Splat(1.0 / 3);
        var series = z * third;
        var seriesLow = V.Fma(z, third, -series) + V.Fma(z, V.Splat(1.850371707708594e-17), zLow * third);
        var tail = z * z * V.Fma(z, ArtanhTail(z), V.Splat(1.0 / 5));
        (series, seriesLow) = Sum(series, tail, seriesLow);

        var (twice, twiceLow) = (s + s, sLow + sLow);
        var rest = twice * series;
        var restLow = V.Fma(twice, series, -rest) + V.Fma(twice, seriesLow, twiceLow * series);
        var (ln, lnLow) = Sum(twice, rest, twiceLow + restLow);

        var perLn2 = V.Splat(1.4426950408889634);
        var fraction = ln * perLn2;
        var fractionLow = V.Fma(ln, perLn2, -fraction) + V.Fma(ln, V.Splat(2.0355273740931033e-17), lnLow * perLn2);
        var (log2, log2Low) = Sum(n, fraction, fractionLow);

        var exponent = y * log2;
        var exponentLow = V.Fma(y, log2, -exponent) + y * log2Low;
        var k = V.Floor(exponent + V.Splat(0.5));
        // The lower part is that of the whole exponent, and may be long beside what is left of it.
        var (part, partLow) = Sum(exponent - k, exponentLow, V.Splat(0));
        var ln2 = V.Splat(0.6931471805599453);
        var r = part * ln2;
        var rLow = V.Fma(part, ln2, -r) + V.Fma(part, V.Splat(2.3190468138462996e-17), partLow * ln2);
        var (sum, sumLow) = Sum(one, r, V.Fma(r * r, ExpTail(r), V.Fma(r, rLow, rLow)));
        return V.ScaleByPowerOfTwo(sum + sumLow, k);
    }

    // a + b exactly, for |a| ≥ |b| or a = 0, and what is small added to its lower part.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (V Sum, V Low) Sum<V>(V a, V b, V low) where V : struct, ILanes<V>
    {
        var sum = a + b;
        return (sum, (a - sum) + b + low);
    }

    // 1/7 + z/9 + z²/11 + …, z ≤ 0.03.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ArtanhTail<V>(V z) where V : struct, ILanes<V>
    {
        var p = V.Splat(1.0 / 27);
        for (var k = 25; k >= 7; k -= 2) p = V.Fma(p, z, V.Splat(1.0 / k));
        return p;
    }

    // (eʳ − 1 − r)/r², |r| ≤ ln 2 / 2.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpTail<V>(V r) where V : struct, ILanes<V>
    {
        var p = V.Splat(InverseFactorials[^1]);
        for (var k = InverseFactorials.Length - 2; k >= 0; k--) p = V.Fma(p, r, V.Splat(InverseFactorials[k]));
        return p;
    }

    // 1/2!, 1/3!, …, 1/14!
    private static ReadOnlySpan<double> InverseFactorials =>
    [
        1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800,
        1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200,
    ];
}
