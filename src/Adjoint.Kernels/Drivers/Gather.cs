using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>Chooses elements, or rows of them, by numbers in memory, which must lie in 0 … size − 1.</summary>
public static unsafe class Gather
{
    /// <summary>
    /// y[o, j, i] = x[o, index[o, j, i], i]; x [outer, size, inner], index and y [outer, count, inner].
    /// </summary>
    /// <param name="x">What is chosen from.</param>
    /// <param name="index">Places along the middle axis of x.</param>
    /// <param name="y">What is chosen; does not overlap x.</param>
    /// <param name="outer">Product of the sizes before the axis.</param>
    /// <param name="size">Size of the axis in x.</param>
    /// <param name="count">Size of the axis in y.</param>
    /// <param name="inner">Product of the sizes after it.</param>
    public static void Elements<T>(T* x, long* index, T* y, nint outer, nint size, nint count, nint inner)
        where T : unmanaged
    {
        var job = new ElementJob<T>
        {
            Chunks = new(outer * count, inner),
            X = x,
            Index = index,
            Y = y,
            Size = size,
            Count = count,
            Inner = inner,
        };
        Workers.For(job.Chunks.Count, ref job);
    }

    /// <summary>
    /// y[o, j] = x[o, index[j]], each a row; x [outer, size, inner], index [count], y [outer, count, inner].
    /// </summary>
    /// <param name="x">What is chosen from.</param>
    /// <param name="index">Places along the middle axis of x.</param>
    /// <param name="y">What is chosen; does not overlap x.</param>
    /// <param name="outer">Product of the sizes before the axis.</param>
    /// <param name="size">Size of the axis in x.</param>
    /// <param name="count">Size of the axis in y.</param>
    /// <param name="inner">Product of the sizes after it.</param>
    public static void Rows<T>(T* x, long* index, T* y, nint outer, nint size, nint count, nint inner)
        where T : unmanaged
    {
        var job = new RowJob<T>
        {
            Chunks = new(outer * count, inner),
            X = x,
            Index = index,
            Y = y,
            Size = size,
            Count = count,
            Inner = inner,
        };
        Workers.For(job.Chunks.Count, ref job);
    }

    private struct ElementJob<T> : IChunkJob where T : unmanaged
    {
        public RowChunks Chunks;
        public T* X;
        public long* Index;
        public T* Y;
        public nint Size;
        public nint Count;
        public nint Inner;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (row, end, first, last) = Chunks[chunk];
            while (row < end)
            {
                // The rows of one o, which look at the same part of x.
                var x = X + row / Count * Size * Inner;
                var stop = Math.Min(end, (row / Count + 1) * Count);
                if (Inner == 1)
                    for (; row < stop; row++) Y[row] = x[Index[row]];
                else
                    for (; row < stop; row++)
                        for (var i = row * Inner + first; i < row * Inner + last; i++)
                            Y[i] = x[(nint)Index[i] * Inner + (i - row * Inner)];
            }
        }
    }

    private struct RowJob<T> : IChunkJob where T : unmanaged
    {
        public RowChunks Chunks;
        public T* X;
        public long* Index;
        public T* Y;
        public nint Size;
        public nint Count;
        public nint Inner;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (row, end, first, last) = Chunks[chunk];
            while (row < end)
            {
                var o = row / Count;
                var x = X + o * Size * Inner;
                var index = Index - o * Count;
                var stop = Math.Min(end, (o + 1) * Count);
                if (Inner == 1)
                    for (; row < stop; row++) Y[row] = x[index[row]];
                else
                    for (; row < stop; row++)
                        new Span<T>(x + (nint)index[row] * Inner + first, (int)(last - first))
                            .CopyTo(new Span<T>(Y + row * Inner + first, (int)(last - first)));
            }
        }
    }
}
