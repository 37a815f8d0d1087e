using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Functions composed from the vocabulary of <see cref="ILanes{V}"/>. Coefficients of <see cref="ExpSingle"/>,
/// <see cref="Tanh"/> and <see cref="Erf"/>: Moshier, Cephes (1984–2000).
/// </summary>
public static class LaneMath
{
    /// <summary>
    /// eˣ in single precision, to about one unit in the last place: x = n·ln 2 + r, |r| ≤ ln 2 / 2, eˣ = 2ⁿ·eʳ. 0 and ∞
    /// at the ends, NaN for NaN.
    /// </summary>
    /// <param name="x">The argument.</param>
    /// <returns>The function, lane by lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpSingle<V>(V x) where V : struct, ILanes<V>
    {
        // Beyond these the result is 0 or ∞; within them n stays finite.
        x = V.Clamp(x, V.Splat(-104), V.Splat(89));
        var n = V.Floor(V.Fma(x, V.Splat(1.44269504088896341), V.Splat(0.5)));
        // ln 2 in two parts, the first short enough that n·0.693359375 is exact.
        var r = V.Fma(n, V.Splat(2.12194440e-4), V.Fma(n, V.Splat(-0.693359375), x));
        var p = V.Fma(Poly(r, 1.9875691500E-4, 1.3981999507E-3, 8.3334519073E-3, 4.1665795894E-2, 1.6666665459E-1), r,
            V.Splat(5.0000001201E-1));
        return V.ScaleByPowerOfTwo(V.Fma(p, r * r, r) + V.Splat(1), n);
    }

    /// <summary>1 / (1 + e⁻ˣ); never overflows.</summary>
    /// <param name="x">The argument.</param>
    /// <returns>The function, lane by lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V>(V x) where V : struct, ILanes<V>
    {
        var one = V.Splat(1);
        return one / (one + V.Exp(-x));
    }

    /// <summary>ln(1 + x), exact to rounding near 0 (Kahan).</summary>
    /// <param name="x">The argument.</param>
    /// <returns>The function, lane by lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log1p<V>(V x) where V : struct, ILanes<V>
    {
        var one = V.Splat(1);
        var u = one + x;
        var corrected = V.Log(u) * (x / (u - one));
        var tiny = V.Equal(u, one);
        return V.Select(tiny, x, V.Select(V.Equal(x, V.Splat(double.PositiveInfinity)), x, corrected));
    }

    /// <summary>eˣ − 1, exact to rounding near 0 (Kahan).</summary>
    /// <param name="x">The argument.</param>
    /// <returns>The function, lane by lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Expm1<V>(V x) where V : struct, ILanes<V>
    {
        var one = V.Splat(1);
        var u = V.Exp(x);
        var v = u - one;
        var corrected = v * (x / V.Log(u));
        // Where |x| is not small, u − 1 loses nothing; there the quotient may be ∞/∞ or divide by log 1.
        var small = V.Less(V.Abs(x), V.Splat(0.5));
        return V.Select(V.Equal(u, one), x, V.Select(small, corrected, v));
    }

    /// <summary>The hyperbolic tangent.</summary>
    /// <param name="x">The argument.</param>
    /// <returns>The function, lane by lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<V>(V x) where V : struct, ILanes<V>
    {
        var z = x * x;
        var p = V.Fma(V.Fma(V.Splat(-9.64399179425052238628E-1), z, V.Splat(-9.92877231001918586564E1)), z,
            V.Splat(-1.61468768441708447952E3));
        var q = V.Fma(V.Fma(z + V.Splat(1.12811678491632931402E2), z, V.Splat(2.23548839060100448583E3)), z,
            V.Splat(4.84406305325125486048E3));
        var near = V.Fma(x * z, p / q, x);
        var magnitude = V.Abs(x);
        var far = V.Splat(1) - V.Splat(2) / (V.Exp(magnitude + magnitude) + V.Splat(1));
        return V.Select(V.Less(magnitude, V.Splat(0.625)), near, V.Select(V.Less(x, V.Splat(0)), -far, far));
    }

    /// <summary>The error function, 2/√π ∫₀ˣ e^(−t²) dt.</summary>
    /// <param name="x">The argument.</param>
    /// <returns>The function, lane by lane.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf<V>(V x) where V : struct, ILanes<V>
    {
        var z = x * x;
        var t = Poly(z, 9.60497373987051638749E0, 9.00260197203842689217E1, 2.23200534594684319226E3,
            7.00332514112805075473E3, 5.55923013010394962768E4);
        var u = V.Fma(Poly(z, 1, 3.35617141647503099647E1, 5.21357949780152679795E2, 4.59432382970980127987E3,
            2.26290000613890934246E4), z, V.Splat(4.92673942608635921086E4));
        var near = x * t / u;
        var magnitude = V.Min(V.Abs(x), V.Splat(8));
        var p = Poly(magnitude, 2.46196981473530512524E-10, 5.64189564831068821977E-1, 7.46321056442269912687E0,
            4.86371970985681366614E1, 1.96520832956077098242E2);
        p = V.Fma(
            V.Fma(V.Fma(V.Fma(p, magnitude, V.Splat(5.26445194995477358631E2)), magnitude,
                V.Splat(9.34528527171957607540E2)), magnitude, V.Splat(1.02755188689515710272E3)), magnitude,
                V.Splat(5.57535335369399327526E2));
        var q = Poly(magnitude, 1, 1.32281951154744992508E1, 8.67072140885989742329E1, 3.54937778887819891062E2,
            9.75708501743205489753E2);
        q = V.Fma(
            V.Fma(V.Fma(V.Fma(q, magnitude, V.Splat(1.82390916687909736289E3)), magnitude,
                V.Splat(2.24633760818710981792E3)), magnitude, V.Splat(1.65666309194161350182E3)), magnitude,
                V.Splat(5.57535340817727675546E2));
        var far = V.Splat(1) - V.Exp(-(magnitude * magnitude)) * (p / q);
        return V.Select(V.Less(V.Abs(x), V.Splat(1)), near, V.Select(V.Less(x, V.Splat(0)), -far, far));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Poly<V>(V x, double a, double b, double c, double d, double e) where V : struct, ILanes<V> =>
        V.Fma(V.Fma(V.Fma(V.Fma(V.Splat(a), x, V.Splat(b)), x, V.Splat(c)), x, V.Splat(d)), x, V.Splat(e));
}
