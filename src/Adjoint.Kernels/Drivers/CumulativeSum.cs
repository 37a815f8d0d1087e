using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// y[o, k, i] = x[o, 0, i] + … + x[o, k, i], one after another, of floating x in float64: each result is rounded once,
/// so that float32 drifts in no axis, however long. Of whole numbers in int64, where they wrap.
/// </summary>
public static unsafe class CumulativeSum
{
    // Columns that one thread adds up side by side.
    private const int StripWidth = 64;
    private const int ChunkLength = 32768;

    /// <summary>Along the middle axis of contiguous x [outer, n, inner]; y is none of x.</summary>
    /// <param name="x">The terms.</param>
    /// <param name="y">The sums.</param>
    /// <param name="outer">How many blocks there are.</param>
    /// <param name="n">The length of the axis.</param>
    /// <param name="inner">How many run side by side.</param>
    /// <param name="isReversed">Whether it begins at the end: y[k] = x[n − 1] + … + x[k].</param>
    public static void Run<T>(T* x, T* y, nint outer, nint n, nint inner, bool isReversed)
        where T : unmanaged, INumber<T>
    {
        // −0 is what leaves a first −0 as it is.
        if (typeof(T) == typeof(long)) Run(x, y, 0L, outer, n, inner, isReversed);
        else Run(x, y, -0.0, outer, n, inner, isReversed);
    }

    private static void Run<T, TSum>(T* x, T* y, TSum identity, nint outer, nint n, nint inner, bool isReversed)
        where T : unmanaged, INumber<T> where TSum : unmanaged, INumber<TSum>
    {
        if (outer == 0 || n == 0 || inner == 0) return;
        var strips = (inner + StripWidth - 1) / StripWidth;
        var job = new Job<T, TSum>
        {
            Identity = identity,
            X = x,
            Y = y,
            N = n,
            Inner = inner,
            Strips = strips,
            Units = outer * strips,
            UnitsPerChunk = Math.Max(1, ChunkLength / (n * Math.Min(inner, StripWidth))),
            IsReversed = isReversed,
        };
        Workers.For((int)((job.Units + job.UnitsPerChunk - 1) / job.UnitsPerChunk), ref job);
    }

    private struct Job<T, TSum> : IChunkJob
        where T : unmanaged, INumber<T> where TSum : unmanaged, INumber<TSum>
    {
        public T* X, Y;
        public TSum Identity;
        public nint N, Inner, Strips, Units, UnitsPerChunk;
        public bool IsReversed;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var last = Math.Min(Units, (chunk + 1) * UnitsPerChunk);
            for (var strip = chunk * UnitsPerChunk; strip < last; strip++)
            {
                var column = strip % Strips * StripWidth;
                var at = strip / Strips * N * Inner + column + (IsReversed ? (N - 1) * Inner : 0);
                if (Inner == 1) Row(at);
                else Columns(at, Math.Min(StripWidth, Inner - column));
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Row(nint at)
        {
            var (sum, step) = (Identity, (nint)(IsReversed ? -1 : 1));
            for (nint k = 0; k < N; k++, at += step)
            {
                sum += TSum.CreateTruncating(X[at]);
                Y[at] = T.CreateTruncating(sum);
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Columns(nint at, nint width)
        {
            var sums = stackalloc TSum[StripWidth];
            new Span<TSum>(sums, StripWidth).Fill(Identity);
            var step = IsReversed ? -Inner : Inner;
            for (nint k = 0; k < N; k++, at += step)
                for (nint i = 0; i < width; i++)
                {
                    sums[i] += TSum.CreateTruncating(X[at + i]);
                    Y[at + i] = T.CreateTruncating(sums[i]);
                }
        }
    }
}
