using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// What this machine can do at best, measured on the spot: fused multiply-adds from registers, and bytes from memory.
/// </summary>
public static class MachineLimits
{
    /// <summary>Floating-point operations per second of one core, at the widest vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double PeakFlops()
    {
        var best = 0.0;
        for (var round = 0; round < 20; round++)
        {
            const int Steps = 1_000_000;
            var start = Stopwatch.GetTimestamp();
            var lanes = Simd.Widest<float, int, MultiplyAdds>(new(Steps));
            best = Math.Max(best, 2.0 * 12 * lanes * Steps / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    /// <summary>
    /// Bytes per second of one core: a triad, x = y + 2z, over more than the caches hold, counting what is read,
    /// written, and read to be written.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static unsafe double Bandwidth()
    {
        const int Length = 16 << 20;
        var (x, y, z) = (new float[Length], new float[Length], new float[Length]);
        // Memory never written is one page of zeros, read from the cache.
        Array.Fill(y, 1);
        Array.Fill(z, 1);
        var best = 0.0;
        for (var round = 0; round < 8; round++)
        {
            var start = Stopwatch.GetTimestamp();
            fixed (float* px = x, py = y, pz = z) Zip.Run(new Triad(), py, pz, px, Length);
            best = Math.Max(best, 4.0 * Length * 4 / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    // Twelve independent chains hide the latency of the multiply-add.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static int Multiply<V>(int steps) where V : struct, ILanes<V, float>
    {
        V a = V.Splat(1), b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
        var (x, y) = (V.Splat(0.999f), V.Splat(0.001f));
        for (var step = 0; step < steps; step++)
        {
            a = V.Fma(a, x, y);
            b = V.Fma(b, x, y);
            c = V.Fma(c, x, y);
            d = V.Fma(d, x, y);
            e = V.Fma(e, x, y);
            f = V.Fma(f, x, y);
            g = V.Fma(g, x, y);
            h = V.Fma(h, x, y);
            i = V.Fma(i, x, y);
            j = V.Fma(j, x, y);
            k = V.Fma(k, x, y);
            l = V.Fma(l, x, y);
        }
        sink = (a + b + c + d + e + f + g + h + i + j + k + l).ToString()!.Length;
        return V.Count;
    }

    private readonly struct MultiplyAdds(int steps) : IVectorKernel<float, int>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public int Invoke<V>() where V : struct, ILanes<V, float> => Multiply<V>(steps);
    }

    private readonly struct Triad : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Fma(y, V.Splat(2), x);
    }

    private static int sink;
}
