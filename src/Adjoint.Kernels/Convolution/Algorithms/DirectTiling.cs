using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

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
            Run<MicroKernel6x2>(blocking, shape, x, w, bias, y);
            return;
        }
        switch (blocking.Tile)
        {
            case (12, 2): Run<MicroKernel12x2>(blocking, shape, x, w, bias, y); break;
            case (8, 3): Run<MicroKernel8x3>(blocking, shape, x, w, bias, y); break;
            default: Run<MicroKernel6x4>(blocking, shape, x, w, bias, y); break;
        }
    }

    private static void Run<TKernel>(
        in DirectBlocking blocking, in CorrelationShape shape, T* x, T* w, T* bias, T* y)
        where TKernel : struct, IMicroKernel
    {
        using var packed = Scratch.Rent<T>(ScratchSlot.PackedA, blocking.PackedLength);
        shape.Pack(w, TKernel.MR, blocking.TileLength, packed.Pointer);
        fixed (nint* offsets = blocking.Image.TapOffsets())
        {
            var job = new Job<TKernel>
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

    private struct Job<TKernel> : IChunkJob where TKernel : struct, IMicroKernel
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

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private readonly void Panel(T* image, int panel, T* a, int firstTile, int lastTile, T* bias, T* y)
        {
            var inputs = stackalloc T*[TKernel.Vectors];
            // A segment is what a vector holds of one row: where it goes in a plane of y, and how many lanes count.
            var segments = TKernel.Vectors * TLoad.Rows;
            var targets = stackalloc nint[segments];
            var lengths = stackalloc int[segments];
            // Room behind the last segment, which is read as a whole vector.
            var tile = stackalloc T[TKernel.MR * TKernel.Vectors * V.Count + V.Count];
            for (var v = 0; v < TKernel.Vectors; v++)
            {
                var vector = panel * TKernel.Vectors + v;
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
                var first = t * TKernel.MR;
                DirectTile<TKernel, V, T, TLoad>.Run(
                    Taps, a + (nint)first * Taps, inputs, TapOffsets, Image.RowStep, tile);
                for (var r = 0; r < TKernel.MR && first + r < Filters; r++)
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
