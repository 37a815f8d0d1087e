using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The same sum as <see cref="Correlation{T, TTile}"/> without gathering: lanes run along an output row, whose inputs are neighbours in the padded image
/// for every tap. For rows, or pairs of rows, that fill their vectors well.
/// </summary>
internal static unsafe class DirectCorrelation<V, T, TTile, TLoad>
    where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, IDirectTile<V, T> where TLoad : struct, IRowLoad<V, T>
{
    private const int LeastJobs = 16;

    // Filters up to this size stay in the second-level cache while one image passes; larger ones pass over several images at a time.
    private const int MostFilterBytes = 512 << 10;
    private const int VisitBytes = 384 << 10;

    // Lanes of one row in a vector.
    private static int Piece
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => V.Count / TLoad.Rows;
    }

    internal static void Run(in ConvShape shape, PaddedImage image, int filters, int taps, int outHeight, int outWidth, T* x, nint sampleLength, T* w, T* bias, T* y)
    {
        if (shape.Samples == 0 || filters == 0 || outHeight * outWidth == 0) return;
        var rowTiles = (filters + TTile.Rows - 1) / TTile.Rows;
        var packed = PackBuffer.Rent<T>(0, (nint)shape.Groups * rowTiles * TTile.Rows * taps);
        for (var group = 0; group < shape.Groups; group++)
            for (var tile = 0; tile < rowTiles; tile++)
            {
                var first = tile * TTile.Rows;
                Packing.Panel(w + ((nint)group * filters + first) * taps, taps, true, Math.Min(TTile.Rows, filters - first), TTile.Rows, taps, packed + ((nint)group * rowTiles + tile) * TTile.Rows * taps);
            }
        var offsets = new nint[taps];
        for (var tap = 0; tap < taps; tap++) offsets[tap] = image.Tap(tap);
        var perRow = (outWidth + Piece - 1) / Piece;
        var panels = ((outHeight + TLoad.Rows - 1) / TLoad.Rows * perRow + TTile.Vectors - 1) / TTile.Vectors;
        var visit = (long)rowTiles * TTile.Rows * taps * sizeof(T) <= MostFilterBytes ? 1 : (int)Math.Clamp(VisitBytes / (image.Length * sizeof(T)), 1, Math.Max(1, shape.Samples / LeastJobs));
        var visits = shape.Groups * ((shape.Samples + visit - 1) / visit);
        var parts = Math.Clamp((LeastJobs + visits - 1) / visits, 1, panels);
        fixed (nint* taken = offsets)
        {
            var job = new Job
            {
                Image = image,
                X = x,
                SampleLength = sampleLength,
                Packed = packed,
                Bias = bias,
                Y = y,
                Offsets = taken,
                Filters = filters,
                Samples = shape.Samples,
                Groups = shape.Groups,
                Visit = visit,
                Taps = taps,
                RowTiles = rowTiles,
                OutHeight = outHeight,
                OutWidth = outWidth,
                VectorsPerRow = perRow,
                Panels = panels,
                Parts = parts,
                PanelsPerPart = (panels + parts - 1) / parts,
            };
            Workers.For(visits * parts, ref job);
        }
    }

    private struct Job : IChunkJob
    {
        public PaddedImage Image;
        public T* X;
        public nint SampleLength;
        public T* Packed;
        public T* Bias;
        public T* Y;
        public nint* Offsets;
        public int Samples, Groups, Visit, Filters, Taps, RowTiles, OutHeight, OutWidth, VectorsPerRow, Panels, Parts, PanelsPerPart;

        public readonly void Run(int chunk)
        {
            var (index, part) = (chunk / Parts, chunk % Parts);
            var (first, group) = (index / Groups * Visit, index % Groups);
            var count = Math.Min(Visit, Samples - first);
            var padded = PackBuffer.Rent<T>(4, count * Image.Length);
            for (var i = 0; i < count; i++) Image.Fill(X + ((nint)(first + i) * Groups + group) * SampleLength, padded + i * Image.Length);
            var a = Packed + (nint)group * RowTiles * TTile.Rows * Taps;
            var bias = Bias == null ? null : Bias + (nint)group * Filters;
            var y = Y + ((nint)first * Groups + group) * Filters * OutHeight * OutWidth;
            var next = (nint)Groups * Filters * OutHeight * OutWidth;
            var (firstPanel, lastPanel) = (part * PanelsPerPart, Math.Min(Panels, (part + 1) * PanelsPerPart));
            if (Visit == 1)
            {
                for (var panel = firstPanel; panel < lastPanel; panel++) Panel(padded, panel, a, 0, RowTiles, bias, y);
                return;
            }
            for (var tile = 0; tile < RowTiles; tile++)
                for (var i = 0; i < count; i++)
                    for (var panel = firstPanel; panel < lastPanel; panel++)
                        Panel(padded + i * Image.Length, panel, a, tile, tile + 1, bias, y + i * next);
        }

        // A panel of positions of one image by some tiles of filters.
        private readonly void Panel(T* padded, int panel, T* a, int firstTile, int lastTile, T* bias, T* y)
        {
            var at = stackalloc T*[TTile.Vectors];
            var pieces = TTile.Vectors * TLoad.Rows;
            var targets = stackalloc nint[pieces];
            var lengths = stackalloc int[pieces];
            // Room behind the last piece, which is read as a whole vector.
            var tile = stackalloc T[TTile.Rows * TTile.Vectors * V.Count + V.Count];
            for (var v = 0; v < TTile.Vectors; v++)
            {
                var vector = panel * TTile.Vectors + v;
                // The last vector of a row goes back over the end of the one before.
                var (row, column) = (vector / VectorsPerRow * TLoad.Rows, Math.Min(vector % VectorsPerRow * Piece, Math.Max(0, OutWidth - Piece)));
                at[v] = padded + (row < OutHeight ? row * Image.RowStep + column : 0);
                for (var i = 0; i < TLoad.Rows; i++)
                {
                    targets[v * TLoad.Rows + i] = (nint)(row + i) * OutWidth + column;
                    lengths[v * TLoad.Rows + i] = row + i < OutHeight ? Math.Min(Piece, OutWidth - column) : 0;
                }
            }
            for (var t = firstTile; t < lastTile; t++)
            {
                var first = t * TTile.Rows;
                TTile.Run<TLoad>(Taps, a + (nint)first * Taps, at, Offsets, Image.RowStep, tile);
                for (var r = 0; r < TTile.Rows && first + r < Filters; r++)
                {
                    var add = bias == null ? T.Zero : bias[first + r];
                    for (var i = 0; i < pieces; i++) Put(tile + (r * pieces + i) * Piece, add, y + (nint)(first + r) * OutHeight * OutWidth + targets[i], lengths[i]);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Put(T* from, T add, T* to, int length)
        {
            if (length == V.Count) V.Store(V.Load(from) + V.Splat(add), to);
            else V.StoreFirst(V.Load(from) + V.Splat(add), to, length);
        }
    }
}
