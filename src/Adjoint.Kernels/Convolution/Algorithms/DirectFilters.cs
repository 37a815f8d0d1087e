using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Direct convolution with a lane for each filter (the blocked layout KRSC16k of CPU libraries): the sums of ten
/// neighboring outputs in each of two rows stay in registers, 20 vectors of filters, and every input is read where it
/// lies in the padded image and broadcast. For few filters that fill a vector, over rows that do not.
/// </summary>
internal sealed unsafe class DirectFilters<T>(ConvDirection direction)
    : CorrelationAlgorithm<T>("direct-filters", direction) where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int MinJobs = 16;
    private const int FewFilters = 24;

    protected override bool Supports(in CorrelationShape shape) => Simd.Width == 512 && shape.Taps <= MaxTaps
        && shape.OutWidth % DirectFiltersTile<V512<T>, T>.Columns == 0;

    protected override bool IsPreferred(in CorrelationShape shape) =>
        FillsVectors(shape.Filters) && shape.Filters <= FewFilters && shape.OutWidth % Lanes != 0;

    protected override nint ScratchElements(in CorrelationShape shape) =>
        PackedLength(shape) + shape.Image().Length + SumsLength(shape, RowPairsPerBlock(shape));

    protected override void Run(in CorrelationShape shape, T* x, T* w, T* bias, T* y)
    {
        var image = shape.Image();
        if (shape.IsEmpty) return;
        using var packed = Scratch.Rent<T>(ScratchSlot.PackedA, PackedLength(shape));
        Pack(shape, w, bias, packed.Pointer);
        var rowBlocks = RowBlocks(shape);
        fixed (nint* offsets = image.TapOffsets())
        {
            var job = new Job
            {
                Shape = shape,
                Image = image,
                X = x,
                Packed = packed.Pointer,
                Y = y,
                TapOffsets = offsets,
                Vectors = Vectors(shape),
                RowBlocks = rowBlocks,
                RowPairsPerBlock = RowPairsPerBlock(shape),
            };
            Workers.For(shape.Samples * shape.Groups * rowBlocks, ref job);
        }
    }

    private static int Vectors(in CorrelationShape shape) => (shape.Filters + Lanes - 1) / Lanes;

    // The bias is the first tap's row.
    private static nint PackedLength(in CorrelationShape shape) =>
        (nint)shape.Groups * Vectors(shape) * Lanes * (shape.Taps + 1);

    // Where there are few images, blocks of pairs of rows are jobs.
    private static int RowBlocks(in CorrelationShape shape)
    {
        var images = shape.Samples * shape.Groups;
        return Math.Clamp((MinJobs + images - 1) / images, 1, (shape.OutHeight + 1) / 2);
    }

    private static int RowPairsPerBlock(in CorrelationShape shape)
    {
        var (pairs, blocks) = ((shape.OutHeight + 1) / 2, RowBlocks(shape));
        return (pairs + blocks - 1) / blocks;
    }

    // [group][vector][bias, taps][filter].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pack(in CorrelationShape shape, T* w, T* bias, T* to)
    {
        var length = (nint)Lanes * (shape.Taps + 1);
        shape.Pack(w, Lanes, length, to + Lanes);
        for (var group = 0; group < shape.Groups; group++)
            for (var first = 0; first < shape.Filters; first += Lanes, to += length)
                for (var i = 0; i < Lanes; i++)
                    to[i] = bias == null || first + i >= shape.Filters
                        ? T.Zero
                        : bias[group * shape.Filters + first + i];
    }

    // [position][filter] of a block of rows, with room for the second row of the last pair.
    private static nint SumsLength(in CorrelationShape shape, int pairs) => (nint)2 * pairs * shape.OutWidth * Lanes;

    private struct Job : IChunkJob
    {
        public CorrelationShape Shape;
        public PaddedImage Image;
        public T* X;
        public T* Packed;
        public T* Y;
        public nint* TapOffsets;
        public int Vectors, RowBlocks, RowPairsPerBlock;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (index, rowBlock) = (chunk / RowBlocks, chunk % RowBlocks);
            var (filters, width) = (Shape.Filters, Shape.OutWidth);
            using var image = Scratch.Rent<T>(ScratchSlot.Image, Image.Length);
            Image.Fill(X + index * Shape.SampleLength, image.Pointer);
            var firstRow = rowBlock * RowPairsPerBlock * 2;
            var lastRow = Math.Min(Shape.OutHeight, firstRow + RowPairsPerBlock * 2);
            if (firstRow >= lastRow) return;
            using var lease = Scratch.Rent<T>(ScratchSlot.Sums, SumsLength(Shape, RowPairsPerBlock));
            var sums = lease.Pointer;
            for (var vector = 0; vector < Vectors; vector++)
            {
                var filter = vector * Lanes;
                var a = Packed + ((nint)(index % Shape.Groups) * Vectors + vector) * Lanes * (Shape.Taps + 1);
                for (var row = firstRow; row < lastRow; row += 2)
                    for (var column = 0; column < width; column += DirectFiltersTile<V512<T>, T>.Columns)
                        DirectFiltersTile<V512<T>, T>.Run(
                            Shape.Taps, a, image.Pointer + row * Image.RowStep + column, Image.RowStep, TapOffsets,
                            sums + ((nint)(row - firstRow) * width + column) * Lanes, (nint)width * Lanes);
                Packing.Transpose(
                    sums, Lanes, (lastRow - firstRow) * width, Math.Min(Lanes, filters - filter),
                    Y + ((nint)index * filters + filter) * Shape.Positions + (nint)firstRow * width, Shape.Positions);
            }
        }
    }
}
