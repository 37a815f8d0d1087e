using System.Numerics;

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

/// <summary>Where the extreme element of each run lies; x [outer, n, inner] → y [outer, inner], n ≥ 1.</summary>
public static unsafe class ArgReduce
{
    // A chunk is a matter of the work alone, never of the thread count; 16 K elements outweigh a hand-off.
    private const int Chunk = 16384, Columns = 512;

    /// <summary>Runs along the middle axis.</summary>
    public static void Run<T, TExtremum>(T* x, long* y, nint outer, nint n, nint inner)
        where T : unmanaged, INumber<T> where TExtremum : struct, IExtremum
    {
        var blocks = (inner + Columns - 1) / Columns;
        var job = new Job<T, TExtremum>
        {
            X = x,
            Y = y,
            N = n,
            Inner = inner,
            Blocks = blocks,
            Units = outer * blocks,
            UnitsEach = Math.Max(1, Chunk / Math.Max(1, n * Math.Min(inner, Columns))),
        };
        Workers.For((int)((job.Units + job.UnitsEach - 1) / job.UnitsEach), ref job);
    }

    private static long Along<T, TExtremum>(T* x, nint n)
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

    // Row by row, as they lie, for some columns at a time.
    private static void Across<T, TExtremum>(T* x, long* y, nint n, nint inner, int columns)
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
        public nint UnitsEach;

        public readonly void Run(int chunk)
        {
            var end = Math.Min(Units, (chunk + 1) * UnitsEach);
            for (var unit = chunk * UnitsEach; unit < end; unit++)
            {
                var (o, first) = (unit / Blocks, unit % Blocks * Columns);
                var x = X + o * N * Inner + first;
                var y = Y + o * Inner + first;
                if (Inner == 1) *y = Along<T, TExtremum>(x, N);
                else Across<T, TExtremum>(x, y, N, Inner, (int)Math.Min(Columns, Inner - first));
            }
        }
    }
}
