using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// y[f, position] = Σ over taps w[f, tap] · image[tap at position] + bias[f], a matrix product per sample and group. Filters are packed once;
/// each job pads one image, or as many small ones as fill a panel, and gathers panels of positions, a tile wide. The bias is one more tap, over ones.
/// </summary>
internal static unsafe class Correlation<T, TTile> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T>
{
    private const int LeastJobs = 16;

    // A gathered block of this depth lies in the second-level cache beside a tile of filters.
    private const int MostDepth = 640;

    internal static void Run(in ConvShape shape, PaddedImage image, int filters, int taps, int outHeight, int outWidth, T* x, nint sampleLength, T* w, T* bias, T* y)
    {
        if (shape.Samples == 0 || filters == 0 || outHeight * outWidth == 0) return;
        var steps = taps + (bias == null ? 0 : 1);
        var rowTiles = (filters + TTile.Rows - 1) / TTile.Rows;
        var packed = PackBuffer.Rent<T>(0, (nint)shape.Groups * rowTiles * TTile.Rows * steps);
        for (var group = 0; group < shape.Groups; group++)
            for (var tile = 0; tile < rowTiles; tile++)
            {
                var first = tile * TTile.Rows;
                var count = Math.Min(TTile.Rows, filters - first);
                var to = packed + ((nint)group * rowTiles + tile) * TTile.Rows * steps;
                Packing.Panel(w + ((nint)group * filters + first) * taps, taps, true, count, TTile.Rows, taps, to);
                if (bias == null) continue;
                for (var i = 0; i < TTile.Rows; i++) to[(nint)taps * TTile.Rows + i] = i < count ? bias[group * filters + first + i] : T.Zero;
            }
        var offsets = new nint[taps];
        for (var tap = 0; tap < taps; tap++) offsets[tap] = image.Tap(tap);
        var positions = outHeight * outWidth;
        var visit = Math.Clamp(TTile.Columns / positions, 1, shape.Samples);
        var panels = (positions * visit + TTile.Columns - 1) / TTile.Columns;
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
                HasBias = bias != null,
                Y = y,
                Offsets = taken,
                Filters = filters,
                Samples = shape.Samples,
                Groups = shape.Groups,
                Visit = visit,
                Taps = taps,
                Steps = steps,
                RowTiles = rowTiles,
                OutWidth = outWidth,
                Positions = positions,
                Panels = panels,
                Parts = parts,
                Depth = (steps + (steps + MostDepth - 1) / MostDepth - 1) / ((steps + MostDepth - 1) / MostDepth),
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
        public bool HasBias;
        public T* Y;
        public nint* Offsets;
        public int Samples, Groups, Visit, Filters, Taps, Steps, RowTiles, OutWidth, Positions, Panels, Parts, PanelsPerPart, Depth;

        public readonly void Run(int chunk)
        {
            var (index, part) = (chunk / Parts, chunk % Parts);
            var (sample, group) = (index / Groups * Visit, index % Groups);
            var count = Math.Min(Visit, Samples - sample);
            var padded = PackBuffer.Rent<T>(4, count * Image.Length);
            for (var i = 0; i < count; i++) Image.Fill(X + ((nint)(sample + i) * Groups + group) * SampleLength, padded + i * Image.Length);
            // Vectors write up to one width too far.
            var panel = PackBuffer.Rent<T>(1, (nint)Depth * TTile.Columns + 64);
            var a = Packed + (nint)group * RowTiles * TTile.Rows * Steps;
            var (y, next) = ((nint)(Y + ((nint)sample * Groups + group) * Filters * Positions), (nint)Groups * Filters * Positions);
            if (count == 1)
            {
                var last = Math.Min(Panels, (part + 1) * PanelsPerPart);
                for (var p = part * PanelsPerPart; p < last; p++)
                {
                    var first = p * TTile.Columns;
                    Multiply(padded, panel, a, first, Math.Min(TTile.Columns, Positions - first), (T*)y + first, Positions);
                }
                return;
            }
            // Positions of several images lie side by side in a panel, so the sums go to a place of their own first.
            var sums = PackBuffer.Rent<T>(2, (nint)Filters * TTile.Columns);
            Multiply(padded, panel, a, 0, count * Positions, sums, TTile.Columns);
            for (var i = 0; i < count; i++)
                for (var f = 0; f < Filters; f++)
                    new Span<T>(sums + (nint)f * TTile.Columns + i * Positions, Positions).CopyTo(new Span<T>((T*)y + i * next + (nint)f * Positions, Positions));
        }

        // Columns from the first position on, by all filters.
        private readonly void Multiply(T* padded, T* panel, T* a, int first, int columns, T* y, nint stride)
        {
            for (var depth = 0; depth < Steps; depth += Depth)
            {
                var steps = Math.Min(Depth, Steps - depth);
                Gather(padded, panel, first, columns, depth, steps);
                for (var tile = 0; tile < RowTiles; tile++)
                {
                    var row = tile * TTile.Rows;
                    GemmTile.Run<T, TTile>(steps, a + (nint)row * Steps + (nint)depth * TTile.Rows, panel, TTile.Columns, y + row * stride, stride, Math.Min(TTile.Rows, Filters - row), columns, depth == 0 ? T.Zero : T.One);
                }
            }
        }

        private readonly void Gather(T* padded, T* panel, int first, int columns, int depth, int steps)
        {
            if (columns < TTile.Columns) new Span<T>(panel, steps * TTile.Columns).Clear();
            // The panel's positions as pieces of output rows; those of further images follow the first's.
            var starts = stackalloc nint[TTile.Columns];
            var lengths = stackalloc int[TTile.Columns];
            var pieces = 0;
            for (var at = first; at < first + columns;)
            {
                var (image, position) = (at / Positions, at % Positions);
                var (i, j) = (position / OutWidth, position % OutWidth);
                var length = Math.Min(OutWidth - j, first + columns - at);
                starts[pieces] = image * Image.Length + i * Image.RowStep + j;
                lengths[pieces++] = length;
                at += length;
            }
            for (var tap = 0; tap < Math.Min(steps, Taps - depth); tap++)
            {
                var source = padded + Offsets[depth + tap];
                var to = panel + (nint)tap * TTile.Columns;
                for (var piece = 0; piece < pieces; piece++)
                {
                    Copy(source + starts[piece], to, lengths[piece]);
                    to += lengths[piece];
                }
                // The vectors of the last piece may have run over the end of a panel that is not full.
                if (columns < TTile.Columns) new Span<T>(panel + (nint)tap * TTile.Columns + columns, TTile.Columns - columns).Clear();
            }
            if (HasBias && depth + steps == Steps) new Span<T>(panel + (nint)(Taps - depth) * TTile.Columns, TTile.Columns).Fill(T.One);
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

/// <summary>A tile that may be cut off by the edge of C.</summary>
internal static unsafe class GemmTile
{
    /// <summary>C = A·B + β·C over rows × columns of the tile.</summary>
    internal static void Run<T, TTile>(nint steps, T* a, T* b, nint strideB, T* c, nint ldc, int rows, int columns, T beta) where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T>
    {
        if (rows == TTile.Rows && columns == TTile.Columns)
        {
            TTile.Run(steps, a, b, strideB, c, ldc, T.One, beta);
            return;
        }
        var whole = stackalloc T[TTile.Rows * TTile.Columns];
        TTile.Run(steps, a, b, strideB, whole, TTile.Columns, T.One, T.Zero);
        for (var i = 0; i < rows; i++)
        {
            var from = new Span<T>(whole + i * TTile.Columns, columns);
            var to = new Span<T>(c + i * ldc, columns);
            if (beta == T.Zero) from.CopyTo(to);
            else
                for (var j = 0; j < columns; j++) to[j] = T.FusedMultiplyAdd(beta, to[j], from[j]);
        }
    }
}
