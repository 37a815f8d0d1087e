using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The same sum as <see cref="Correlation{T, TTile}"/> with a lane for each filter: sums of ten neighbouring outputs in each of two rows stay in registers, and every input
/// is read where it lies and spread over the lanes. For few filters that fill a vector, over rows that do not.
/// </summary>
internal static unsafe class FilterLaneCorrelation<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Outputs of a row at a time.</summary>
    internal const int Columns = 10;

    private const int LeastJobs = 16;

    internal static void Run(in ConvShape shape, PaddedImage image, int filters, int taps, int outHeight, int outWidth, T* x, nint sampleLength, T* w, T* bias, T* y)
    {
        if (shape.Samples == 0 || filters == 0 || outHeight * outWidth == 0) return;
        var vectors = (filters + V.Count - 1) / V.Count;
        // The bias is the first tap's row.
        var packed = PackBuffer.Rent<T>(0, (nint)shape.Groups * vectors * V.Count * (taps + 1));
        for (var group = 0; group < shape.Groups; group++)
            for (var vector = 0; vector < vectors; vector++)
            {
                var first = group * filters + vector * V.Count;
                var count = Math.Min(V.Count, filters - vector * V.Count);
                var to = packed + ((nint)group * vectors + vector) * V.Count * (taps + 1);
                for (var i = 0; i < V.Count; i++) to[i] = bias == null || i >= count ? T.Zero : bias[first + i];
                Packing.Panel(w + (nint)first * taps, taps, true, count, V.Count, taps, to + V.Count);
            }
        var offsets = new nint[taps];
        for (var tap = 0; tap < taps; tap++) offsets[tap] = image.Tap(tap);
        var pairs = (outHeight + 1) / 2;
        var images = shape.Samples * shape.Groups;
        var parts = Math.Clamp((LeastJobs + images - 1) / images, 1, pairs);
        fixed (nint* taken = offsets)
        {
            var job = new Job
            {
                Image = image,
                X = x,
                SampleLength = sampleLength,
                Packed = packed,
                Y = y,
                Offsets = taken,
                Filters = filters,
                Groups = shape.Groups,
                Taps = taps,
                Vectors = vectors,
                OutHeight = outHeight,
                OutWidth = outWidth,
                Pairs = pairs,
                Parts = parts,
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
        public T* Y;
        public nint* Offsets;
        public int Filters, Groups, Taps, Vectors, OutHeight, OutWidth, Pairs, Parts;

        public readonly void Run(int chunk)
        {
            var (index, part) = (chunk / Parts, chunk % Parts);
            var padded = PackBuffer.Rent<T>(4, Image.Length);
            Image.Fill(X + index * SampleLength, padded);
            var perPart = (Pairs + Parts - 1) / Parts;
            var (firstRow, lastRow) = (part * perPart * 2, Math.Min(OutHeight, (part + 1) * perPart * 2));
            if (firstRow >= lastRow) return;
            // Position by position, with room for the second row of the last pair.
            var lanes = PackBuffer.Rent<T>(1, (nint)2 * perPart * OutWidth * V.Count);
            var positions = (nint)OutHeight * OutWidth;
            for (var vector = 0; vector < Vectors; vector++)
            {
                var a = Packed + ((nint)(index % Groups) * Vectors + vector) * V.Count * (Taps + 1);
                for (var row = firstRow; row < lastRow; row += 2)
                    for (var column = 0; column < OutWidth; column += Columns)
                        Tile(Taps, a, padded + row * Image.RowStep + column, Image.RowStep, Offsets, lanes + ((nint)(row - firstRow) * OutWidth + column) * V.Count, (nint)OutWidth * V.Count);
                Packing.Transpose(lanes, V.Count, (lastRow - firstRow) * OutWidth, Math.Min(V.Count, Filters - vector * V.Count), Y + ((nint)index * Filters + vector * V.Count) * positions + (nint)firstRow * OutWidth, positions);
            }
        }

        // Spelled out, because the compiler keeps arrays out of registers.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Tile(nint taps, T* a, T* image, nint step, nint* offsets, T* tile, nint nextRow)
        {
            var p0 = V.Load(a);
            var p1 = V.Load(a);
            var p2 = V.Load(a);
            var p3 = V.Load(a);
            var p4 = V.Load(a);
            var p5 = V.Load(a);
            var p6 = V.Load(a);
            var p7 = V.Load(a);
            var p8 = V.Load(a);
            var p9 = V.Load(a);
            var q0 = V.Load(a);
            var q1 = V.Load(a);
            var q2 = V.Load(a);
            var q3 = V.Load(a);
            var q4 = V.Load(a);
            var q5 = V.Load(a);
            var q6 = V.Load(a);
            var q7 = V.Load(a);
            var q8 = V.Load(a);
            var q9 = V.Load(a);
            for (nint tap = 0; tap < taps; tap++)
            {
                a += V.Count;
                var x = image + offsets[tap];
                var filter = V.Load(a);
                p0 = V.FmaSplat(filter, x, p0);
                p1 = V.FmaSplat(filter, x + 1, p1);
                p2 = V.FmaSplat(filter, x + 2, p2);
                p3 = V.FmaSplat(filter, x + 3, p3);
                p4 = V.FmaSplat(filter, x + 4, p4);
                p5 = V.FmaSplat(filter, x + 5, p5);
                p6 = V.FmaSplat(filter, x + 6, p6);
                p7 = V.FmaSplat(filter, x + 7, p7);
                p8 = V.FmaSplat(filter, x + 8, p8);
                p9 = V.FmaSplat(filter, x + 9, p9);
                x += step;
                q0 = V.FmaSplat(filter, x, q0);
                q1 = V.FmaSplat(filter, x + 1, q1);
                q2 = V.FmaSplat(filter, x + 2, q2);
                q3 = V.FmaSplat(filter, x + 3, q3);
                q4 = V.FmaSplat(filter, x + 4, q4);
                q5 = V.FmaSplat(filter, x + 5, q5);
                q6 = V.FmaSplat(filter, x + 6, q6);
                q7 = V.FmaSplat(filter, x + 7, q7);
                q8 = V.FmaSplat(filter, x + 8, q8);
                q9 = V.FmaSplat(filter, x + 9, q9);
            }
            V.Store(p0, tile + 0 * V.Count);
            V.Store(p1, tile + 1 * V.Count);
            V.Store(p2, tile + 2 * V.Count);
            V.Store(p3, tile + 3 * V.Count);
            V.Store(p4, tile + 4 * V.Count);
            V.Store(p5, tile + 5 * V.Count);
            V.Store(p6, tile + 6 * V.Count);
            V.Store(p7, tile + 7 * V.Count);
            V.Store(p8, tile + 8 * V.Count);
            V.Store(p9, tile + 9 * V.Count);
            V.Store(q0, tile + nextRow + 0 * V.Count);
            V.Store(q1, tile + nextRow + 1 * V.Count);
            V.Store(q2, tile + nextRow + 2 * V.Count);
            V.Store(q3, tile + nextRow + 3 * V.Count);
            V.Store(q4, tile + nextRow + 4 * V.Count);
            V.Store(q5, tile + nextRow + 5 * V.Count);
            V.Store(q6, tile + nextRow + 6 * V.Count);
            V.Store(q7, tile + nextRow + 7 * V.Count);
            V.Store(q8, tile + nextRow + 8 * V.Count);
            V.Store(q9, tile + nextRow + 9 * V.Count);
        }
    }
}
