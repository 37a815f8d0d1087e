using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Direct weight gradient along output rows: lanes are neighboring positions of a row; the sums of six filters by four
/// taps, a vector each, stay in registers over a few samples, and are added across their lanes once at the end. Nothing
/// is gathered. Rows of g are padded with zeros, so that what a vector reads beyond a row of the image counts 0 times.
/// Without a vertical stride, rows of g are laid as far apart as those of the image, and all of them are one long row.
/// For few filters, for which gathering would cost more than multiplying.
/// </summary>
internal sealed unsafe class DirectRowsWeightGradient<T>() : ConvAlgorithm<T>("direct-rows")
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int FewFilters = 16;

    internal override bool Supports(in ConvShape shape) => Simd.Width == 512;

    internal override bool IsPreferred(in ConvShape shape) => shape.GroupFilters <= FewFilters;

    internal override nint ScratchBytes(in ConvShape shape) =>
        new Blocking(shape, VectorLanes(shape)).ScratchElements * sizeof(T);

    internal override void Run(in ConvShape shape, T* input, T* other, T* bias, T* output)
    {
        if (VectorLanes(shape) == V256<T>.Count) Run<V256<T>>(shape, input, other, output);
        else Run<V512<T>>(shape, input, other, output);
    }

    // Short rows would leave half of the widest vector empty.
    private static int VectorLanes(in ConvShape shape) =>
        2 * shape.OutWidth <= V512<T>.Count ? V256<T>.Count : V512<T>.Count;

    private static void Run<V>(in ConvShape shape, T* x, T* g, T* dw) where V : struct, ILanes<V, T>
    {
        var length = (nint)shape.Filters * shape.Taps;
        new Span<T>(dw, (int)length).Clear();
        if (shape.Samples == 0 || shape.Positions == 0 || length == 0) return;
        var blocking = new Blocking(shape, V.Count);
        using var sums = Scratch.Rent<T>(ScratchSlot.Sums, blocking.SumsLength);
        new Span<T>(sums.Pointer, (int)blocking.SumsLength).Clear();
        // Taps beyond the last stand at 0; their sums are left.
        fixed (nint* taps = blocking.Image.TapOffsets(multiple: RowsWeightTile.Taps))
        {
            var job = new Job<V>
            {
                Shape = shape,
                Blocking = blocking,
                Image = blocking.Image,
                X = x,
                G = g,
                TapOffsets = taps,
                Sums = sums.Pointer,
            };
            Workers.For(blocking.FilterTiles * shape.Groups * blocking.SampleBlocks, ref job);
        }
        PartialSums.AddTo(dw, sums.Pointer, length, blocking.SampleBlocks);
    }

    /// <summary>How the sum is cut into blocks, for vectors of some lanes.</summary>
    private readonly struct Blocking
    {
        private const int MinJobs = 8;

        // Of g that stay in the first-level cache while all taps pass over them.
        private const int GradientBlockBytes = 24 << 10;

        private readonly int lanes;

        internal Blocking(in ConvShape shape, int lanes)
        {
            this.lanes = lanes;
            Image = PaddedImage.OfInput(shape);
            var isFlat = shape.StrideHeight == 1;
            RowStep = isFlat ? Image.RowStep : RoundUp(shape.OutWidth);
            RowLength = isFlat ? RoundUp((shape.OutHeight - 1) * RowStep + shape.OutWidth) : RowStep;
            Rows = isFlat ? 1 : shape.OutHeight;
            FilterTiles = (shape.GroupFilters + RowsWeightTile.Filters - 1) / RowsWeightTile.Filters;
            TapTiles = (shape.Taps + RowsWeightTile.Taps - 1) / RowsWeightTile.Taps;
            SampleBlocks = Math.Clamp(MinJobs / (FilterTiles * shape.Groups), 1, Math.Max(1, shape.Samples));
            var samplesPerBlock = (Math.Max(1, shape.Samples) + SampleBlocks - 1) / SampleBlocks;
            ImagesPerPass = (int)Math.Clamp(
                GradientBlockBytes / (RowsWeightTile.Filters * PlaneLength * sizeof(T)), 1, samplesPerBlock);
            SumWidth = (int)RoundUp(RowsWeightTile.Filters * RowsWeightTile.Taps);
            SumsLength = (nint)shape.Filters * shape.Taps * SampleBlocks;
        }

        internal PaddedImage Image { get; }

        /// <summary>Rows of g, and elements of one with its zeros.</summary>
        internal int Rows { get; }

        internal nint RowLength { get; }

        /// <summary>From one row of outputs to the next in g.</summary>
        internal nint RowStep { get; }

        internal int FilterTiles { get; }

        internal int TapTiles { get; }

        /// <summary>Blocks of samples at fixed places, whose sums are added in order.</summary>
        internal int SampleBlocks { get; }

        /// <summary>Images that a tile of taps passes over before the next tile does.</summary>
        internal int ImagesPerPass { get; }

        /// <summary>g of one filter and sample.</summary>
        internal nint PlaneLength => Rows * RowLength;

        /// <summary>g of one tile of filters, and as many images as pass at a time.</summary>
        internal nint GradientsLength => ImagesPerPass * RowsWeightTile.Filters * PlaneLength;

        /// <summary>[filter][tap][lane] of one tile.</summary>
        internal int TileLength => RowsWeightTile.Filters * RowsWeightTile.Taps * lanes;

        /// <summary>The sums of a tile, [filter][tap], in whole vectors.</summary>
        internal int SumWidth { get; }

        internal nint SumsLength { get; }

        internal nint ScratchElements => SumsLength + ImagesPerPass * Image.Length + GradientsLength
            + (nint)TapTiles * TileLength + (nint)lanes * SumWidth;

        // Lanes are a power of two.
        private nint RoundUp(nint length) => (length + lanes - 1) & -lanes;
    }

    private struct Job<V> : IChunkJob where V : struct, ILanes<V, T>
    {
        public ConvShape Shape;
        public Blocking Blocking;
        public PaddedImage Image;
        public T* X;
        public T* G;
        public T* Sums;
        public nint* TapOffsets;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var filterTile = chunk % Blocking.FilterTiles;
            var group = chunk / Blocking.FilterTiles % Shape.Groups;
            var sampleBlock = chunk / Blocking.FilterTiles / Shape.Groups;
            var firstFilter = filterTile * RowsWeightTile.Filters;
            var firstSample = (int)((long)sampleBlock * Shape.Samples / Blocking.SampleBlocks);
            var lastSample = (int)((sampleBlock + 1L) * Shape.Samples / Blocking.SampleBlocks);
            var count = Math.Min(RowsWeightTile.Filters, Shape.GroupFilters - firstFilter);
            using var images = Scratch.Rent<T>(ScratchSlot.Image, Blocking.ImagesPerPass * Image.Length);
            using var gradients = Scratch.Rent<T>(ScratchSlot.PackedB, Blocking.GradientsLength);
            // What lies between the rows stays zero.
            new Span<T>(gradients.Pointer, (int)Blocking.GradientsLength).Clear();
            using var tileSums = Scratch.Rent<T>(ScratchSlot.TileSums, (nint)Blocking.TapTiles * Blocking.TileLength);
            new Span<T>(tileSums.Pointer, Blocking.TapTiles * Blocking.TileLength).Clear();
            for (var start = firstSample; start < lastSample; start += Blocking.ImagesPerPass)
            {
                var samples = Math.Min(Blocking.ImagesPerPass, lastSample - start);
                for (var s = 0; s < samples; s++)
                    Fill(
                        (nint)(start + s) * Shape.Groups + group, firstFilter, count,
                        images.Pointer + s * Image.Length,
                        gradients.Pointer + s * RowsWeightTile.Filters * Blocking.PlaneLength);
                for (var tile = 0; tile < Blocking.TapTiles; tile++)
                    RowsWeightTile.Run<V, T>(
                        samples, Blocking.Rows, Blocking.RowLength, images.Pointer, Image.Length, Image.RowStep,
                        TapOffsets + tile * RowsWeightTile.Taps, gradients.Pointer, Blocking.PlaneLength,
                        tileSums.Pointer + tile * Blocking.TileLength);
            }
            using var lanes = Scratch.Rent<T>(ScratchSlot.TransposedSums, (nint)V.Count * Blocking.SumWidth);
            var filter = (nint)sampleBlock * Shape.Filters + (nint)group * Shape.GroupFilters + firstFilter;
            var to = Sums + filter * Shape.Taps;
            for (var tile = 0; tile < Blocking.TapTiles; tile++)
            {
                AddLanes(tileSums.Pointer + tile * Blocking.TileLength, lanes.Pointer, Blocking.SumWidth);
                var first = tile * RowsWeightTile.Taps;
                for (nint f = 0; f < count; f++)
                    for (var t = 0; t < Math.Min(RowsWeightTile.Taps, Shape.Taps - first); t++)
                        to[f * Shape.Taps + first + t] = lanes.Pointer[f * RowsWeightTile.Taps + t];
            }
        }

        // One sample and group, and what some filters have of its gradient.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Fill(nint index, int firstFilter, int filters, T* image, T* gradients)
        {
            Image.Fill(X + index * Shape.GroupChannels * Shape.Height * Shape.Width, image);
            var (height, width, step) = (Shape.OutHeight, Shape.OutWidth, Blocking.RowStep);
            var g = G + (index * Shape.GroupFilters + firstFilter) * height * width;
            for (var f = 0; f < filters; f++, gradients += Blocking.PlaneLength)
                for (var row = 0; row < height; row++, g += width) Packing.CopyRow(g, gradients + row * step, width);
        }

        // to[i] = Σ over lanes sums[i][lane], in order: transposed, so that vectors are added, not lanes of one.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void AddLanes(T* sums, T* to, int width)
        {
            Packing.Transpose(sums, V.Count, RowsWeightTile.Filters * RowsWeightTile.Taps, V.Count, to, width);
            for (var j = 0; j < width; j += V.Count)
            {
                var sum = V.Load(to + j);
                for (var lane = 1; lane < V.Count; lane++) sum += V.Load(to + lane * width + j);
                V.Store(sum, to + j);
            }
        }
    }
}
