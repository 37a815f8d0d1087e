using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Winograd convolution F(4×4, 3×3): see <see cref="Winograd"/>. Filters are transformed once; a job lays out a few
/// images, transforms a block of their tiles, multiplies it by the filters, point by point (36 small matrix products),
/// and transforms the sums back. What lies between stays in the second-level cache. In double precision direct sums
/// stay: who asks for it asks for its digits.
/// </summary>
internal sealed unsafe class Winograd4x4<T>(ConvDirection direction) : ConvAlgorithm<T>("winograd-4x4")
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly bool isDataGradient = direction == ConvDirection.DataGradient;

    internal override bool Supports(in ConvShape shape) => Winograd.Supports<T>(shape);

    internal override bool IsPreferred(in ConvShape shape) => Winograd.IsPreferred(shape);

    internal override nint ScratchBytes(in ConvShape shape)
    {
        var tiles = Tiles(shape);
        return new Blocking(tiles, Winograd.NarrowRows).ScratchElements * sizeof(T);
    }

    internal override void Run(in ConvShape shape, T* input, T* other, T* bias, T* output) =>
        Simd.Widest<T, Kernel>(new(Tiles(shape), input, other, isDataGradient, bias, output));

    private WinogradShape Tiles(in ConvShape shape) =>
        isDataGradient ? WinogradShape.OfDataGradient(shape, Lanes) : WinogradShape.OfForward(shape, Lanes);

    private readonly struct Kernel(in WinogradShape shape, T* x, T* w, bool rotated, T* bias, T* y) : IVectorKernel<T>
    {
        private readonly WinogradShape shape = shape;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            if (Simd.Width == 512)
                Run<V, MicroKernel8x2, MicroKernel16x1>(shape, x, w, rotated, bias, y);
            else Run<V, MicroKernel6x2, MicroKernel12x1>(shape, x, w, rotated, bias, y);
        }
    }

    // w: (Filters, Channels, 3, 3); rotated, for the data gradient: (Channels, Filters, 3, 3), each by half a turn.
    private static void Run<V, TWide, TNarrow>(
        in WinogradShape shape, T* x, T* w, bool rotated, T* bias, T* y)
        where V : struct, ILanes<V, T> where TWide : struct, IMicroKernel
        where TNarrow : struct, IMicroKernel
    {
        if (shape.Samples == 0) return;
        var blocking = new Blocking(shape, TNarrow.MR);
        using var filters = Scratch.Rent<T>(ScratchSlot.PackedA, blocking.FiltersLength);
        var transform = new FilterJob<V> { Shape = shape, W = w, IsRotated = rotated, To = filters.Pointer };
        Workers.For(shape.Panels * FilterJob<V>.ChannelBlocks(shape), ref transform);
        var job = new Job<V, TWide, TNarrow>
        {
            Shape = shape,
            Blocking = blocking,
            X = x,
            Filters = filters.Pointer,
            Bias = bias,
            Y = y,
        };
        Workers.For(blocking.Jobs, ref job);
    }

    /// <summary>How images and tiles are cut into blocks; rows are those of the narrow micro-kernel.</summary>
    private readonly struct Blocking
    {
        private const int MinJobs = 16;

        // Transformed inputs of a block of tiles: they share the second-level cache with sums and filters.
        private const int BlockBytes = 320 << 10;

        private readonly WinogradShape shape;

        internal Blocking(in WinogradShape shape, int rows)
        {
            this.shape = shape;
            var fitting = BlockBytes / (Winograd.Products * shape.ChannelLanes * sizeof(T)) / rows * rows;
            Tiles = Math.Clamp(fitting, rows, 4 * rows);
            Images = Math.Clamp(Tiles / Math.Max(1, shape.Tiles), 1, Math.Max(1, shape.Samples / MinJobs));
            var imageBlocks = (shape.Samples + Images - 1) / Images;
            RowBlocks = Images > 1
                ? 1
                : Math.Clamp((MinJobs + imageBlocks - 1) / Math.Max(1, imageBlocks), 1, shape.TilesHigh);
            TileRows = (shape.TilesHigh + RowBlocks - 1) / RowBlocks;
            Jobs = imageBlocks * RowBlocks;
        }

        /// <summary>Tiles that are transformed, and multiplied, at a time.</summary>
        internal int Tiles { get; }

        /// <summary>Images of a job.</summary>
        internal int Images { get; }

        /// <summary>Blocks of rows of tiles, where there are few images: each a job.</summary>
        internal int RowBlocks { get; }

        /// <summary>Rows of tiles in a block.</summary>
        internal int TileRows { get; }

        internal int Jobs { get; }

        /// <summary>Transformed filters: [panel][point][channel][filter].</summary>
        internal nint FiltersLength => (nint)Winograd.Products * shape.Channels * shape.FilterLanes;

        /// <summary>Transformed inputs of a block at one point: [tile][channel].</summary>
        internal nint InputPlane => (nint)Tiles * shape.ChannelLanes + Winograd.PlanePadding;

        /// <summary>Products of a block and panel at one point: [tile][filter].</summary>
        internal nint SumPlane => (nint)Tiles * 2 * shape.Lanes + Winograd.PlanePadding;

        internal nint InputsLength => Winograd.Products * InputPlane;

        // With room for a transform's intermediate results.
        internal nint SumsLength => Winograd.Products * (SumPlane + shape.Lanes);

        internal nint ScratchElements => FiltersLength + FilterJobLength + InputsLength + SumsLength
            + Images * (ImageLength(TileRows) + OutputLength(TileRows));

        private nint FilterJobLength =>
            FilterJob<V512<T>>.ScratchLength(Math.Min(2 * shape.Lanes, shape.FilterLanes), shape.Lanes);

        /// <summary>An image as so many rows of tiles read it.</summary>
        internal nint ImageLength(int tileRows) =>
            (nint)WinogradShape.ImageRows(tileRows) * shape.ImageColumns * shape.ChannelLanes;

        /// <summary>Outputs of so many rows of tiles.</summary>
        internal nint OutputLength(int tileRows) =>
            (nint)Winograd.Tile * tileRows * Winograd.Tile * shape.TilesWide * shape.FilterLanes;
    }

    // A panel of filters for a block of channels: [point][channel][filter].
    private struct FilterJob<V> : IChunkJob where V : struct, ILanes<V, T>
    {
        private const int ChannelBlock = 16;
        private const int Taps = 9;

        public WinogradShape Shape;
        public T* W;
        public bool IsRotated;
        public T* To;

        internal static int ChannelBlocks(in WinogradShape shape) => (shape.Channels + ChannelBlock - 1) / ChannelBlock;

        // [channel][tap][filter], and a transform's intermediate results.
        internal static nint ScratchLength(int width, int lanes) =>
            (nint)ChannelBlock * Taps * width + Winograd.Products * lanes;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var blocks = ChannelBlocks(Shape);
            var (panel, first) = (chunk / blocks, chunk % blocks * ChannelBlock);
            var channels = Math.Min(ChannelBlock, Shape.Channels - first);
            var (width, filter) = (Shape.PanelWidth(panel), panel * 2 * V.Count);
            var count = Math.Min(width, Shape.Filters - filter);
            using var lease = Scratch.Rent<T>(ScratchSlot.Filters, ScratchLength(width, V.Count));
            var taps = lease.Pointer;
            var scratch = taps + ChannelBlock * Taps * width;
            if (!IsRotated)
                Packing.Panel(
                    W + ((nint)filter * Shape.Channels + first) * Taps, (nint)Shape.Channels * Taps, true, count, width,
                    channels * Taps, taps);
            else
                for (var c = 0; c < channels; c++)
                    Packing.Panel(
                        W + ((nint)(first + c) * Shape.Filters + filter) * Taps, Taps, true, count, width, Taps,
                        taps + c * Taps * width);
            var plane = (nint)Shape.Channels * width;
            var to = To + (nint)panel * Winograd.Products * Shape.Channels * 2 * V.Count + (nint)first * width;
            for (var c = 0; c < channels; c++)
                for (var lane = 0; lane < width; lane += V.Count)
                {
                    var from = taps + c * Taps * width + lane;
                    // Rotated filters are read from the last tap to the first.
                    if (IsRotated)
                        Winograd.Transform2D<WinogradFilterTransform, V, T>(
                            from + (Taps - 1) * width, -3 * width, -width, to + c * width + lane,
                            Winograd.Points * plane, plane, scratch);
                    else
                        Winograd.Transform2D<WinogradFilterTransform, V, T>(
                            from, 3 * width, width, to + c * width + lane, Winograd.Points * plane, plane, scratch);
                }
        }
    }

    private struct Job<V, TWide, TNarrow> : IChunkJob
        where V : struct, ILanes<V, T> where TWide : struct, IMicroKernel
        where TNarrow : struct, IMicroKernel
    {
        public WinogradShape Shape;
        public Blocking Blocking;
        public T* X;
        public T* Filters;
        public T* Bias;
        public T* Y;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var sample = chunk / Blocking.RowBlocks * Blocking.Images;
            var firstRow = chunk % Blocking.RowBlocks * Blocking.TileRows;
            var count = Math.Min(Blocking.Images, Shape.Samples - sample);
            var tileRows = Math.Min(Shape.TilesHigh, firstRow + Blocking.TileRows) - firstRow;
            if (tileRows <= 0) return;
            var (imageLength, outLength) = (Blocking.ImageLength(tileRows), Blocking.OutputLength(tileRows));
            using var images = Scratch.Rent<T>(ScratchSlot.Image, count * imageLength);
            using var outputs = Scratch.Rent<T>(ScratchSlot.OutputImage, count * outLength);
            using var inputs = Scratch.Rent<T>(ScratchSlot.PackedB, Blocking.InputsLength);
            using var sums = Scratch.Rent<T>(ScratchSlot.Sums, Blocking.SumsLength);
            for (var i = 0; i < count; i++)
                Shape.FillImage(
                    X + (nint)(sample + i) * Shape.Channels * Shape.Height * Shape.Width, firstRow, tileRows,
                    images.Pointer + i * imageLength);

            var scratch = sums.Pointer + Winograd.Products * Blocking.SumPlane;
            var perImage = tileRows * Shape.TilesWide;
            for (var first = 0; first < count * perImage; first += Blocking.Tiles)
            {
                var tiles = Math.Min(Blocking.Tiles, count * perImage - first);
                for (var t = 0; t < tiles; t++)
                {
                    var (image, at) = ((first + t) / perImage, (first + t) % perImage);
                    TransformInput(
                        images.Pointer + image * imageLength, at, inputs.Pointer + t * Shape.ChannelLanes, scratch);
                }
                for (var panel = 0; panel < Shape.Panels; panel++)
                {
                    var width = Shape.PanelWidth(panel);
                    var filters = Filters + (nint)panel * Winograd.Products * Shape.Channels * 2 * V.Count;
                    for (var point = 0; point < Winograd.Products; point++)
                        Multiply(
                            inputs.Pointer + point * Blocking.InputPlane,
                            filters + (nint)point * Shape.Channels * width,
                            sums.Pointer + point * Blocking.SumPlane, tiles, width);
                    for (var t = 0; t < tiles; t++)
                    {
                        var (image, at) = ((first + t) / perImage, (first + t) % perImage);
                        TransformOutput(
                            sums.Pointer + t * width, width, outputs.Pointer + image * outLength, at, panel, scratch);
                    }
                }
            }
            var (outRow, outRows) = (Winograd.Tile * firstRow, Winograd.Tile * tileRows);
            for (var i = 0; i < count; i++)
                StorePlanes(
                    outputs.Pointer + i * outLength,
                    Y + (nint)(sample + i) * Shape.Filters * Shape.OutHeight * Shape.OutWidth, outRow, outRows);
        }

        // All channels of one tile of an image, to its place at each point.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void TransformInput(T* image, int tile, T* to, T* scratch)
        {
            var (row, column) = (tile / Shape.TilesWide, tile % Shape.TilesWide);
            var from = image + ((nint)row * Shape.ImageColumns + column) * Winograd.Tile * Shape.ChannelLanes;
            var (plane, step) = (Blocking.InputPlane, (nint)Shape.ImageColumns * Shape.ChannelLanes);
            for (var lane = 0; lane < Shape.ChannelLanes; lane += V.Count)
                Winograd.Transform2D<WinogradInputTransform, V, T>(
                    from + lane, step, Shape.ChannelLanes, to + lane, Winograd.Points * plane, plane, scratch);
        }

        // A panel's filters of one tile, from its sums at each point to its outputs.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void TransformOutput(T* sums, int width, T* outputs, int tile, int panel, T* scratch)
        {
            var (row, column) = (tile / Shape.TilesWide, tile % Shape.TilesWide);
            var to = outputs + panel * 2 * V.Count
                + ((nint)row * Winograd.Tile * Shape.TilesWide + column) * Winograd.Tile * Shape.FilterLanes;
            var (plane, step) = (Blocking.SumPlane, (nint)Winograd.Tile * Shape.TilesWide * Shape.FilterLanes);
            for (var lane = 0; lane < width; lane += V.Count)
                Winograd.Transform2D<WinogradOutputTransform, V, T>(
                    sums + lane, Winograd.Points * plane, plane, to + lane, step, Shape.FilterLanes, scratch);
        }

        // Sums of a block of tiles at one point. Rows beyond the last tile hold numbers of no meaning, which nobody
        // reads.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Multiply(T* inputs, T* filters, T* sums, int tiles, int width)
        {
            if (width == 2 * V.Count)
                for (nint t = 0; t < tiles; t += TWide.MR)
                    StridedTile<TWide, V, T>.Run(
                        Shape.Channels, inputs + t * Shape.ChannelLanes, Shape.ChannelLanes, 1, filters, width,
                        sums + t * width, width, false);
            else
                for (nint t = 0; t < tiles; t += TNarrow.MR)
                    StridedTile<TNarrow, V, T>.Run(
                        Shape.Channels, inputs + t * Shape.ChannelLanes, Shape.ChannelLanes, 1, filters, width,
                        sums + t * width, width, false);
        }

        // From [position][filter] to [filter][position], with the bias.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void StorePlanes(T* outputs, T* y, int firstRow, int rows)
        {
            var columns = Winograd.Tile * Shape.TilesWide;
            var plane = (nint)Shape.OutHeight * Shape.OutWidth;
            rows = Math.Min(rows, Shape.OutHeight - firstRow);
            if (Bias != null)
                for (nint position = 0; position < (nint)rows * columns; position++)
                    for (var f = 0; f < Shape.FilterLanes; f += V.Count)
                        AddBias(outputs + position * Shape.FilterLanes + f, f);
            if (columns == Shape.OutWidth)
                Packing.Transpose(
                    outputs, Shape.FilterLanes, rows * columns, Shape.Filters, y + (nint)firstRow * columns, plane);
            else
                for (nint row = 0; row < rows; row++)
                    Packing.Transpose(
                        outputs + row * columns * Shape.FilterLanes, Shape.FilterLanes, Shape.OutWidth, Shape.Filters,
                        y + (firstRow + row) * Shape.OutWidth, plane);
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void AddBias(T* to, int filter)
        {
            if (filter + V.Count <= Shape.Filters) V.Store(V.Load(to) + V.Load(Bias + filter), to);
            else
                for (var i = 0; filter + i < Shape.Filters; i++) to[i] += Bias[filter + i];
        }
    }
}
