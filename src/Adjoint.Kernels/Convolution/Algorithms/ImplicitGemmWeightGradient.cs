using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// dw (K × taps) = g (K × samples·positions) · im2colᵀ as an implicit GEMM (Chetlur et al. 2014), whose inner axis runs
/// over samples and positions in order. Gradients are packed once, images padded once; each job gathers its panel of NR
/// taps sample by sample. Where taps are too few to share out, samples are cut into blocks at fixed places (split-K),
/// whose sums are added in order. Takes every shape.
/// </summary>
internal sealed unsafe class ImplicitGemmWeightGradient<T>() : ConvAlgorithm<T>("implicit-gemm")
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    internal override bool Supports(in ConvShape shape) => true;

    internal override bool IsPreferred(in ConvShape shape) => true;

    internal override nint ScratchBytes(in ConvShape shape)
    {
        var (rows, vectors) = ConvGemmTiles.Fit(shape.GroupFilters);
        return new Blocking(shape, rows, vectors * Lanes).ScratchElements * sizeof(T);
    }

    internal override void Run(in ConvShape shape, T* input, T* other, T* bias, T* output) =>
        Simd.Widest<T, ConvGemmTiles.Kernel<T, Kernel>>(new(shape.GroupFilters, new(shape, input, other, output)));

    private readonly struct Kernel(in ConvShape shape, T* x, T* g, T* dw) : IConvGemmKernel<T>
    {
        private readonly ConvShape shape = shape;

        public void Invoke<TTile>() where TTile : struct, ITile<T> => Run<TTile>(shape, x, g, dw);
    }

    private static void Run<TTile>(in ConvShape shape, T* x, T* g, T* dw) where TTile : struct, ITile<T>
    {
        var length = (nint)shape.Filters * shape.Taps;
        new Span<T>(dw, (int)length).Clear();
        if (shape.Samples == 0 || shape.Positions == 0 || length == 0) return;
        var blocking = new Blocking(shape, TTile.MR, TTile.NR);
        using var images = Scratch.Rent<T>(ScratchSlot.Image, blocking.ImagesLength);
        using var packed = Scratch.Rent<T>(ScratchSlot.PackedA, blocking.PackedLength);
        using var sums = Scratch.Rent<T>(ScratchSlot.Sums, blocking.SumsLength);
        fixed (nint* offsets = blocking.Image.TapOffsets())
        {
            var job = new Job<TTile>
            {
                Shape = shape,
                Blocking = blocking,
                Image = blocking.Image,
                X = x,
                G = g,
                TapOffsets = offsets,
                Images = images.Pointer,
                Packed = packed.Pointer,
                Sums = blocking.SampleBlocks == 1 ? dw : sums.Pointer,
                Positions = shape.Positions,
                Taps = shape.Taps,
                Filters = shape.GroupFilters,
            };
            var pack = new PackJob<TTile> { Job = job };
            Workers.For(shape.Samples * shape.Groups, ref pack);
            Workers.For(blocking.Panels * shape.Groups * blocking.SampleBlocks, ref job);
            if (blocking.SampleBlocks > 1) PartialSums.AddTo(dw, sums.Pointer, length, blocking.SampleBlocks);
        }
    }

    /// <summary>How the product is cut into blocks, for a micro-kernel of MR × NR.</summary>
    private readonly struct Blocking
    {
        private const int MinJobs = 8;

        internal Blocking(in ConvShape shape, int mr, int nr)
        {
            Image = PaddedImage.OfInput(shape);
            RowTiles = (shape.GroupFilters + mr - 1) / mr;
            Panels = (shape.Taps + nr - 1) / nr;
            SampleBlocks = Math.Clamp(MinJobs / (Panels * shape.Groups), 1, Math.Max(1, shape.Samples));
            SamplesPerBlock = (shape.Samples + SampleBlocks - 1) / SampleBlocks;
            ImagesLength = Image.Length * shape.Samples * shape.Groups;
            PackedLength = (nint)shape.Samples * shape.Groups * RowTiles * mr * shape.Positions;
            PanelLength = (nint)shape.Positions * nr;
            SumsLength = SampleBlocks == 1 ? 0 : (nint)shape.Filters * shape.Taps * SampleBlocks;
        }

        internal PaddedImage Image { get; }

        /// <summary>Tiles of MR filters.</summary>
        internal int RowTiles { get; }

        /// <summary>Panels of NR taps.</summary>
        internal int Panels { get; }

        internal int SampleBlocks { get; }

        internal int SamplesPerBlock { get; }

        internal nint ImagesLength { get; }

        internal nint PackedLength { get; }

        internal nint PanelLength { get; }

        internal nint SumsLength { get; }

        internal nint ScratchElements => ImagesLength + PackedLength + PanelLength + SumsLength;
    }

    // Pads one sample and group, and packs its gradients: [tile][position][row].
    private struct PackJob<TTile> : IChunkJob where TTile : struct, ITile<T>
    {
        public Job<TTile> Job;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int index)
        {
            var (shape, positions) = (Job.Shape, Job.Positions);
            Job.Image.Fill(
                Job.X + (nint)index * shape.GroupChannels * shape.Height * shape.Width,
                Job.Images + index * Job.Image.Length);
            for (var tile = 0; tile < Job.Blocking.RowTiles; tile++)
            {
                var first = tile * TTile.MR;
                Packing.Panel(
                    Job.G + ((nint)index * Job.Filters + first) * positions, positions, true,
                    Math.Min(TTile.MR, Job.Filters - first), TTile.MR, positions,
                    Job.Packed + ((nint)index * Job.Blocking.RowTiles + tile) * TTile.MR * positions);
            }
        }
    }

    private struct Job<TTile> : IChunkJob where TTile : struct, ITile<T>
    {
        public ConvShape Shape;
        public Blocking Blocking;
        public PaddedImage Image;
        public T* X;
        public T* G;
        public T* Images;
        public T* Packed;
        public T* Sums;
        public nint* TapOffsets;
        public int Positions, Taps, Filters;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var panel = chunk % Blocking.Panels;
            var group = chunk / Blocking.Panels % Shape.Groups;
            var sampleBlock = chunk / Blocking.Panels / Shape.Groups;
            var firstTap = panel * TTile.NR;
            var columns = Math.Min(TTile.NR, Taps - firstTap);
            using var lease = Scratch.Rent<T>(ScratchSlot.PackedB, Blocking.PanelLength);
            var gathered = lease.Pointer;
            if (columns < TTile.NR) new Span<T>(gathered, Positions * TTile.NR).Clear();
            var target = Sums + ((nint)sampleBlock * Shape.Filters + (nint)group * Filters) * Taps + firstTap;
            var firstSample = sampleBlock * Blocking.SamplesPerBlock;
            var lastSample = Math.Min(Shape.Samples, firstSample + Blocking.SamplesPerBlock);
            if (firstSample >= lastSample)
                for (var f = 0; f < Filters; f++) new Span<T>(target + (nint)f * Taps, columns).Clear();
            for (var sample = firstSample; sample < lastSample; sample++)
            {
                var index = (nint)sample * Shape.Groups + group;
                Gather(Images + index * Image.Length, gathered, firstTap, columns);
                for (var tile = 0; tile < Blocking.RowTiles; tile++)
                {
                    var row = tile * TTile.MR;
                    EdgeTile.Run<T, TTile>(
                        Positions, Packed + (index * Blocking.RowTiles + tile) * TTile.MR * Positions, gathered,
                        TTile.NR, target + (nint)row * Taps, Taps, Math.Min(TTile.MR, Filters - row), columns,
                        T.One, sample == firstSample ? T.Zero : T.One);
                }
            }
        }

        // to[position][tap]: eight taps by eight positions are transposed in registers.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Gather(T* image, T* to, int firstTap, int columns)
        {
            var width = TTile.NR;
            var sources = stackalloc T*[8];
            for (var tap = 0; tap < columns; tap += 8)
            {
                var count = Math.Min(8, columns - tap);
                for (var i = 0; i < count; i++) sources[i] = image + TapOffsets[firstTap + tap + i];
                for (var row = 0; row < Shape.OutHeight; row++)
                {
                    var at = to + (nint)row * Shape.OutWidth * width + tap;
                    Packing.Transpose(sources, count, Shape.OutWidth, at, width);
                    for (var i = 0; i < count; i++) sources[i] += Image.RowStep;
                }
            }
        }
    }
}
