using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// The same sum as <see cref="Correlation{T, TTile}"/> without gathering: lanes run along an output row, whose inputs are neighbours in the padded image
/// for every tap. For rows that fill their vectors well.
/// </summary>
internal static unsafe class DirectCorrelation<V, T, TTile> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, IDirectTile<V, T>
{
    private const int LeastJobs = 16;

    /// <summary>The share of lanes that rows of this width fill.</summary>
    internal static double Fill(int outWidth) => (double)outWidth / ((outWidth + V.Count - 1) / V.Count * V.Count);

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
        var perRow = (outWidth + V.Count - 1) / V.Count;
        var panels = (outHeight * perRow + TTile.Vectors - 1) / TTile.Vectors;
        var images = shape.Samples * shape.Groups;
        var parts = Math.Clamp((LeastJobs + images - 1) / images, 1, panels);
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
                Groups = shape.Groups,
                Taps = taps,
                RowTiles = rowTiles,
                OutHeight = outHeight,
                OutWidth = outWidth,
                VectorsPerRow = perRow,
                Panels = panels,
                Parts = parts,
                PanelsPerPart = (panels + parts - 1) / parts,
            };
            Workers.For(images * parts, ref job);
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
        public int Filters, Groups, Taps, RowTiles, OutHeight, OutWidth, VectorsPerRow, Panels, Parts, PanelsPerPart;

        public readonly void Run(int chunk)
        {
            var (index, part) = (chunk / Parts, chunk % Parts);
            var padded = PackBuffer.Rent<T>(4, Image.Length);
            Image.Fill(X + index * SampleLength, padded);
            var positions = (nint)OutHeight * OutWidth;
            var y = Y + index * Filters * positions;
            var a = Packed + (nint)(index % Groups) * RowTiles * TTile.Rows * Taps;
            var at = stackalloc T*[TTile.Vectors];
            var targets = stackalloc nint[TTile.Vectors];
            var lengths = stackalloc int[TTile.Vectors];
            var tile = stackalloc T[TTile.Rows * TTile.Vectors * V.Count];
            var last = Math.Min(Panels, (part + 1) * PanelsPerPart);
            for (var panel = part * PanelsPerPart; panel < last; panel++)
            {
                for (var v = 0; v < TTile.Vectors; v++)
                {
                    var vector = panel * TTile.Vectors + v;
                    var (row, column) = (vector / VectorsPerRow, vector % VectorsPerRow * V.Count);
                    var exists = row < OutHeight;
                    at[v] = padded + (exists ? row * Image.RowStep + column : 0);
                    targets[v] = (nint)row * OutWidth + column;
                    lengths[v] = exists ? Math.Min(V.Count, OutWidth - column) : 0;
                }
                for (var t = 0; t < RowTiles; t++)
                {
                    var first = t * TTile.Rows;
                    TTile.Run(Taps, a + (nint)first * Taps, at, Offsets, tile);
                    for (var r = 0; r < TTile.Rows && first + r < Filters; r++)
                    {
                        var add = Bias == null ? T.Zero : Bias[index % Groups * Filters + first + r];
                        for (var v = 0; v < TTile.Vectors; v++) Put(tile + (r * TTile.Vectors + v) * V.Count, add, y + (first + r) * positions + targets[v], lengths[v]);
                    }
                }
            }
        }

        private static void Put(T* from, T add, T* to, int length)
        {
            if (length == V.Count) V.Store(V.Load(from) + V.Splat(add), to);
            else V.StoreFirst(V.Load(from) + V.Splat(add), to, length);
        }
    }
}
