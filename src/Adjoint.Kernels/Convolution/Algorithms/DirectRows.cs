using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Direct convolution along output rows: lanes are neighboring positions of a row, whose inputs are neighbors in the
/// padded image for every tap, so that nothing is gathered. A micro-kernel of MR filters by some vectors of positions
/// adds all taps in registers. For rows that fill their vectors well; few filters would make little use of gathered
/// panels.
/// </summary>
internal sealed unsafe class DirectRows<T>(ConvDirection direction)
    : CorrelationAlgorithm<T>("direct-rows", direction) where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    // Of the lanes of vectors that rows, or pairs of rows, fill.
    private const double MinFill = 0.7, MinFillOfFewFilters = 0.5;
    private const int FewFilters = 24;

    /// <summary>Whether a share of lanes that do work is enough.</summary>
    internal static bool IsFull(double fill, int filters) =>
        fill >= (filters <= FewFilters ? MinFillOfFewFilters : MinFill);

    /// <summary>The share of lanes that do work, with vectors along single rows.</summary>
    internal static double RowFill(in CorrelationShape shape) =>
        (double)shape.OutWidth / ((shape.OutWidth + Lanes - 1) / Lanes * Lanes);

    /// <summary>The same with half a vector along each of two rows; 0 for rows longer than that.</summary>
    internal static double PairFill(in CorrelationShape shape) => 2 * shape.OutWidth <= Lanes
        ? (double)shape.OutHeight * shape.OutWidth / ((shape.OutHeight + 1) / 2 * Lanes)
        : 0;

    protected override bool Supports(in CorrelationShape shape) => Simd.Width >= 256 && shape.Taps <= MaxTaps;

    protected override bool IsPreferred(in CorrelationShape shape) =>
        IsFull(RowFill(shape), shape.Filters) && PairFill(shape) <= RowFill(shape);

    protected override nint ScratchElements(in CorrelationShape shape) =>
        DirectBlocking.Fit<T>(shape, rowsPerVector: 1).ScratchElements;

    protected override void Run(in CorrelationShape shape, T* x, T* w, T* bias, T* y) =>
        Simd.Widest<T, Kernel>(new(shape, x, w, bias, y));

    private readonly struct Kernel(in CorrelationShape shape, T* x, T* w, T* bias, T* y) : IVectorKernel<T>
    {
        private readonly CorrelationShape shape = shape;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> =>
            DirectTiling<V, T, OneRow<V, T>>.Run(shape, x, w, bias, y);
    }
}

/// <summary>
/// <see cref="DirectRows{T}"/> with half of a vector along an output row and half along the next, for rows too short
/// for a vector.
/// </summary>
internal sealed unsafe class DirectRowPairs<T>(ConvDirection direction)
    : CorrelationAlgorithm<T>("direct-row-pairs", direction) where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    protected override bool Supports(in CorrelationShape shape) => Simd.Width == 512 && shape.Taps <= MaxTaps;

    protected override bool IsPreferred(in CorrelationShape shape) =>
        DirectRows<T>.PairFill(shape) > DirectRows<T>.RowFill(shape)
        && DirectRows<T>.IsFull(DirectRows<T>.PairFill(shape), shape.Filters);

    protected override nint ScratchElements(in CorrelationShape shape) =>
        DirectBlocking.Fit<T>(shape, rowsPerVector: 2).ScratchElements;

    protected override void Run(in CorrelationShape shape, T* x, T* w, T* bias, T* y) =>
        DirectTiling<V512<T>, T, TwoRows<V512<T>, T>>.Run(shape, x, w, bias, y);
}

/// <summary>How a direct convolution along rows is cut into blocks.</summary>
internal readonly unsafe struct DirectBlocking
{
    private const int MinJobs = 16;

    // Filters up to this size stay in the second-level cache while one image passes; larger ones pass over several
    // images at a time.
    private const int MaxFilterBytes = 512 << 10;
    private const int ImageBlockBytes = 384 << 10;

    private DirectBlocking(
        in CorrelationShape shape, (int Rows, int Vectors) tile, int rowsPerVector, int lanesPerRow, int elementSize)
    {
        Tile = tile;
        Image = shape.Image();
        if (shape.IsEmpty) return;
        RowTiles = (shape.Filters + tile.Rows - 1) / tile.Rows;
        VectorsPerRow = (shape.OutWidth + lanesPerRow - 1) / lanesPerRow;
        var vectors = (shape.OutHeight + rowsPerVector - 1) / rowsPerVector * VectorsPerRow;
        Panels = (vectors + tile.Vectors - 1) / tile.Vectors;
        ImagesPerBlock = (long)RowTiles * tile.Rows * shape.Taps * elementSize <= MaxFilterBytes
            ? 1
            : (int)Math.Clamp(ImageBlockBytes / (Image.Length * elementSize), 1, Math.Max(1, shape.Samples / MinJobs));
        var imageBlocks = shape.Groups * ((shape.Samples + ImagesPerBlock - 1) / ImagesPerBlock);
        PanelBlocks = Math.Clamp((MinJobs + imageBlocks - 1) / imageBlocks, 1, Panels);
        PanelsPerBlock = (Panels + PanelBlocks - 1) / PanelBlocks;
        Jobs = imageBlocks * PanelBlocks;
        TileLength = (nint)tile.Rows * shape.Taps;
        PackedLength = shape.Groups * RowTiles * TileLength;
    }

    /// <summary>Filters (MR) and vectors of positions of the micro-kernel.</summary>
    internal (int Rows, int Vectors) Tile { get; }

    internal PaddedImage Image { get; }

    /// <summary>Tiles of MR filters of a group.</summary>
    internal int RowTiles { get; }

    /// <summary>Vectors of an output row, or of a pair of them.</summary>
    internal int VectorsPerRow { get; }

    /// <summary>Panels of NR vectors of an image.</summary>
    internal int Panels { get; }

    /// <summary>Images that a tile of filters passes over before the next tile does.</summary>
    internal int ImagesPerBlock { get; }

    /// <summary>Blocks of panels, where there are few images: each a job.</summary>
    internal int PanelBlocks { get; }

    internal int PanelsPerBlock { get; }

    internal int Jobs { get; }

    /// <summary>Elements of a packed tile of filters.</summary>
    internal nint TileLength { get; }

    internal nint PackedLength { get; }

    internal nint ImagesLength => ImagesPerBlock * Image.Length;

    internal nint ScratchElements => PackedLength + ImagesLength;

    /// <summary>With the micro-kernel that wastes the fewest rows and vectors.</summary>
    internal static DirectBlocking Fit<T>(in CorrelationShape shape, int rowsPerVector) where T : unmanaged
    {
        var lanesPerRow = Simd.Width / (8 * sizeof(T)) / rowsPerVector;
        // Only AVX-512 has the 32 registers that a tile of 24 accumulators needs.
        var tile = Simd.Width < 512 ? (6, 2) : LeastWaste(shape, rowsPerVector, lanesPerRow);
        return new(shape, tile, rowsPerVector, lanesPerRow, sizeof(T));
    }

    private static (int Rows, int Vectors) LeastWaste(in CorrelationShape shape, int rowsPerVector, int lanesPerRow)
    {
        var perRow = (shape.OutWidth + lanesPerRow - 1) / lanesPerRow;
        var vectors = (shape.OutHeight + rowsPerVector - 1) / rowsPerVector * perRow;
        var filters = shape.Filters;
        double Work(int rows, int columns) =>
            (double)((filters + rows - 1) / rows * rows) * ((vectors + columns - 1) / columns * columns);
        var (wide, middle, narrow) = (Work(12, 2), Work(8, 3), Work(6, 4));
        return wide <= middle && wide <= narrow ? (12, 2) : middle <= narrow ? (8, 3) : (6, 4);
    }
}

/// <summary>The loops around a direct micro-kernel, for vectors along one or two rows.</summary>
internal static unsafe class DirectTiling<V, T, TLoad>
    where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    where TLoad : struct, IRowLoad<V, T>
{
    // Lanes of one row in a vector.
    private static int LanesPerRow
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => V.Count / TLoad.Rows;
    }

    internal static void Run(in CorrelationShape shape, T* x, T* w, T* bias, T* y)
    {
        var blocking = DirectBlocking.Fit<T>(shape, TLoad.Rows);
        if (shape.IsEmpty) return;
        if (Simd.Width < 512)
        {
            Run<DirectTile6x2<V, T>>(blocking, shape, x, w, bias, y);
            return;
        }
        switch (blocking.Tile)
        {
            case (12, 2): Run<DirectTile12x2<V, T>>(blocking, shape, x, w, bias, y); break;
            case (8, 3): Run<DirectTile8x3<V, T>>(blocking, shape, x, w, bias, y); break;
            default: Run<DirectTile6x4<V, T>>(blocking, shape, x, w, bias, y); break;
        }
    }

    private static void Run<TTile>(
        in DirectBlocking blocking, in CorrelationShape shape, T* x, T* w, T* bias, T* y)
        where TTile : struct, IDirectTile<V, T>
    {
        using var packed = Scratch.Rent<T>(ScratchSlot.PackedA, blocking.PackedLength);
        shape.Pack(w, TTile.Rows, blocking.TileLength, packed.Pointer);
        fixed (nint* offsets = blocking.Image.TapOffsets())
        {
            var job = new Job<TTile>
            {
                Shape = shape,
                Blocking = blocking,
                Image = blocking.Image,
                X = x,
                Packed = packed.Pointer,
                Bias = bias,
                Y = y,
                TapOffsets = offsets,
                Taps = shape.Taps,
                Filters = shape.Filters,
                OutHeight = shape.OutHeight,
                OutWidth = shape.OutWidth,
                VectorsPerRow = blocking.VectorsPerRow,
            };
            Workers.For(blocking.Jobs, ref job);
        }
    }

    private struct Job<TTile> : IChunkJob where TTile : struct, IDirectTile<V, T>
    {
        public CorrelationShape Shape;
        public DirectBlocking Blocking;
        public PaddedImage Image;
        public T* X;
        public T* Packed;
        public T* Bias;
        public T* Y;
        public nint* TapOffsets;
        public int Taps, Filters, OutHeight, OutWidth, VectorsPerRow;

        public readonly void Run(int chunk)
        {
            var (index, panelBlock) = (chunk / Blocking.PanelBlocks, chunk % Blocking.PanelBlocks);
            var (first, group) = (index / Shape.Groups * Blocking.ImagesPerBlock, index % Shape.Groups);
            var count = Math.Min(Blocking.ImagesPerBlock, Shape.Samples - first);
            using var images = Scratch.Rent<T>(ScratchSlot.Image, Blocking.ImagesLength);
            var padded = images.Pointer;
            for (var i = 0; i < count; i++)
                Image.Fill(
                    X + ((nint)(first + i) * Shape.Groups + group) * Shape.SampleLength, padded + i * Image.Length);
            var a = Packed + group * Blocking.RowTiles * Blocking.TileLength;
            var bias = Bias == null ? null : Bias + (nint)group * Filters;
            var y = Y + ((nint)first * Shape.Groups + group) * Filters * OutHeight * OutWidth;
            var next = (nint)Shape.Groups * Filters * OutHeight * OutWidth;
            var firstPanel = panelBlock * Blocking.PanelsPerBlock;
            var lastPanel = Math.Min(Blocking.Panels, firstPanel + Blocking.PanelsPerBlock);
            if (Blocking.ImagesPerBlock == 1)
            {
                for (var panel = firstPanel; panel < lastPanel; panel++)
                    Panel(padded, panel, a, 0, Blocking.RowTiles, bias, y);
                return;
            }
            for (var tile = 0; tile < Blocking.RowTiles; tile++)
                for (var i = 0; i < count; i++)
                    for (var panel = firstPanel; panel < lastPanel; panel++)
                        Panel(padded + i * Image.Length, panel, a, tile, tile + 1, bias, y + i * next);
        }

        // A panel of positions of one image by some tiles of filters.
        private readonly void Panel(T* image, int panel, T* a, int firstTile, int lastTile, T* bias, T* y)
        {
            var inputs = stackalloc T*[TTile.Vectors];
            // A segment is what a vector holds of one row: where it goes in a plane of y, and how many lanes count.
            var segments = TTile.Vectors * TLoad.Rows;
            var targets = stackalloc nint[segments];
            var lengths = stackalloc int[segments];
            // Room behind the last segment, which is read as a whole vector.
            var tile = stackalloc T[TTile.Rows * TTile.Vectors * V.Count + V.Count];
            for (var v = 0; v < TTile.Vectors; v++)
            {
                var vector = panel * TTile.Vectors + v;
                var row = vector / VectorsPerRow * TLoad.Rows;
                // The last vector of a row goes back over the end of the one before.
                var column = Math.Min(vector % VectorsPerRow * LanesPerRow, Math.Max(0, OutWidth - LanesPerRow));
                inputs[v] = image + (row < OutHeight ? row * Image.RowStep + column : 0);
                for (var i = 0; i < TLoad.Rows; i++)
                {
                    targets[v * TLoad.Rows + i] = (nint)(row + i) * OutWidth + column;
                    lengths[v * TLoad.Rows + i] = row + i < OutHeight ? Math.Min(LanesPerRow, OutWidth - column) : 0;
                }
            }
            for (var t = firstTile; t < lastTile; t++)
            {
                var first = t * TTile.Rows;
                TTile.Run<TLoad>(Taps, a + (nint)first * Taps, inputs, TapOffsets, Image.RowStep, tile);
                for (var r = 0; r < TTile.Rows && first + r < Filters; r++)
                {
                    var add = bias == null ? T.Zero : bias[first + r];
                    var plane = y + (nint)(first + r) * OutHeight * OutWidth;
                    for (var i = 0; i < segments; i++)
                        Store(tile + (r * segments + i) * LanesPerRow, add, plane + targets[i], lengths[i]);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store(T* from, T add, T* to, int length)
        {
            if (length == V.Count) V.Store(V.Load(from) + V.Splat(add), to);
            else V.StoreFirst(V.Load(from) + V.Splat(add), to, length);
        }
    }
}
