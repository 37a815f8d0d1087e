using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// What normalizations need of one row x of n elements: three numbers m, r, c with x̂ = (x − m)·r + c, where m is the
/// mean μ rounded to T, r = 1/√(σ² + ε), and c = −(μ − m)·r makes up for the rounding of the mean, so that no digit is
/// lost at large offsets. A row of one value has x̂ = 0, to the bit.
/// </summary>
internal static unsafe class RowMoments
{
    /// <summary>How many numbers are kept of each row.</summary>
    internal const int Count = 3;

    // Elements that lanes add up before they are added in double precision.
    private const int MaxRun = 8192;

    /// <summary>Writes m, r, c of a row with at least one element.</summary>
    /// <param name="x">The row.</param>
    /// <param name="n">Elements of the row.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="isCentered">Whether the mean is subtracted; otherwise m and c are 0, and σ² is mean(x²).</param>
    /// <param name="moments">m, r, c.</param>
    internal static void Find<V, T>(T* x, nint n, double epsilon, bool isCentered, T* moments)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (mean, rest) = (T.Zero, 0.0);
        if (isCentered)
        {
            // Of differences from the first element: where all are equal the mean is that element, to the bit.
            var deviation = Sum<V, T>(x, n, *x) / n;
            var first = double.CreateTruncating(*x);
            mean = T.CreateTruncating(first + deviation);
            rest = deviation - (double.CreateTruncating(mean) - first);
        }
        var variance = Math.Max(0, SumOfSquares<V, T>(x, n, mean) / n - rest * rest);
        var inverse = T.CreateTruncating(1 / Math.Sqrt(variance + epsilon));
        moments[0] = mean;
        moments[1] = inverse;
        moments[2] = T.CreateTruncating(-rest * double.CreateTruncating(inverse));
    }

    /// <summary>Σ h and Σ h·x̂ of a row, where h = g·scale.</summary>
    /// <param name="x">The row.</param>
    /// <param name="g">As many numbers.</param>
    /// <param name="scale">What g is multiplied with, element by element.</param>
    /// <param name="n">Elements of the row.</param>
    /// <param name="moments">m, r, c.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static (double Sum, double Dot) Products<V, T, TScale>(T* x, T* g, TScale scale, nint n, T* moments)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TScale : struct, IRowScale<T>
    {
        var (mean, inverse, shift) = (V.Splat(moments[0]), V.Splat(moments[1]), V.Splat(moments[2]));
        var (sum, dot, i) = (0.0, 0.0, (nint)0);
        while (n - i >= V.Count)
        {
            var last = Math.Min(n, i + MaxRun);
            V a = V.Splat(0), b = V.Splat(0), c = V.Splat(0), d = V.Splat(0);
            for (; i <= last - 2 * V.Count; i += 2 * V.Count)
            {
                var (h, k) = (scale.Of<V>(g, i), scale.Of<V>(g, i + V.Count));
                a += h;
                b += k;
                c = V.Fma(h, V.Fma(V.Load(x + i) - mean, inverse, shift), c);
                d = V.Fma(k, V.Fma(V.Load(x + i + V.Count) - mean, inverse, shift), d);
            }
            if (i <= last - V.Count)
            {
                var h = scale.Of<V>(g, i);
                a += h;
                c = V.Fma(h, V.Fma(V.Load(x + i) - mean, inverse, shift), c);
                i += V.Count;
            }
            sum += Total<V, T>(a + b);
            dot += Total<V, T>(c + d);
        }
        T p, q;
        for (; i < n; i++)
        {
            var h = scale.Of<Scalar<T>>(g, i);
            var normalized = Scalar<T>.Fma(new Scalar<T>(x[i]) - new Scalar<T>(moments[0]),
                new Scalar<T>(moments[1]), new Scalar<T>(moments[2]));
            Scalar<T>.Store(h, &p);
            Scalar<T>.Store(h * normalized, &q);
            sum += double.CreateTruncating(p);
            dot += double.CreateTruncating(q);
        }
        return (sum, dot);
    }

    // Σ (x − from).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Sum<V, T>(T* x, nint n, T from)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (sum, i, origin) = (0.0, (nint)0, V.Splat(from));
        while (n - i >= V.Count)
        {
            var last = Math.Min(n, i + MaxRun);
            V a = V.Splat(0), b = V.Splat(0), c = V.Splat(0), d = V.Splat(0);
            for (; i <= last - 4 * V.Count; i += 4 * V.Count)
            {
                a += V.Load(x + i) - origin;
                b += V.Load(x + i + V.Count) - origin;
                c += V.Load(x + i + 2 * V.Count) - origin;
                d += V.Load(x + i + 3 * V.Count) - origin;
            }
            for (; i <= last - V.Count; i += V.Count) a += V.Load(x + i) - origin;
            sum += Total<V, T>(a + b + (c + d));
        }
        for (; i < n; i++) sum += double.CreateTruncating(x[i] - from);
        return sum;
    }

    // Σ (x − from)².
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double SumOfSquares<V, T>(T* x, nint n, T from)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (sum, i, origin) = (0.0, (nint)0, V.Splat(from));
        while (n - i >= V.Count)
        {
            var last = Math.Min(n, i + MaxRun);
            V a = V.Splat(0), b = V.Splat(0), c = V.Splat(0), d = V.Splat(0);
            for (; i <= last - 4 * V.Count; i += 4 * V.Count)
            {
                var (p, q) = (V.Load(x + i) - origin, V.Load(x + i + V.Count) - origin);
                var (s, t) = (V.Load(x + i + 2 * V.Count) - origin, V.Load(x + i + 3 * V.Count) - origin);
                a = V.Fma(p, p, a);
                b = V.Fma(q, q, b);
                c = V.Fma(s, s, c);
                d = V.Fma(t, t, d);
            }
            for (; i <= last - V.Count; i += V.Count)
            {
                var p = V.Load(x + i) - origin;
                a = V.Fma(p, p, a);
            }
            sum += Total<V, T>(a + b + (c + d));
        }
        for (; i < n; i++)
        {
            var p = x[i] - from;
            sum += double.CreateTruncating(p * p);
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Total<V, T>(V lanes)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var values = stackalloc T[V.Count];
        V.Store(lanes, values);
        // Four chains hide the latency of one.
        var (a, b, c, d, i) = (0.0, 0.0, 0.0, 0.0, 0);
        for (; i <= V.Count - 4; i += 4)
        {
            a += double.CreateTruncating(values[i]);
            b += double.CreateTruncating(values[i + 1]);
            c += double.CreateTruncating(values[i + 2]);
            d += double.CreateTruncating(values[i + 3]);
        }
        for (; i < V.Count; i++) a += double.CreateTruncating(values[i]);
        return a + b + (c + d);
    }
}

/// <summary>What a gradient is multiplied with on its way into a normalization: a scale per column, or none.</summary>
internal unsafe interface IRowScale<T> where T : unmanaged
{
    /// <summary>Elements i, i + 1, … of g, multiplied.</summary>
    V Of<V>(T* g, nint i) where V : struct, ILanes<V, T>;
}

/// <summary>g·γ, one γ per column.</summary>
internal readonly unsafe struct ColumnScale<T>(T* gamma) : IRowScale<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Of<V>(T* g, nint i) where V : struct, ILanes<V, T> => V.Load(g + i) * V.Load(gamma + i);
}

/// <summary>g itself.</summary>
internal readonly unsafe struct NoScale<T> : IRowScale<T> where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Of<V>(T* g, nint i) where V : struct, ILanes<V, T> => V.Load(g + i);
}
