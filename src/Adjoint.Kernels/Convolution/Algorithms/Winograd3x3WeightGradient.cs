using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Winograd weight gradient F(3×3, 4×4): see <see cref="Winograd"/>. A filter's gradient over one tile is a correlation
/// of 6 × 6 inputs with 4 × 4 gradients, 36 products instead of 144, and the sum over tiles is taken before the
/// transform back. Images are transformed a few at a time; then each job adds one point and panel of filters over all
/// their tiles, in order. Single precision alone, as <see cref="Winograd4x4{T}"/>.
/// </summary>
internal sealed unsafe class Winograd3x3WeightGradient<T>() : ConvAlgorithm<T>("winograd-3x3")
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    internal override bool Supports(in ConvShape shape) => Winograd.Supports<T>(shape);

    internal override bool IsPreferred(in ConvShape shape) => Winograd.IsPreferred(shape);

    internal override nint ScratchBytes(in ConvShape shape) =>
        new Blocking(WinogradShape.OfForward(shape, Lanes), Winograd.NarrowRows).ScratchElements * sizeof(T);

    internal override void Run(in ConvShape shape, T* input, T* other, T* bias, T* output) =>
        Simd.Widest<T, Kernel>(new(WinogradShape.OfForward(shape, Lanes), input, other, output));

    private readonly struct Kernel(in WinogradShape shape, T* x, T* g, T* dw) : IVectorKernel<T>
    {
        private readonly WinogradShape shape = shape;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T>
        {
            if (Simd.Width == 512) Run<V, MicroKernel8x2, MicroKernel16x1>(shape, x, g, dw);
            else Run<V, MicroKernel6x2, MicroKernel12x1>(shape, x, g, dw);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<V, TWide, TNarrow>(in WinogradShape shape, T* x, T* g, T* dw)
        where V : struct, ILanes<V, T> where TWide : struct, IMicroKernel
        where TNarrow : struct, IMicroKernel
    {
        if (shape.Samples == 0)
        {
            new Span<T>(dw, shape.Filters * shape.Channels * 9).Clear();
            return;
        }
        var blocking = new Blocking(shape, TNarrow.MR);
        using var inputs = Scratch.Rent<T>(ScratchSlot.PackedB, blocking.InputsLength);
        using var gradients = Scratch.Rent<T>(ScratchSlot.PackedA, blocking.GradientsLength);
        using var sums = Scratch.Rent<T>(ScratchSlot.Sums, blocking.SumsLength);
        var operands = new Operands
        {
            Shape = shape,
            Blocking = blocking,
            X = x,
            G = g,
            Dw = dw,
            Inputs = inputs.Pointer,
            Gradients = gradients.Pointer,
            Sums = sums.Pointer,
        };
        for (var first = 0; first < shape.Samples; first += blocking.Images)
        {
            var count = Math.Min(blocking.Images, shape.Samples - first);
            var transform = new TransformJob<V> { Operands = operands, First = first };
            Workers.For(2 * count, ref transform);
            var product = new ProductJob<V, TWide, TNarrow> { Operands = operands, First = first, Count = count };
            Workers.For(Winograd.Products * shape.Panels, ref product);
        }
        var output = new OutputJob<V> { Operands = operands };
        Workers.For((shape.Channels + Blocking.ChannelBlock - 1) / Blocking.ChannelBlock, ref output);
    }

    /// <summary>
    /// How many images go at a time, and how their transforms lie; rows are those of the narrow micro-kernel.
    /// </summary>
    private readonly struct Blocking
    {
        internal const int ChannelBlock = 16;
        internal const int Taps = 9;

        // Transformed inputs and gradients of the images of one block share the third-level cache with others; but they
        // are no less than the sums, which every block passes over.
        private const int MinBlockBytes = 4 << 20;
        private const int MaxBlockBytes = 8 << 20;

        private readonly WinogradShape shape;

        internal Blocking(in WinogradShape shape, int rows)
        {
            this.shape = shape;
            var lanes = shape.ChannelLanes + shape.FilterLanes;
            var perImage = (nint)Winograd.Products * shape.Tiles * lanes * sizeof(T);
            var sumBytes = (nint)Winograd.Products * shape.ChannelLanes * shape.FilterLanes * sizeof(T);
            var bytes = Math.Clamp(sumBytes, MinBlockBytes, MaxBlockBytes);
            Images = (int)Math.Clamp(bytes / perImage, 1, Math.Max(1, shape.Samples));
            ChannelRows = (shape.Channels + rows - 1) / rows * rows;
        }

        /// <summary>Images of a block.</summary>
        internal int Images { get; }

        /// <summary>Channels, and those that a micro-kernel reads and writes beyond the last.</summary>
        internal int ChannelRows { get; }

        /// <summary>Transformed inputs at one point: [image][tile][channel].</summary>
        internal nint InputPlane => (nint)Images * shape.Tiles * shape.ChannelLanes + Winograd.PlanePadding;

        /// <summary>Transformed gradients at one point: [image][tile][filter].</summary>
        internal nint GradientPlane => (nint)Images * shape.Tiles * shape.FilterLanes + Winograd.PlanePadding;

        /// <summary>Sums over tiles at one point: [channel][filter].</summary>
        internal nint SumPlane => (nint)ChannelRows * shape.FilterLanes;

        internal nint InputsLength => Winograd.Products * InputPlane + ChannelRows;

        internal nint GradientsLength => Winograd.Products * GradientPlane;

        internal nint SumsLength => Winograd.Products * SumPlane;

        /// <summary>One image as its tiles read it, and one of gradients.</summary>
        internal nint ImageLength =>
            (nint)WinogradShape.ImageRows(shape.TilesHigh) * shape.ImageColumns * shape.ChannelLanes;

        internal nint OutputLength =>
            (nint)Winograd.Tile * shape.TilesHigh * Winograd.Tile * shape.TilesWide * shape.FilterLanes;

        /// <summary>Gradients of a block of channels before they are transposed: [channel][tap][filter].</summary>
        internal nint TapsLength => (nint)ChannelBlock * Taps * shape.FilterLanes;

        /// <summary>A transform's intermediate results.</summary>
        internal int TransformLength => Winograd.Products * shape.Lanes;

        internal nint ScratchElements => InputsLength + GradientsLength + SumsLength + ImageLength + OutputLength
            + TapsLength + 3 * TransformLength;
    }

    private struct Operands
    {
        public WinogradShape Shape;
        public Blocking Blocking;
        public T* X;
        public T* G;
        public T* Dw;
        public T* Inputs;
        public T* Gradients;
        public T* Sums;
    }

    // Inputs, or gradients, of one image to all points.
    private struct TransformJob<V> : IChunkJob where V : struct, ILanes<V, T>
    {
        public Operands Operands;
        public int First;

        public readonly void Run(int chunk)
        {
            var (shape, blocking) = (Operands.Shape, Operands.Blocking);
            nint index = chunk / 2;
            if (chunk % 2 == 0)
            {
                var length = blocking.ImageLength;
                using var image = Scratch.Rent<T>(ScratchSlot.Image, length + blocking.TransformLength);
                shape.FillImage(
                    Operands.X + (First + index) * shape.Channels * shape.Height * shape.Width, 0, shape.TilesHigh,
                    image.Pointer);
                Transform<WinogradInputTransform>(
                    image.Pointer, shape.ImageColumns, shape.ChannelLanes,
                    Operands.Inputs + index * shape.Tiles * shape.ChannelLanes, blocking.InputPlane,
                    image.Pointer + length);
            }
            else
            {
                var length = blocking.OutputLength;
                using var gradient = Scratch.Rent<T>(ScratchSlot.OutputImage, length + blocking.TransformLength);
                shape.FillGradient(
                    Operands.G + (First + index) * shape.Filters * shape.OutHeight * shape.OutWidth, gradient.Pointer);
                Transform<WinogradGradientTransform>(
                    gradient.Pointer, Winograd.Tile * shape.TilesWide, shape.FilterLanes,
                    Operands.Gradients + index * shape.Tiles * shape.FilterLanes, blocking.GradientPlane,
                    gradient.Pointer + length);
            }
        }

        // All tiles of an image (rows, columns, lanes): to[tile][lane] at each point.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Transform<TTransform>(T* image, int columns, int lanes, T* to, nint plane, T* scratch)
            where TTransform : struct, IWinogradTransform
        {
            var shape = Operands.Shape;
            for (var t = 0; t < shape.Tiles; t++)
            {
                var (row, column) = (t / shape.TilesWide, t % shape.TilesWide);
                var from = image + ((nint)row * columns + column) * Winograd.Tile * lanes;
                for (var lane = 0; lane < lanes; lane += V.Count)
                    Winograd.Transform2D<TTransform, V, T>(
                        from + lane, (nint)columns * lanes, lanes, to + (nint)t * lanes + lane, Winograd.Points * plane,
                        plane, scratch);
            }
        }
    }

    // One point and panel: sums[channel][filter] (+)= Σ over tiles inputs[tile][channel] · gradients[tile][filter].
    private struct ProductJob<V, TWide, TNarrow> : IChunkJob
        where V : struct, ILanes<V, T> where TWide : struct, IMicroKernel
        where TNarrow : struct, IMicroKernel
    {
        // Tiles whose inputs and gradients stay in the first-level cache while all channels pass over them.
        private const int KC = 64;

        public Operands Operands;
        public int First, Count;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (shape, blocking) = (Operands.Shape, Operands.Blocking);
            var (point, panel) = (chunk / shape.Panels, chunk % shape.Panels);
            var isWide = shape.PanelWidth(panel) == 2 * V.Count;
            var inputs = Operands.Inputs + point * blocking.InputPlane;
            var gradients = Operands.Gradients + point * blocking.GradientPlane + panel * 2 * V.Count;
            var sums = Operands.Sums + point * blocking.SumPlane + panel * 2 * V.Count;
            var (tiles, channelLanes, filterLanes) = (Count * shape.Tiles, shape.ChannelLanes, shape.FilterLanes);
            for (var first = 0; first < tiles; first += KC)
            {
                var (steps, accumulate) = (Math.Min(KC, tiles - first), First + first > 0);
                for (nint c = 0; c < shape.Channels; c += isWide ? TWide.MR : TNarrow.MR)
                {
                    var to = sums + c * filterLanes;
                    if (isWide)
                        StridedTile<TWide, V, T>.Run(
                            steps, inputs + c, 1, channelLanes, gradients, filterLanes, to, filterLanes, accumulate);
                    else
                        StridedTile<TNarrow, V, T>.Run(
                            steps, inputs + c, 1, channelLanes, gradients, filterLanes, to, filterLanes, accumulate);
                }
                inputs += (nint)steps * channelLanes;
                gradients += (nint)steps * filterLanes;
            }
        }
    }

    // A block of channels from sums at each point to (K, C, 3, 3).
    private struct OutputJob<V> : IChunkJob where V : struct, ILanes<V, T>
    {
        public Operands Operands;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (shape, blocking) = (Operands.Shape, Operands.Blocking);
            var (first, lanes) = (chunk * Blocking.ChannelBlock, shape.FilterLanes);
            var channels = Math.Min(Blocking.ChannelBlock, shape.Channels - first);
            using var lease = Scratch.Rent<T>(ScratchSlot.Filters, blocking.TapsLength + blocking.TransformLength);
            var taps = lease.Pointer;
            var plane = blocking.SumPlane;
            for (var c = 0; c < channels; c++)
                for (var lane = 0; lane < lanes; lane += V.Count)
                    Winograd.Transform2D<WinogradFilterGradientTransform, V, T>(
                        Operands.Sums + (nint)(first + c) * lanes + lane, Winograd.Points * plane, plane,
                        taps + (nint)c * Blocking.Taps * lanes + lane, 3 * lanes, lanes,
                        taps + blocking.TapsLength);
            Packing.Transpose(
                taps, lanes, channels * Blocking.Taps, shape.Filters, Operands.Dw + first * Blocking.Taps,
                (nint)shape.Channels * Blocking.Taps);
        }
    }
}
