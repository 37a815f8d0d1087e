using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// Implicit GEMM (Chetlur et al. 2014, "cuDNN: efficient primitives for deep learning"): y (K × positions) = w (K ×
/// taps) · im2col (taps × positions), with the GEMM's micro-kernels. The im2col matrix never exists whole: each job
/// pads its images and gathers from them panels of NR positions by KC taps, which stay in the second-level cache.
/// Filters are packed once; the bias is one more tap, over ones. Takes every shape.
/// </summary>
internal sealed unsafe class ImplicitGemm<T>(ConvDirection direction)
    : CorrelationAlgorithm<T>("implicit-gemm", direction) where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    protected override bool Supports(in CorrelationShape shape) => true;

    protected override bool IsPreferred(in CorrelationShape shape) => true;

    protected override nint ScratchElements(in CorrelationShape shape)
    {
        var (rows, vectors) = ConvGemmTiles.Fit(shape.Filters);
        return new Blocking(shape, true, rows, vectors * Lanes).ScratchElements;
    }

    protected override void Run(in CorrelationShape shape, T* x, T* w, T* bias, T* y) =>
        Simd.Widest<T, ConvGemmTiles.Kernel<T, Kernel>>(new(shape.Filters, new(shape, x, w, bias, y)));

    private readonly struct Kernel(in CorrelationShape shape, T* x, T* w, T* bias, T* y) : IConvGemmKernel<T>
    {
        private readonly CorrelationShape shape = shape;

        public void Invoke<TTile>() where TTile : struct, ITile<T> => Run<TTile>(shape, x, w, bias, y);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<TTile>(in CorrelationShape shape, T* x, T* w, T* bias, T* y) where TTile : struct, ITile<T>
    {
        var blocking = new Blocking(shape, bias != null, TTile.MR, TTile.NR);
        if (shape.IsEmpty) return;
        using var packed = Scratch.Rent<T>(ScratchSlot.PackedA, blocking.PackedLength);
        var (taps, k) = (shape.Taps, blocking.K);
        shape.Pack(w, TTile.MR, (nint)TTile.MR * k, packed.Pointer);
        if (bias != null)
            for (var tile = 0; tile < shape.Groups * blocking.RowTiles; tile++)
            {
                var first = tile % blocking.RowTiles * TTile.MR;
                var to = packed.Pointer + ((nint)tile * k + taps) * TTile.MR;
                for (var i = 0; i < TTile.MR; i++)
                    to[i] = first + i < shape.Filters
                        ? bias[tile / blocking.RowTiles * shape.Filters + first + i]
                        : T.Zero;
            }
        fixed (nint* offsets = blocking.Image.TapOffsets())
        {
            var job = new Job<TTile>
            {
                Shape = shape,
                Blocking = blocking,
                Image = blocking.Image,
                X = x,
                Packed = packed.Pointer,
                HasBias = bias != null,
                Y = y,
                TapOffsets = offsets,
                Taps = taps,
                Positions = shape.Positions,
            };
            Workers.For(blocking.Jobs, ref job);
        }
    }

    /// <summary>How the product is cut into blocks, for a micro-kernel of MR × NR.</summary>
    private readonly struct Blocking
    {
        private const int MinJobs = 16;

        // A gathered panel of this depth lies in the second-level cache beside a tile of filters.
        private const int MaxKC = 640;

        private readonly int samples, filters, mr, nr, groups;

        internal Blocking(in CorrelationShape shape, bool hasBias, int mr, int nr)
        {
            (samples, filters, groups, this.mr, this.nr) = (shape.Samples, shape.Filters, shape.Groups, mr, nr);
            Image = shape.Image();
            K = shape.Taps + (hasBias ? 1 : 0);
            if (shape.IsEmpty) return;
            RowTiles = (filters + mr - 1) / mr;
            var depthBlocks = (K + MaxKC - 1) / MaxKC;
            KC = (K + depthBlocks - 1) / depthBlocks;
            ImagesPerPanel = Math.Clamp(nr / shape.Positions, 1, samples);
            Panels = (shape.Positions * ImagesPerPanel + nr - 1) / nr;
            var imageBlocks = groups * ((samples + ImagesPerPanel - 1) / ImagesPerPanel);
            PanelBlocks = Math.Clamp((MinJobs + imageBlocks - 1) / imageBlocks, 1, Panels);
            PanelsPerBlock = (Panels + PanelBlocks - 1) / PanelBlocks;
            Jobs = imageBlocks * PanelBlocks;
        }

        internal PaddedImage Image { get; }

        /// <summary>Depth of the product: taps, and the bias.</summary>
        internal int K { get; }

        /// <summary>Depth of a block of it.</summary>
        internal int KC { get; }

        /// <summary>Tiles of MR filters.</summary>
        internal int RowTiles { get; }

        /// <summary>Images, smaller than a panel, whose positions share one.</summary>
        internal int ImagesPerPanel { get; }

        /// <summary>Panels of NR positions of an image, or of those that share one.</summary>
        internal int Panels { get; }

        /// <summary>Blocks of panels, where there are few images: each a job.</summary>
        internal int PanelBlocks { get; }

        internal int PanelsPerBlock { get; }

        internal int Jobs { get; }

        internal nint PackedLength => (nint)groups * RowTiles * mr * K;

        internal nint ImagesLength => ImagesPerPanel * Image.Length;

        // Vectors write up to one width too far.
        internal nint PanelLength => (nint)KC * nr + 64;

        internal nint SumsLength => ImagesPerPanel == 1 ? 0 : (nint)filters * nr;

        internal nint ScratchElements => PackedLength + ImagesLength + PanelLength + SumsLength;
    }

    private struct Job<TTile> : IChunkJob where TTile : struct, ITile<T>
    {
        public CorrelationShape Shape;
        public Blocking Blocking;
        public PaddedImage Image;
        public T* X;
        public T* Packed;
        public bool HasBias;
        public T* Y;
        public nint* TapOffsets;
        public int Taps, Positions;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (index, panelBlock) = (chunk / Blocking.PanelBlocks, chunk % Blocking.PanelBlocks);
            var (sample, group) = (index / Shape.Groups * Blocking.ImagesPerPanel, index % Shape.Groups);
            var count = Math.Min(Blocking.ImagesPerPanel, Shape.Samples - sample);
            using var images = Scratch.Rent<T>(ScratchSlot.Image, Blocking.ImagesLength);
            for (var i = 0; i < count; i++)
                Image.Fill(
                    X + ((nint)(sample + i) * Shape.Groups + group) * Shape.SampleLength,
                    images.Pointer + i * Image.Length);
            using var panel = Scratch.Rent<T>(ScratchSlot.PackedB, Blocking.PanelLength);
            var a = Packed + (nint)group * Blocking.RowTiles * TTile.MR * Blocking.K;
            var y = Y + ((nint)sample * Shape.Groups + group) * Shape.Filters * Positions;
            if (count == 1)
            {
                var first = panelBlock * Blocking.PanelsPerBlock;
                var last = Math.Min(Blocking.Panels, first + Blocking.PanelsPerBlock);
                for (var position = first * TTile.NR; first < last; first++, position += TTile.NR)
                {
                    var columns = Math.Min(TTile.NR, Positions - position);
                    Multiply(images.Pointer, panel.Pointer, a, position, columns, y + position, Positions);
                }
                return;
            }
            // Positions of several images lie side by side in a panel, so the sums go to a place of their own first.
            using var sums = Scratch.Rent<T>(ScratchSlot.Sums, Blocking.SumsLength);
            Multiply(images.Pointer, panel.Pointer, a, 0, count * Positions, sums.Pointer, TTile.NR);
            for (var i = 0; i < count; i++, y += (nint)Shape.Groups * Shape.Filters * Positions)
                for (nint f = 0; f < Shape.Filters; f++)
                    new Span<T>(sums.Pointer + f * TTile.NR + i * Positions, Positions)
                        .CopyTo(new Span<T>(y + f * Positions, Positions));
        }

        // One panel, from the first position on, by all filters.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Multiply(T* images, T* panel, T* a, int first, int columns, T* y, nint stride)
        {
            for (var depth = 0; depth < Blocking.K; depth += Blocking.KC)
            {
                var steps = Math.Min(Blocking.KC, Blocking.K - depth);
                Gather(images, panel, first, columns, depth, steps);
                for (var tile = 0; tile < Blocking.RowTiles; tile++)
                {
                    var row = tile * TTile.MR;
                    EdgeTile.Run<T, TTile>(
                        steps, a + (nint)row * Blocking.K + (nint)depth * TTile.MR, panel, TTile.NR,
                        y + row * stride, stride, Math.Min(TTile.MR, Shape.Filters - row), columns,
                        T.One, depth == 0 ? T.Zero : T.One);
                }
            }
        }

        // panel[step][position] for taps from depth on: im2col of one panel.
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Gather(T* images, T* panel, int first, int columns, int depth, int steps)
        {
            if (columns < TTile.NR) new Span<T>(panel, steps * TTile.NR).Clear();
            // The panel's positions as runs within output rows; those of further images follow the first's.
            var starts = stackalloc nint[TTile.NR];
            var lengths = stackalloc int[TTile.NR];
            var runs = 0;
            for (var at = first; at < first + columns;)
            {
                var (image, position) = (at / Positions, at % Positions);
                var (i, j) = (position / Shape.OutWidth, position % Shape.OutWidth);
                var length = Math.Min(Shape.OutWidth - j, first + columns - at);
                starts[runs] = image * Image.Length + i * Image.RowStep + j;
                lengths[runs++] = length;
                at += length;
            }
            for (var tap = 0; tap < Math.Min(steps, Taps - depth); tap++)
            {
                var source = images + TapOffsets[depth + tap];
                var to = panel + (nint)tap * TTile.NR;
                for (var run = 0; run < runs; run++)
                {
                    Copy(source + starts[run], to, lengths[run]);
                    to += lengths[run];
                }
                // The vectors of the last run may have gone beyond the end of a panel that is not full.
                if (columns < TTile.NR)
                    new Span<T>(panel + (nint)tap * TTile.NR + columns, TTile.NR - columns).Clear();
            }
            if (HasBias && depth + steps == Blocking.K)
                new Span<T>(panel + (nint)(Taps - depth) * TTile.NR, TTile.NR).Fill(T.One);
        }

        // Whole vectors, the last beyond the end: what it spoils is written afterwards.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Copy(T* from, T* to, int length)
        {
            if (length * sizeof(T) <= sizeof(Vector256<byte>))
            {
                Unsafe.WriteUnaligned(to, Unsafe.ReadUnaligned<Vector256<byte>>(from));
                return;
            }
            for (var i = 0; i < length; i += sizeof(Vector512<byte>) / sizeof(T))
                Unsafe.WriteUnaligned(to + i, Unsafe.ReadUnaligned<Vector512<byte>>(from + i));
        }
    }
}
