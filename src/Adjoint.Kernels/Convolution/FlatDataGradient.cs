using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// ∂L/∂x of a convolution without padding, stride or dilation, for few channels. Rows of g are laid out as far apart as rows of x: the K − 1 zeros between two of them serve as the right
/// margin of the one and the left margin of the next. So x is one long row, vectors run across its rows, and taps whose rows of g are all margin are passed over.
/// </summary>
internal static unsafe class FlatDataGradient<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int LeastJobs = 16;

    private static int Rows => DirectTile6x2<V, T>.Rows;

    private static int Positions => DirectTile6x2<V, T>.Vectors * V.Count;

    internal static bool Covers(in ConvShape shape) => shape is { StrideHeight: 1, StrideWidth: 1, DilationHeight: 1, DilationWidth: 1, PadHeight: 0, PadWidth: 0 } && shape.GroupChannels <= 2 * Rows;

    internal static void Run(in ConvShape shape, T* g, T* w, T* dx)
    {
        if (shape.Samples == 0) return;
        var (height, width, channels, filters) = (shape.KernelHeight, shape.KernelWidth, shape.GroupChannels, shape.GroupFilters);
        var tiles = (channels + Rows - 1) / Rows;
        var taps = height * filters * width;
        var plane = ((nint)shape.OutHeight + 2 * (height - 1)) * shape.Width;
        // Taps of one row of filters follow each other, so that a range of rows is a range of taps.
        var packed = PackBuffer.Rent<T>(0, (nint)shape.Groups * tiles * taps * Rows);
        new Span<T>(packed, shape.Groups * tiles * taps * Rows).Clear();
        var offsets = new nint[taps];
        var tap = 0;
        for (var ky = 0; ky < height; ky++)
            for (var f = 0; f < filters; f++)
                for (var kx = 0; kx < width; kx++) offsets[tap++] = f * plane + (nint)ky * shape.Width + kx;
        for (var group = 0; group < shape.Groups; group++)
            for (var f = 0; f < filters; f++)
                for (var c = 0; c < channels; c++)
                {
                    var from = w + (((nint)group * filters + f) * channels + c) * height * width + height * width;
                    var to = packed + ((nint)group * tiles + c / Rows) * taps * Rows + c % Rows;
                    for (var ky = 0; ky < height; ky++)
                        for (var kx = 0; kx < width; kx++) to[((nint)(ky * filters + f) * width + kx) * Rows] = *--from;
                }
        fixed (nint* taken = offsets)
        {
            var (images, jobs) = (shape.Samples * shape.Groups, Math.Min(LeastJobs, shape.Samples * shape.Groups));
            var job = new Job { Shape = shape, G = g, Packed = packed, Offsets = taken, DX = dx, Tiles = tiles, Plane = plane, Images = images, Jobs = jobs };
            Workers.For(jobs, ref job);
        }
    }

    private struct Job : IChunkJob
    {
        public ConvShape Shape;
        public T* G;
        public T* Packed;
        public nint* Offsets;
        public T* DX;
        public nint Plane;
        public int Tiles, Images, Jobs;

        public readonly void Run(int chunk)
        {
            // Vectors at the end read beyond the last plane. Margins stay zero from image to image.
            var length = Shape.GroupFilters * Plane + Positions + Shape.KernelWidth;
            var slopes = PackBuffer.Rent<T>(4, length);
            new Span<T>(slopes, (int)length).Clear();
            for (var index = (long)chunk * Images / Jobs; index < (chunk + 1L) * Images / Jobs; index++)
                Image((int)index, slopes);
        }

        private readonly void Image(int index, T* slopes)
        {
            var (height, width, filters) = (Shape.KernelHeight, Shape.KernelWidth, Shape.GroupFilters);
            var (outHeight, outWidth) = (Shape.OutHeight, Shape.OutWidth);
            for (var f = 0; f < filters; f++)
                for (var row = 0; row < outHeight; row++)
                    Packing.CopyRow(G + (((nint)index * filters + f) * outHeight + row) * outWidth, slopes + f * Plane + ((nint)row + height - 1) * Shape.Width + width - 1, outWidth);

            var all = Shape.Height * Shape.Width;
            var tile = stackalloc T[Rows * Positions];
            var starts = stackalloc T*[2];
            for (var first = 0; first < all; first += Positions)
            {
                var (top, bottom) = (first / Shape.Width, (Math.Min(first + Positions, all) - 1) / Shape.Width);
                var (firstRow, lastRow) = (Math.Max(0, height - 1 - bottom), Math.Min(height - 1, height - 2 + outHeight - top));
                var at = (nint)firstRow * filters * width;
                starts[0] = slopes + first;
                starts[1] = slopes + first + V.Count;
                for (var t = 0; t < Tiles; t++)
                {
                    DirectTile6x2<V, T>.Run<OneRow<V, T>>((lastRow - firstRow + 1) * filters * width, Packed + (((nint)(index % Shape.Groups) * Tiles + t) * height * filters * width + at) * Rows, starts, Offsets + at, 0, tile);
                    for (var c = 0; c < Math.Min(Rows, Shape.GroupChannels - t * Rows); c++)
                    {
                        var to = DX + ((nint)index * Shape.GroupChannels + t * Rows + c) * all + first;
                        for (var v = 0; v < 2; v++) Put(V.Load(tile + (2 * c + v) * V.Count), to + v * V.Count, all - first - v * V.Count);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Put(V x, T* to, int room)
        {
            if (room >= V.Count) V.Store(x, to);
            else if (room > 0) V.StoreFirst(x, to, room);
        }
    }
}
