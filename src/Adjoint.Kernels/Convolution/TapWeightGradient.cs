using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>Sums of a few taps for a vector of filters, kept in registers while they pass over an image. Spelled out, because the compiler keeps arrays out of registers.</summary>
internal unsafe interface ITapTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Rows of filters, of any channel, at a time.</summary>
    static abstract int Rows { get; }

    /// <summary>Taps of a row: the kernel's width.</summary>
    static abstract int Columns { get; }

    /// <summary>sums [Rows × Columns] += Σ over positions slopes[position] · image[offsets[row] + column at position].</summary>
    static abstract void Run(int height, int width, T* image, nint* offsets, nint step, T* slopes, T* sums);
}

/// <summary>
/// dw with a lane for each filter: g lies position by position, a vector of filters each, and is multiplied by inputs read where they lie in the padded image.
/// Nothing is gathered and nothing summed across lanes. For stride and dilation 1 and filters that fill their vectors.
/// </summary>
internal static unsafe class TapWeightGradient<V, T, TTile> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITapTile<V, T>
{
    private const int LeastJobs = 8;

    internal static void Run(in ConvShape shape, T* x, T* g, T* dw)
    {
        var (filters, taps) = (shape.GroupFilters, shape.Taps);
        var length = (nint)shape.Filters * taps;
        new Span<T>(dw, (int)length).Clear();
        if (shape.Samples == 0 || shape.Positions == 0 || length == 0) return;
        var image = new PaddedImage(shape.GroupChannels, shape.Height, shape.Width, shape.PadHeight, shape.PadWidth, shape, 1, 1, shape.OutHeight, shape.OutWidth);
        var vectors = (filters + V.Count - 1) / V.Count;
        var rows = shape.GroupChannels * shape.KernelHeight;
        var blocks = (rows + TTile.Rows - 1) / TTile.Rows;
        var sampleGroups = Math.Clamp((LeastJobs + vectors * shape.Groups - 1) / (vectors * shape.Groups), 1, shape.Samples);
        // Rows beyond the last repeat it; their sums are left.
        var offsets = new nint[blocks * TTile.Rows];
        for (var row = 0; row < offsets.Length; row++) offsets[row] = image.Tap(Math.Min(row, rows - 1) * shape.KernelWidth);
        fixed (nint* taken = offsets)
        {
            var job = new Job
            {
                Shape = shape,
                Image = image,
                X = x,
                G = g,
                Offsets = taken,
                Vectors = vectors,
                Blocks = blocks,
                Length = length,
                SampleGroups = sampleGroups,
                Sums = PackBuffer.Rent<T>(2, length * sampleGroups),
            };
            new Span<T>(job.Sums, (int)(length * sampleGroups)).Clear();
            Workers.For(vectors * shape.Groups * sampleGroups, ref job);
            PartialSums.AddTo(dw, job.Sums, length, sampleGroups);
        }
    }

    private struct Job : IChunkJob
    {
        // Bytes of images and gradients that stay in the second-level cache while all taps pass over them.
        private const int VisitBytes = 256 << 10;

        public ConvShape Shape;
        public PaddedImage Image;
        public T* X;
        public T* G;
        public T* Sums;
        public nint* Offsets;
        public nint Length;
        public int Vectors, Blocks, SampleGroups;

        public readonly void Run(int chunk)
        {
            var vector = chunk % Vectors;
            var group = chunk / Vectors % Shape.Groups;
            var sampleGroup = chunk / Vectors / Shape.Groups;
            var (first, firstFilter) = ((int)((long)sampleGroup * Shape.Samples / SampleGroups), vector * V.Count);
            var samples = (int)((sampleGroup + 1L) * Shape.Samples / SampleGroups) - first;
            var count = Math.Min(V.Count, Shape.GroupFilters - firstFilter);
            var (height, width) = (Shape.OutHeight, Shape.OutWidth);
            var plane = (nint)height * width * V.Count;
            var visit = (int)Math.Clamp(VisitBytes / ((Image.Length + plane) * sizeof(T)), 1, samples);
            var images = PackBuffer.Rent<T>(4, visit * Image.Length);
            var slopes = PackBuffer.Rent<T>(1, visit * plane);
            var block = (nint)TTile.Rows * TTile.Columns * V.Count;
            var sums = PackBuffer.Rent<T>(3, Blocks * block);
            new Span<T>(sums, (int)(Blocks * block)).Clear();
            for (var start = 0; start < samples; start += visit)
            {
                var here = Math.Min(visit, samples - start);
                for (var s = 0; s < here; s++)
                {
                    var index = (nint)(first + start + s) * Shape.Groups + group;
                    Image.Fill(X + index * Shape.GroupChannels * Shape.Height * Shape.Width, images + s * Image.Length);
                    Packing.Panel(G + (index * Shape.GroupFilters + firstFilter) * Shape.Positions, Shape.Positions, true, count, V.Count, Shape.Positions, slopes + s * plane);
                }
                for (var b = 0; b < Blocks; b++)
                    for (var s = 0; s < here; s++)
                        TTile.Run(height, width, images + s * Image.Length, Offsets + (nint)b * TTile.Rows, Image.RowStep, slopes + s * plane, sums + b * block);
            }
            var to = Sums + sampleGroup * Length + ((nint)group * Shape.GroupFilters + firstFilter) * Shape.Taps;
            Packing.Transpose(sums, V.Count, Shape.Taps, count, to, Shape.Taps);
        }
    }
}

/// <summary>Five rows of five taps.</summary>
internal readonly unsafe struct TapTile5x5<V, T> : ITapTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 5;

    public static int Columns => 5;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(int height, int width, T* image, nint* offsets, nint step, T* slopes, T* sums)
    {
        var x0 = image + offsets[0];
        var x1 = image + offsets[1];
        var x2 = image + offsets[2];
        var x3 = image + offsets[3];
        var x4 = image + offsets[4];
        var a0 = V.Load(sums + 0 * V.Count);
        var a1 = V.Load(sums + 1 * V.Count);
        var a2 = V.Load(sums + 2 * V.Count);
        var a3 = V.Load(sums + 3 * V.Count);
        var a4 = V.Load(sums + 4 * V.Count);
        var a5 = V.Load(sums + 5 * V.Count);
        var a6 = V.Load(sums + 6 * V.Count);
        var a7 = V.Load(sums + 7 * V.Count);
        var a8 = V.Load(sums + 8 * V.Count);
        var a9 = V.Load(sums + 9 * V.Count);
        var a10 = V.Load(sums + 10 * V.Count);
        var a11 = V.Load(sums + 11 * V.Count);
        var a12 = V.Load(sums + 12 * V.Count);
        var a13 = V.Load(sums + 13 * V.Count);
        var a14 = V.Load(sums + 14 * V.Count);
        var a15 = V.Load(sums + 15 * V.Count);
        var a16 = V.Load(sums + 16 * V.Count);
        var a17 = V.Load(sums + 17 * V.Count);
        var a18 = V.Load(sums + 18 * V.Count);
        var a19 = V.Load(sums + 19 * V.Count);
        var a20 = V.Load(sums + 20 * V.Count);
        var a21 = V.Load(sums + 21 * V.Count);
        var a22 = V.Load(sums + 22 * V.Count);
        var a23 = V.Load(sums + 23 * V.Count);
        var a24 = V.Load(sums + 24 * V.Count);
        for (var row = 0; row < height; row++)
        {
            for (nint column = 0; column < width; column++)
            {
                var g = V.Load(slopes);
                slopes += V.Count;
                a0 = V.FmaSplat(g, x0 + column, a0);
                a1 = V.FmaSplat(g, x0 + column + 1, a1);
                a2 = V.FmaSplat(g, x0 + column + 2, a2);
                a3 = V.FmaSplat(g, x0 + column + 3, a3);
                a4 = V.FmaSplat(g, x0 + column + 4, a4);
                a5 = V.FmaSplat(g, x1 + column, a5);
                a6 = V.FmaSplat(g, x1 + column + 1, a6);
                a7 = V.FmaSplat(g, x1 + column + 2, a7);
                a8 = V.FmaSplat(g, x1 + column + 3, a8);
                a9 = V.FmaSplat(g, x1 + column + 4, a9);
                a10 = V.FmaSplat(g, x2 + column, a10);
                a11 = V.FmaSplat(g, x2 + column + 1, a11);
                a12 = V.FmaSplat(g, x2 + column + 2, a12);
                a13 = V.FmaSplat(g, x2 + column + 3, a13);
                a14 = V.FmaSplat(g, x2 + column + 4, a14);
                a15 = V.FmaSplat(g, x3 + column, a15);
                a16 = V.FmaSplat(g, x3 + column + 1, a16);
                a17 = V.FmaSplat(g, x3 + column + 2, a17);
                a18 = V.FmaSplat(g, x3 + column + 3, a18);
                a19 = V.FmaSplat(g, x3 + column + 4, a19);
                a20 = V.FmaSplat(g, x4 + column, a20);
                a21 = V.FmaSplat(g, x4 + column + 1, a21);
                a22 = V.FmaSplat(g, x4 + column + 2, a22);
                a23 = V.FmaSplat(g, x4 + column + 3, a23);
                a24 = V.FmaSplat(g, x4 + column + 4, a24);
            }
            x0 += step;
            x1 += step;
            x2 += step;
            x3 += step;
            x4 += step;
        }
        V.Store(a0, sums + 0 * V.Count);
        V.Store(a1, sums + 1 * V.Count);
        V.Store(a2, sums + 2 * V.Count);
        V.Store(a3, sums + 3 * V.Count);
        V.Store(a4, sums + 4 * V.Count);
        V.Store(a5, sums + 5 * V.Count);
        V.Store(a6, sums + 6 * V.Count);
        V.Store(a7, sums + 7 * V.Count);
        V.Store(a8, sums + 8 * V.Count);
        V.Store(a9, sums + 9 * V.Count);
        V.Store(a10, sums + 10 * V.Count);
        V.Store(a11, sums + 11 * V.Count);
        V.Store(a12, sums + 12 * V.Count);
        V.Store(a13, sums + 13 * V.Count);
        V.Store(a14, sums + 14 * V.Count);
        V.Store(a15, sums + 15 * V.Count);
        V.Store(a16, sums + 16 * V.Count);
        V.Store(a17, sums + 17 * V.Count);
        V.Store(a18, sums + 18 * V.Count);
        V.Store(a19, sums + 19 * V.Count);
        V.Store(a20, sums + 20 * V.Count);
        V.Store(a21, sums + 21 * V.Count);
        V.Store(a22, sums + 22 * V.Count);
        V.Store(a23, sums + 23 * V.Count);
        V.Store(a24, sums + 24 * V.Count);
    }
}

/// <summary>Eight rows of three taps.</summary>
internal readonly unsafe struct TapTile8x3<V, T> : ITapTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    public static int Rows => 8;

    public static int Columns => 3;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(int height, int width, T* image, nint* offsets, nint step, T* slopes, T* sums)
    {
        var x0 = image + offsets[0];
        var x1 = image + offsets[1];
        var x2 = image + offsets[2];
        var x3 = image + offsets[3];
        var x4 = image + offsets[4];
        var x5 = image + offsets[5];
        var x6 = image + offsets[6];
        var x7 = image + offsets[7];
        var a0 = V.Load(sums + 0 * V.Count);
        var a1 = V.Load(sums + 1 * V.Count);
        var a2 = V.Load(sums + 2 * V.Count);
        var a3 = V.Load(sums + 3 * V.Count);
        var a4 = V.Load(sums + 4 * V.Count);
        var a5 = V.Load(sums + 5 * V.Count);
        var a6 = V.Load(sums + 6 * V.Count);
        var a7 = V.Load(sums + 7 * V.Count);
        var a8 = V.Load(sums + 8 * V.Count);
        var a9 = V.Load(sums + 9 * V.Count);
        var a10 = V.Load(sums + 10 * V.Count);
        var a11 = V.Load(sums + 11 * V.Count);
        var a12 = V.Load(sums + 12 * V.Count);
        var a13 = V.Load(sums + 13 * V.Count);
        var a14 = V.Load(sums + 14 * V.Count);
        var a15 = V.Load(sums + 15 * V.Count);
        var a16 = V.Load(sums + 16 * V.Count);
        var a17 = V.Load(sums + 17 * V.Count);
        var a18 = V.Load(sums + 18 * V.Count);
        var a19 = V.Load(sums + 19 * V.Count);
        var a20 = V.Load(sums + 20 * V.Count);
        var a21 = V.Load(sums + 21 * V.Count);
        var a22 = V.Load(sums + 22 * V.Count);
        var a23 = V.Load(sums + 23 * V.Count);
        for (var row = 0; row < height; row++)
        {
            for (nint column = 0; column < width; column++)
            {
                var g = V.Load(slopes);
                slopes += V.Count;
                a0 = V.FmaSplat(g, x0 + column, a0);
                a1 = V.FmaSplat(g, x0 + column + 1, a1);
                a2 = V.FmaSplat(g, x0 + column + 2, a2);
                a3 = V.FmaSplat(g, x1 + column, a3);
                a4 = V.FmaSplat(g, x1 + column + 1, a4);
                a5 = V.FmaSplat(g, x1 + column + 2, a5);
                a6 = V.FmaSplat(g, x2 + column, a6);
                a7 = V.FmaSplat(g, x2 + column + 1, a7);
                a8 = V.FmaSplat(g, x2 + column + 2, a8);
                a9 = V.FmaSplat(g, x3 + column, a9);
                a10 = V.FmaSplat(g, x3 + column + 1, a10);
                a11 = V.FmaSplat(g, x3 + column + 2, a11);
                a12 = V.FmaSplat(g, x4 + column, a12);
                a13 = V.FmaSplat(g, x4 + column + 1, a13);
                a14 = V.FmaSplat(g, x4 + column + 2, a14);
                a15 = V.FmaSplat(g, x5 + column, a15);
                a16 = V.FmaSplat(g, x5 + column + 1, a16);
                a17 = V.FmaSplat(g, x5 + column + 2, a17);
                a18 = V.FmaSplat(g, x6 + column, a18);
                a19 = V.FmaSplat(g, x6 + column + 1, a19);
                a20 = V.FmaSplat(g, x6 + column + 2, a20);
                a21 = V.FmaSplat(g, x7 + column, a21);
                a22 = V.FmaSplat(g, x7 + column + 1, a22);
                a23 = V.FmaSplat(g, x7 + column + 2, a23);
            }
            x0 += step;
            x1 += step;
            x2 += step;
            x3 += step;
            x4 += step;
            x5 += step;
            x6 += step;
            x7 += step;
        }
        V.Store(a0, sums + 0 * V.Count);
        V.Store(a1, sums + 1 * V.Count);
        V.Store(a2, sums + 2 * V.Count);
        V.Store(a3, sums + 3 * V.Count);
        V.Store(a4, sums + 4 * V.Count);
        V.Store(a5, sums + 5 * V.Count);
        V.Store(a6, sums + 6 * V.Count);
        V.Store(a7, sums + 7 * V.Count);
        V.Store(a8, sums + 8 * V.Count);
        V.Store(a9, sums + 9 * V.Count);
        V.Store(a10, sums + 10 * V.Count);
        V.Store(a11, sums + 11 * V.Count);
        V.Store(a12, sums + 12 * V.Count);
        V.Store(a13, sums + 13 * V.Count);
        V.Store(a14, sums + 14 * V.Count);
        V.Store(a15, sums + 15 * V.Count);
        V.Store(a16, sums + 16 * V.Count);
        V.Store(a17, sums + 17 * V.Count);
        V.Store(a18, sums + 18 * V.Count);
        V.Store(a19, sums + 19 * V.Count);
        V.Store(a20, sums + 20 * V.Count);
        V.Store(a21, sums + 21 * V.Count);
        V.Store(a22, sums + 22 * V.Count);
        V.Store(a23, sums + 23 * V.Count);
    }
}
