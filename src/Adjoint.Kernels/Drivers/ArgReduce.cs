using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>What is sought: the first NaN where there is one, else the first of the extreme numbers.</summary>
public interface IExtremum
{
    /// <summary>Whether a later element takes the place of the best.</summary>
    static abstract bool Beats<T>(T x, T best) where T : unmanaged, INumber<T>;

    /// <summary>Whether none of several elements takes the place of the best, which is not NaN.</summary>
    static abstract bool NoneBeats<T>(Vector<T> x, Vector<T> best);
}

/// <summary>The largest.</summary>
public readonly struct LargestElement : IExtremum
{
    /// <inheritdoc/>
    public static bool Beats<T>(T x, T best) where T : unmanaged, INumber<T> =>
        x > best || T.IsNaN(x) && !T.IsNaN(best);

    /// <inheritdoc/>
    public static bool NoneBeats<T>(Vector<T> x, Vector<T> best) => Vector.LessThanOrEqualAll(x, best);
}

/// <summary>The smallest.</summary>
public readonly struct SmallestElement : IExtremum
{
    /// <inheritdoc/>
    public static bool Beats<T>(T x, T best) where T : unmanaged, INumber<T> =>
        x < best || T.IsNaN(x) && !T.IsNaN(best);

    /// <inheritdoc/>
    public static bool NoneBeats<T>(Vector<T> x, Vector<T> best) => Vector.GreaterThanOrEqualAll(x, best);
}

/// <summary>
/// Where the extreme element along an axis lies: contiguous x [outer, n, inner] → y [outer, inner], n ≥ 1. Along memory
/// whole vectors are compared with the best so far, and only one that beats it is looked at element by element.
/// </summary>
public static unsafe class ArgReduce
{
    // Elements of a chunk, whatever the thread count: they outweigh a hand-off.
    private const int ChunkLength = 16384;

    // Columns that one thread compares side by side.
    private const int BlockColumns = 512;

    /// <summary>Runs along the middle axis.</summary>
    /// <param name="x">The elements.</param>
    /// <param name="y">Where each extreme lies along the axis, from 0.</param>
    /// <param name="outer">Product of the sizes before the axis.</param>
    /// <param name="n">Size of the axis.</param>
    /// <param name="inner">Product of the sizes after it.</param>
    public static void Run<T, TExtremum>(T* x, long* y, nint outer, nint n, nint inner)
        where T : unmanaged, INumber<T> where TExtremum : struct, IExtremum
    {
        var blocks = (inner + BlockColumns - 1) / BlockColumns;
        var job = new Job<T, TExtremum>
        {
            X = x,
            Y = y,
            N = n,
            Inner = inner,
            Blocks = blocks,
            Units = outer * blocks,
            UnitsPerChunk = Math.Max(1, ChunkLength / Math.Max(1, n * Math.Min(inner, BlockColumns))),
        };
        Workers.For((int)((job.Units + job.UnitsPerChunk - 1) / job.UnitsPerChunk), ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Row<T, TExtremum>(T* x, nint n)
        where T : unmanaged, INumber<T> where TExtremum : struct, IExtremum
    {
        var (best, at, i) = (*x, (nint)0, (nint)1);
        var bound = new Vector<T>(best);
        // What beats the best becomes rare: most of the run is only compared.
        for (; i <= n - Vector<T>.Count && !T.IsNaN(best); i += Vector<T>.Count)
        {
            if (TExtremum.NoneBeats(Vector.Load(x + i), bound)) continue;
            for (var k = i; k < i + Vector<T>.Count; k++)
                if (TExtremum.Beats(x[k], best)) (best, at) = (x[k], k);
            bound = new(best);
        }
        for (; i < n && !T.IsNaN(best); i++)
            if (TExtremum.Beats(x[i], best)) (best, at) = (x[i], i);
        return at;
    }

    // Row by row, as they lie in memory, some columns at a time.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns<T, TExtremum>(T* x, long* y, nint n, nint inner, int columns)
        where T : unmanaged, INumber<T> where TExtremum : struct, IExtremum
    {
        var best = stackalloc T[columns];
        new Span<T>(x, columns).CopyTo(new(best, columns));
        new Span<long>(y, columns).Clear();
        for (nint j = 1; j < n; j++)
        {
            x += inner;
            for (var i = 0; i < columns; i++)
                if (TExtremum.Beats(x[i], best[i])) (best[i], y[i]) = (x[i], j);
        }
    }

    private struct Job<T, TExtremum> : IChunkJob where T : unmanaged, INumber<T> where TExtremum : struct, IExtremum
    {
        public T* X;
        public long* Y;
        public nint N;
        public nint Inner;
        public nint Blocks;
        public nint Units;
        public nint UnitsPerChunk;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var end = Math.Min(Units, (chunk + 1) * UnitsPerChunk);
            for (var unit = chunk * UnitsPerChunk; unit < end; unit++)
            {
                var (o, first) = (unit / Blocks, unit % Blocks * BlockColumns);
                var x = X + o * N * Inner + first;
                var y = Y + o * Inner + first;
                if (Inner == 1) *y = Row<T, TExtremum>(x, N);
                else Columns<T, TExtremum>(x, y, N, Inner, (int)Math.Min(BlockColumns, Inner - first));
            }
        }
    }
}
