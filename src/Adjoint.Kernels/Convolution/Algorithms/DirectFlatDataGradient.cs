using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Direct data gradient of a convolution without padding, stride or dilation, with H and W flattened to one axis. Rows
/// of g are laid out as far apart as rows of x: the S − 1 zeros between two of them are the right halo of the one and
/// the left halo of the next. So x is one long row, vectors run across the ends of its rows, and taps whose rows of g
/// are all halo are passed over. For few channels.
/// </summary>
internal sealed unsafe class DirectFlatDataGradient<T>() : ConvAlgorithm<T>("direct-flat")
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int MinJobs = 16;

    // Of the micro-kernel, whose size fits every instruction set.
    private static int MR => MicroKernel6x2.MR;

    private static int Vectors => MicroKernel6x2.Vectors;

    internal override bool Supports(in ConvShape shape) =>
        shape is { IsDense: true, PadHeight: 0, PadWidth: 0 } && Taps(shape) <= MaxTaps;

    internal override bool IsPreferred(in ConvShape shape) => shape.GroupChannels <= 2 * MR;

    internal override nint ScratchBytes(in ConvShape shape) => (PackedLength(shape) + ImageLength(shape)) * sizeof(T);

    internal override void Run(in ConvShape shape, T* input, T* other, T* bias, T* output) =>
        Simd.Widest<T, Kernel>(new(shape, input, other, output));

    // Of one channel's gradient.
    private static long Taps(in ConvShape shape) => (long)shape.GroupFilters * shape.KernelHeight * shape.KernelWidth;

    private static int RowTiles(in ConvShape shape) => (shape.GroupChannels + MR - 1) / MR;

    private static nint PackedLength(in ConvShape shape) =>
        (nint)shape.Groups * RowTiles(shape) * (nint)Taps(shape) * MR;

    // Of a filter: g's rows between the halos above and below.
    private static nint Plane(in ConvShape shape) =>
        ((nint)shape.OutHeight + 2 * (shape.KernelHeight - 1)) * shape.Width;

    // Vectors at the end read beyond the last plane.
    private static nint ImageLength(in ConvShape shape) =>
        shape.GroupFilters * Plane(shape) + Vectors * Lanes + shape.KernelWidth;

    private readonly struct Kernel(in ConvShape shape, T* g, T* w, T* dx) : IVectorKernel<T>
    {
        private readonly ConvShape shape = shape;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Run<V>(shape, g, w, dx);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<V>(in ConvShape shape, T* g, T* w, T* dx) where V : struct, ILanes<V, T>
    {
        if (shape.Samples == 0) return;
        var (height, width, filters) = (shape.KernelHeight, shape.KernelWidth, shape.GroupFilters);
        using var packed = Scratch.Rent<T>(ScratchSlot.PackedA, PackedLength(shape));
        Pack(shape, w, packed.Pointer);
        var offsets = new nint[(int)Taps(shape)];
        var tap = 0;
        for (var r = 0; r < height; r++)
            for (var f = 0; f < filters; f++)
                for (var s = 0; s < width; s++) offsets[tap++] = f * Plane(shape) + (nint)r * shape.Width + s;
        fixed (nint* taps = offsets)
        {
            var images = shape.Samples * shape.Groups;
            var job = new Job<V>
            {
                Shape = shape,
                G = g,
                Packed = packed.Pointer,
                TapOffsets = taps,
                DX = dx,
                RowTiles = RowTiles(shape),
                Plane = Plane(shape),
                Images = images,
                Jobs = Math.Min(MinJobs, images),
            };
            Workers.For(job.Jobs, ref job);
        }
    }

    // [group][tile][r][filter][s][channel], rotated by half a turn. Taps of one row of filters follow each other, so
    // that a range of rows is a range of taps.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pack(in ConvShape shape, T* w, T* to)
    {
        var (height, width) = (shape.KernelHeight, shape.KernelWidth);
        var (channels, filters) = (shape.GroupChannels, shape.GroupFilters);
        var (tiles, taps) = (RowTiles(shape), height * filters * width);
        new Span<T>(to, (int)PackedLength(shape)).Clear();
        for (var group = 0; group < shape.Groups; group++)
            for (var f = 0; f < filters; f++)
                for (var c = 0; c < channels; c++)
                {
                    var source = w + (((nint)group * filters + f) * channels + c + 1) * height * width;
                    var target = to + ((nint)group * tiles + c / MR) * taps * MR + c % MR;
                    for (var r = 0; r < height; r++)
                        for (var s = 0; s < width; s++)
                            target[((nint)(r * filters + f) * width + s) * MR] = *--source;
                }
    }

    private struct Job<V> : IChunkJob where V : struct, ILanes<V, T>
    {
        public ConvShape Shape;
        public T* G;
        public T* Packed;
        public nint* TapOffsets;
        public T* DX;
        public nint Plane;
        public int RowTiles, Images, Jobs;

        // Elements of a row of the micro-kernel.
        private static int NR => Vectors * V.Count;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            // Halos stay zero from image to image.
            var length = ImageLength(Shape);
            using var gradients = Scratch.Rent<T>(ScratchSlot.Image, length);
            new Span<T>(gradients.Pointer, (int)length).Clear();
            for (var index = (long)chunk * Images / Jobs; index < (chunk + 1L) * Images / Jobs; index++)
                Image((int)index, gradients.Pointer);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Image(int index, T* gradients)
        {
            var (height, width, filters) = (Shape.KernelHeight, Shape.KernelWidth, Shape.GroupFilters);
            var (outHeight, outWidth) = (Shape.OutHeight, Shape.OutWidth);
            for (var f = 0; f < filters; f++)
                for (var row = 0; row < outHeight; row++)
                    Packing.CopyRow(
                        G + (((nint)index * filters + f) * outHeight + row) * outWidth,
                        gradients + f * Plane + ((nint)row + height - 1) * Shape.Width + width - 1, outWidth);

            var length = Shape.Height * Shape.Width;
            var tile = stackalloc T[MR * NR];
            var inputs = stackalloc T*[Vectors];
            for (var first = 0; first < length; first += NR)
            {
                // Rows of filters that meet rows of g.
                var (top, bottom) = (first / Shape.Width, (Math.Min(first + NR, length) - 1) / Shape.Width);
                var firstRow = Math.Max(0, height - 1 - bottom);
                var lastRow = Math.Min(height - 1, height - 2 + outHeight - top);
                var tap = (nint)firstRow * filters * width;
                for (var v = 0; v < Vectors; v++) inputs[v] = gradients + first + v * V.Count;
                for (var t = 0; t < RowTiles; t++)
                {
                    var packed = ((nint)(index % Shape.Groups) * RowTiles + t) * height * filters * width + tap;
                    DirectTile<MicroKernel6x2, V, T, OneRow<V, T>>.Run(
                        (lastRow - firstRow + 1) * filters * width, Packed + packed * MR, inputs, TapOffsets + tap, 0,
                        tile);
                    for (var c = 0; c < Math.Min(MR, Shape.GroupChannels - t * MR); c++)
                    {
                        var to = DX + ((nint)index * Shape.GroupChannels + t * MR + c) * length + first;
                        for (var v = 0; v < Vectors; v++)
                            Store(
                                V.Load(tile + (Vectors * c + v) * V.Count), to + v * V.Count,
                                length - first - v * V.Count);
                    }
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store(V x, T* to, int room)
        {
            if (room >= V.Count) V.Store(x, to);
            else if (room > 0) V.StoreFirst(x, to, room);
        }
    }
}
