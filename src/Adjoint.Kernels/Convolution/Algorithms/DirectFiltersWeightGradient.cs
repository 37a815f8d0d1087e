using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Direct weight gradient with a lane for each filter: g lies position by position, a vector of filters each, and is
/// multiplied by inputs that are read where they lie in the padded image and broadcast. The sums of a few rows of S
/// taps stay in registers over a whole image; nothing is gathered, nothing added across lanes. For stride and dilation
/// 1.
/// </summary>
internal sealed unsafe class DirectFiltersWeightGradient<T>() : ConvAlgorithm<T>("direct-filters")
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // With more filters and fewer positions a gathered panel is used often enough to pay for itself.
    private const int FewFilters = 32;
    private const int ManyPositions = 512;

    internal override bool Supports(in ConvShape shape) =>
        Simd.Width == 512 && shape is { IsDense: true, KernelWidth: 3 or 5 };

    internal override bool IsPreferred(in ConvShape shape) => FillsVectors(shape.GroupFilters)
        && (shape.GroupFilters <= FewFilters || shape.Positions >= ManyPositions);

    internal override nint ScratchBytes(in ConvShape shape) =>
        new Blocking(shape, RowsPerTile(shape)).ScratchElements * sizeof(T);

    internal override void Run(in ConvShape shape, T* input, T* other, T* bias, T* output)
    {
        if (shape.KernelWidth == 5) Run<WeightTile5x5<V512<T>, T>>(shape, input, other, output);
        else Run<WeightTile8x3<V512<T>, T>>(shape, input, other, output);
    }

    private static int RowsPerTile(in ConvShape shape) =>
        shape.KernelWidth == 5 ? WeightTile5x5<V512<T>, T>.Rows : WeightTile8x3<V512<T>, T>.Rows;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TTile>(in ConvShape shape, T* x, T* g, T* dw) where TTile : struct, IWeightTile<V512<T>, T>
    {
        var length = (nint)shape.Filters * shape.Taps;
        new Span<T>(dw, (int)length).Clear();
        if (shape.Samples == 0 || shape.Positions == 0 || length == 0) return;
        var blocking = new Blocking(shape, TTile.Rows);
        var rows = shape.GroupChannels * shape.KernelHeight;
        // Rows beyond the last repeat it; their sums are left.
        var offsets = new nint[blocking.RowTiles * TTile.Rows];
        for (var row = 0; row < offsets.Length; row++)
            offsets[row] = blocking.Image.TapOffset(Math.Min(row, rows - 1) * shape.KernelWidth);
        using var sums = Scratch.Rent<T>(ScratchSlot.Sums, blocking.SumsLength);
        new Span<T>(sums.Pointer, (int)blocking.SumsLength).Clear();
        fixed (nint* taps = offsets)
        {
            var job = new Job<TTile>
            {
                Shape = shape,
                Blocking = blocking,
                Image = blocking.Image,
                X = x,
                G = g,
                RowOffsets = taps,
                Sums = sums.Pointer,
            };
            Workers.For(blocking.Vectors * shape.Groups * blocking.SampleBlocks, ref job);
        }
        PartialSums.AddTo(dw, sums.Pointer, length, blocking.SampleBlocks);
    }

    /// <summary>How the sum is cut into blocks, for a micro-kernel of some rows of S taps.</summary>
    private readonly struct Blocking
    {
        private const int MinJobs = 8;

        // Of images and gradients that stay in the second-level cache while all taps pass over them.
        private const int ImageBlockBytes = 256 << 10;

        internal Blocking(in ConvShape shape, int rows)
        {
            Image = PaddedImage.OfInput(shape);
            Vectors = (shape.GroupFilters + Lanes - 1) / Lanes;
            RowTiles = (shape.GroupChannels * shape.KernelHeight + rows - 1) / rows;
            var jobs = Vectors * shape.Groups;
            SampleBlocks = Math.Clamp((MinJobs + jobs - 1) / jobs, 1, Math.Max(1, shape.Samples));
            GradientLength = (nint)shape.Positions * Lanes;
            TileLength = (nint)rows * shape.KernelWidth * Lanes;
            SumsLength = (nint)shape.Filters * shape.Taps * SampleBlocks;
            var samplesPerBlock = (Math.Max(1, shape.Samples) + SampleBlocks - 1) / SampleBlocks;
            ImagesPerPass = (int)Math.Clamp(
                ImageBlockBytes / ((Image.Length + GradientLength) * sizeof(T)), 1, samplesPerBlock);
        }

        internal PaddedImage Image { get; }

        /// <summary>Vectors of filters.</summary>
        internal int Vectors { get; }

        /// <summary>Tiles of rows of taps, of any channel.</summary>
        internal int RowTiles { get; }

        /// <summary>Blocks of samples at fixed places, whose sums are added in order.</summary>
        internal int SampleBlocks { get; }

        /// <summary>Images that a tile of taps passes over before the next tile does.</summary>
        internal int ImagesPerPass { get; }

        /// <summary>[position][filter] of one image.</summary>
        internal nint GradientLength { get; }

        /// <summary>[tap][filter] of one tile.</summary>
        internal nint TileLength { get; }

        internal nint SumsLength { get; }

        internal nint ScratchElements =>
            SumsLength + RowTiles * TileLength + ImagesPerPass * (Image.Length + GradientLength);
    }

    private struct Job<TTile> : IChunkJob where TTile : struct, IWeightTile<V512<T>, T>
    {
        public ConvShape Shape;
        public Blocking Blocking;
        public PaddedImage Image;
        public T* X;
        public T* G;
        public T* Sums;
        public nint* RowOffsets;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var vector = chunk % Blocking.Vectors;
            var group = chunk / Blocking.Vectors % Shape.Groups;
            var sampleBlock = chunk / Blocking.Vectors / Shape.Groups;
            var firstFilter = vector * Lanes;
            var firstSample = (int)((long)sampleBlock * Shape.Samples / Blocking.SampleBlocks);
            var lastSample = (int)((sampleBlock + 1L) * Shape.Samples / Blocking.SampleBlocks);
            var count = Math.Min(Lanes, Shape.GroupFilters - firstFilter);
            var (height, width, length) = (Shape.OutHeight, Shape.OutWidth, Blocking.GradientLength);
            using var images = Scratch.Rent<T>(ScratchSlot.Image, Blocking.ImagesPerPass * Image.Length);
            using var gradients = Scratch.Rent<T>(ScratchSlot.PackedB, Blocking.ImagesPerPass * length);
            using var tileSums = Scratch.Rent<T>(ScratchSlot.TileSums, Blocking.RowTiles * Blocking.TileLength);
            new Span<T>(tileSums.Pointer, (int)(Blocking.RowTiles * Blocking.TileLength)).Clear();
            for (var start = firstSample; start < lastSample; start += Blocking.ImagesPerPass)
            {
                var samples = Math.Min(Blocking.ImagesPerPass, lastSample - start);
                for (var s = 0; s < samples; s++)
                {
                    var index = (nint)(start + s) * Shape.Groups + group;
                    Image.Fill(
                        X + index * Shape.GroupChannels * Shape.Height * Shape.Width,
                        images.Pointer + s * Image.Length);
                    Packing.Panel(
                        G + (index * Shape.GroupFilters + firstFilter) * Shape.Positions, Shape.Positions, true, count,
                        Lanes, Shape.Positions, gradients.Pointer + s * length);
                }
                for (var tile = 0; tile < Blocking.RowTiles; tile++)
                    for (var s = 0; s < samples; s++)
                        TTile.Run(
                            height, width, images.Pointer + s * Image.Length, RowOffsets + (nint)tile * TTile.Rows,
                            Image.RowStep, gradients.Pointer + s * length,
                            tileSums.Pointer + tile * Blocking.TileLength);
            }
            var filter = (nint)sampleBlock * Shape.Filters + (nint)group * Shape.GroupFilters + firstFilter;
            Packing.Transpose(
                tileSums.Pointer, Lanes, Shape.Taps, count, Sums + filter * Shape.Taps, Shape.Taps);
        }
    }
}
