using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// dw for few filters, without gathering: lanes run along an output row; a block of six filters by four taps stays in registers over a few
/// samples, and is summed across its lanes once at the end. Rows of g are padded with zeros, so what a vector reads beyond a row of the image counts 0 times.
/// Without a stride, rows of g are laid as far apart as those of the image, and all of them are one long row.
/// </summary>
internal static unsafe class DirectWeightGradient<V, T> where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private const int FilterBlock = 6;
    private const int TapBlock = 4;
    private const int LeastJobs = 8;

    // Bytes of g that stay in the first-level cache while all taps pass over them.
    private const int VisitBytes = 24 << 10;

    internal static void Run(in ConvShape shape, T* x, T* g, T* dw)
    {
        var (filters, taps) = (shape.GroupFilters, shape.Taps);
        var length = (nint)shape.Filters * taps;
        new Span<T>(dw, (int)length).Clear();
        if (shape.Samples == 0 || shape.Positions == 0 || length == 0) return;
        var image = new PaddedImage(shape.GroupChannels, shape.Height, shape.Width, shape.PadHeight, shape.PadWidth, shape, shape.StrideHeight, shape.StrideWidth, shape.OutHeight, shape.OutWidth);
        var isFlat = shape.StrideHeight == 1;
        var rowStep = isFlat ? image.RowStep : (shape.OutWidth + V.Count - 1) / V.Count * V.Count;
        var rowLength = isFlat ? ((shape.OutHeight - 1) * rowStep + shape.OutWidth + V.Count - 1) / V.Count * V.Count : rowStep;
        var (filterBlocks, tapBlocks) = ((filters + FilterBlock - 1) / FilterBlock, (taps + TapBlock - 1) / TapBlock);
        var sampleGroups = Math.Clamp(LeastJobs / (filterBlocks * shape.Groups), 1, shape.Samples);
        var offsets = new nint[tapBlocks * TapBlock];
        for (var tap = 0; tap < taps; tap++) offsets[tap] = image.Tap(tap);
        fixed (nint* taken = offsets)
        {
            var job = new Job
            {
                Shape = shape,
                Image = image,
                X = x,
                G = g,
                Offsets = taken,
                Rows = isFlat ? 1 : shape.OutHeight,
                RowLength = (int)rowLength,
                SlopeStep = rowStep,
                FilterBlocks = filterBlocks,
                TapBlocks = tapBlocks,
                Length = length,
                SampleGroups = sampleGroups,
                Sums = PackBuffer.Rent<T>(2, length * sampleGroups),
            };
            new Span<T>(job.Sums, (int)(length * sampleGroups)).Clear();
            Workers.For(filterBlocks * shape.Groups * sampleGroups, ref job);
            PartialSums.AddTo(dw, job.Sums, length, sampleGroups);
        }
    }

    private struct Job : IChunkJob
    {
        public ConvShape Shape;
        public PaddedImage Image;
        public T* X;
        public T* G;
        public T* Sums;
        public nint* Offsets;
        public nint Length, SlopeStep;
        public int Rows, RowLength, FilterBlocks, TapBlocks, SampleGroups;

        public readonly void Run(int chunk)
        {
            var block = chunk % FilterBlocks;
            var group = chunk / FilterBlocks % Shape.Groups;
            var sampleGroup = chunk / FilterBlocks / Shape.Groups;
            var (firstSample, firstFilter) = ((int)((long)sampleGroup * Shape.Samples / SampleGroups),
                block * FilterBlock);
            var samples = (int)((sampleGroup + 1L) * Shape.Samples / SampleGroups) - firstSample;
            var count = Math.Min(FilterBlock, Shape.GroupFilters - firstFilter);
            var (height, width, taps) = (Shape.OutHeight, Shape.OutWidth, Shape.Taps);
            var planeLength = (nint)Rows * RowLength;
            var visit = (int)Math.Clamp(VisitBytes / (FilterBlock * planeLength * sizeof(T)), 1, samples);
            var images = PackBuffer.Rent<T>(4, visit * Image.Length);
            var slopes = PackBuffer.Rent<T>(1, visit * FilterBlock * planeLength);
            // What lies between the rows stays zero.
            new Span<T>(slopes, (int)(visit * FilterBlock * planeLength)).Clear();
            var blockLength = FilterBlock * TapBlock * V.Count;
            var sums = PackBuffer.Rent<T>(3, (nint)TapBlocks * blockLength);
            new Span<T>(sums, TapBlocks * blockLength).Clear();
            for (var start = 0; start < samples; start += visit)
            {
                var here = Math.Min(visit, samples - start);
                for (var s = 0; s < here; s++)
                {
                    var index = (nint)(firstSample + start + s) * Shape.Groups + group;
                    Image.Fill(X + index * Shape.GroupChannels * Shape.Height * Shape.Width, images + s * Image.Length);
                    for (var f = 0; f < count; f++)
                        for (var row = 0; row < height; row++)
                            Packing.CopyRow(G + ((index * Shape.GroupFilters + firstFilter + f) * height + row) * width, slopes + (s * FilterBlock + f) * planeLength + row * SlopeStep, width);
                }
                for (var tapBlock = 0; tapBlock < TapBlocks; tapBlock++) Accumulate(here, images, slopes, planeLength, Offsets + tapBlock * TapBlock, sums + tapBlock * blockLength);
            }
            var sumWidth = (FilterBlock * TapBlock + V.Count - 1) / V.Count * V.Count;
            var turned = PackBuffer.Rent<T>(5, (nint)V.Count * sumWidth);
            for (var tapBlock = 0; tapBlock < TapBlocks; tapBlock++)
            {
                Packing.Transpose(sums + tapBlock * blockLength, V.Count, FilterBlock * TapBlock, V.Count, turned, sumWidth);
                for (var j = 0; j < sumWidth; j += V.Count)
                {
                    var sum = V.Load(turned + j);
                    for (var lane = 1; lane < V.Count; lane++) sum += V.Load(turned + lane * sumWidth + j);
                    V.Store(sum, turned + j);
                }
                var first = tapBlock * TapBlock;
                var to = Sums + sampleGroup * Length + ((nint)group * Shape.GroupFilters + firstFilter) * taps + first;
                for (var f = 0; f < count; f++)
                    for (var t = 0; t < Math.Min(TapBlock, taps - first); t++) to[f * taps + t] = turned[f * TapBlock + t];
            }
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private readonly void Accumulate(int samples, T* images, T* slopes, nint plane, nint* offsets, T* lanes)
        {
            // Statement by statement: deconstructed tuples would leave the registers.
            var p0 = V.Load(lanes + 0 * V.Count);
            var q0 = V.Load(lanes + 1 * V.Count);
            var r0 = V.Load(lanes + 2 * V.Count);
            var s0 = V.Load(lanes + 3 * V.Count);
            var p1 = V.Load(lanes + 4 * V.Count);
            var q1 = V.Load(lanes + 5 * V.Count);
            var r1 = V.Load(lanes + 6 * V.Count);
            var s1 = V.Load(lanes + 7 * V.Count);
            var p2 = V.Load(lanes + 8 * V.Count);
            var q2 = V.Load(lanes + 9 * V.Count);
            var r2 = V.Load(lanes + 10 * V.Count);
            var s2 = V.Load(lanes + 11 * V.Count);
            var p3 = V.Load(lanes + 12 * V.Count);
            var q3 = V.Load(lanes + 13 * V.Count);
            var r3 = V.Load(lanes + 14 * V.Count);
            var s3 = V.Load(lanes + 15 * V.Count);
            var p4 = V.Load(lanes + 16 * V.Count);
            var q4 = V.Load(lanes + 17 * V.Count);
            var r4 = V.Load(lanes + 18 * V.Count);
            var s4 = V.Load(lanes + 19 * V.Count);
            var p5 = V.Load(lanes + 20 * V.Count);
            var q5 = V.Load(lanes + 21 * V.Count);
            var r5 = V.Load(lanes + 22 * V.Count);
            var s5 = V.Load(lanes + 23 * V.Count);
            var (step, rows, length) = (Image.RowStep, Rows, RowLength);
            for (var sample = 0; sample < samples; sample++)
            {
                var g = slopes + sample * FilterBlock * plane;
                var (image, a, b, c, d) = ((nint)(images + sample * Image.Length), offsets[0], offsets[1], offsets[2], offsets[3]);
                for (var row = 0; row < rows; row++, image += step * sizeof(T))
                    for (var column = 0; column < length; column += V.Count, g += V.Count)
                    {
                        var x = (T*)image + column;
                        var left = V.Load(x + a);
                        var second = V.Load(x + b);
                        var third = V.Load(x + c);
                        var fourth = V.Load(x + d);
                        var y = V.Load(g);
                        p0 = V.Fma(y, left, p0);
                        q0 = V.Fma(y, second, q0);
                        r0 = V.Fma(y, third, r0);
                        s0 = V.Fma(y, fourth, s0);
                        y = V.Load(g + plane);
                        p1 = V.Fma(y, left, p1);
                        q1 = V.Fma(y, second, q1);
                        r1 = V.Fma(y, third, r1);
                        s1 = V.Fma(y, fourth, s1);
                        y = V.Load(g + 2 * plane);
                        p2 = V.Fma(y, left, p2);
                        q2 = V.Fma(y, second, q2);
                        r2 = V.Fma(y, third, r2);
                        s2 = V.Fma(y, fourth, s2);
                        y = V.Load(g + 3 * plane);
                        p3 = V.Fma(y, left, p3);
                        q3 = V.Fma(y, second, q3);
                        r3 = V.Fma(y, third, r3);
                        s3 = V.Fma(y, fourth, s3);
                        y = V.Load(g + 4 * plane);
                        p4 = V.Fma(y, left, p4);
                        q4 = V.Fma(y, second, q4);
                        r4 = V.Fma(y, third, r4);
                        s4 = V.Fma(y, fourth, s4);
                        y = V.Load(g + 5 * plane);
                        p5 = V.Fma(y, left, p5);
                        q5 = V.Fma(y, second, q5);
                        r5 = V.Fma(y, third, r5);
                        s5 = V.Fma(y, fourth, s5);
                    }
            }
            Put(lanes, p0, q0, r0, s0);
            Put(lanes + 4 * V.Count, p1, q1, r1, s1);
            Put(lanes + 8 * V.Count, p2, q2, r2, s2);
            Put(lanes + 12 * V.Count, p3, q3, r3, s3);
            Put(lanes + 16 * V.Count, p4, q4, r4, s4);
            Put(lanes + 20 * V.Count, p5, q5, r5, s5);
        }

        private static void Put(T* to, V p, V q, V r, V s)
        {
            V.Store(p, to);
            V.Store(q, to + V.Count);
            V.Store(r, to + 2 * V.Count);
            V.Store(s, to + 3 * V.Count);
        }
    }
}
