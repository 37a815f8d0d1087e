using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// dw[f, tap] = Σ over samples and positions g[f, position] · image[tap at position]: a matrix product whose inner axis runs over samples and positions,
/// in that order. Gradients are packed once, images padded once; each job gathers its panel of taps sample by sample. Where taps
/// are too few to share out, samples are cut into groups at fixed places, whose sums are added in order.
/// </summary>
internal static unsafe class WeightGradient<T, TTile> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TTile : struct, ITile<T>
{
    private const int LeastJobs = 8;

    internal static void Run(in ConvShape shape, T* x, T* g, T* dw)
    {
        var (filters, taps, positions) = (shape.GroupFilters, shape.Taps, shape.Positions);
        var length = (nint)shape.Filters * taps;
        new Span<T>(dw, (int)length).Clear();
        if (shape.Samples == 0 || positions == 0 || length == 0) return;
        var image = new PaddedImage(shape.GroupChannels, shape.Height, shape.Width, shape.PadHeight, shape.PadWidth, shape, shape.StrideHeight, shape.StrideWidth, shape.OutHeight, shape.OutWidth);
        var rowTiles = (filters + TTile.Rows - 1) / TTile.Rows;
        var panels = (taps + TTile.Columns - 1) / TTile.Columns;
        var sampleGroups = Math.Clamp(LeastJobs / (panels * shape.Groups), 1, shape.Samples);
        var offsets = new nint[taps];
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
                RowTiles = rowTiles,
                Panels = panels,
                Positions = positions,
                Taps = taps,
                Filters = filters,
                Padded = PackBuffer.Rent<T>(5, image.Length * shape.Samples * shape.Groups),
                Packed = PackBuffer.Rent<T>(0, (nint)shape.Samples * shape.Groups * rowTiles * TTile.Rows * positions),
                SamplesPerGroup = (shape.Samples + sampleGroups - 1) / sampleGroups,
                Sums = sampleGroups == 1 ? dw : PackBuffer.Rent<T>(2, length * sampleGroups),
                Length = length,
            };
            var preparation = new Preparation { Job = job };
            Workers.For(shape.Samples * shape.Groups, ref preparation);
            Workers.For(panels * shape.Groups * sampleGroups, ref job);
            if (sampleGroups == 1) return;
            PartialSums.AddTo(dw, job.Sums, length, sampleGroups);
        }
    }

    private struct Preparation : IChunkJob
    {
        public Job Job;

        public readonly void Run(int index)
        {
            var job = Job;
            job.Image.Fill(job.X + (nint)index * job.Shape.GroupChannels * job.Shape.Height * job.Shape.Width, job.Padded + index * job.Image.Length);
            for (var tile = 0; tile < job.RowTiles; tile++)
            {
                var first = tile * TTile.Rows;
                Packing.Panel(job.G + ((nint)index * job.Filters + first) * job.Positions, job.Positions, true, Math.Min(TTile.Rows, job.Filters - first), TTile.Rows, job.Positions,
                    job.Packed + ((nint)index * job.RowTiles + tile) * TTile.Rows * job.Positions);
            }
        }
    }

    private struct Job : IChunkJob
    {
        public ConvShape Shape;
        public PaddedImage Image;
        public T* X;
        public T* G;
        public T* Padded;
        public T* Packed;
        public T* Sums;
        public nint* Offsets;
        public nint Length;
        public int RowTiles, Panels, Positions, Taps, Filters, SamplesPerGroup;

        public readonly void Run(int chunk)
        {
            var panel = chunk % Panels;
            var group = chunk / Panels % Shape.Groups;
            var sampleGroup = chunk / Panels / Shape.Groups;
            var firstTap = panel * TTile.Columns;
            var columns = Math.Min(TTile.Columns, Taps - firstTap);
            var gathered = PackBuffer.Rent<T>(1, (nint)Positions * TTile.Columns);
            if (columns < TTile.Columns) new Span<T>(gathered, Positions * TTile.Columns).Clear();
            var target = Sums + sampleGroup * Length + (nint)group * Filters * Taps + firstTap;
            var firstSample = sampleGroup * SamplesPerGroup;
            var lastSample = Math.Min(Shape.Samples, firstSample + SamplesPerGroup);
            if (firstSample >= lastSample)
                for (var f = 0; f < Filters; f++) new Span<T>(target + (nint)f * Taps, columns).Clear();
            for (var sample = firstSample; sample < lastSample; sample++)
            {
                var index = (nint)sample * Shape.Groups + group;
                Gather(Padded + index * Image.Length, gathered, firstTap, columns);
                for (var tile = 0; tile < RowTiles; tile++)
                {
                    var row = tile * TTile.Rows;
                    GemmTile.Run<T, TTile>(Positions, Packed + (index * RowTiles + tile) * TTile.Rows * Positions, gathered, TTile.Columns,
                        target + (nint)row * Taps, Taps, Math.Min(TTile.Rows, Filters - row), columns, sample == firstSample ? T.Zero : T.One);
                }
            }
        }

        // to[position · width + tap]: eight taps by eight positions are turned in registers.
        private readonly void Gather(T* padded, T* to, int firstTap, int columns)
        {
            var width = TTile.Columns;
            var sources = stackalloc T*[8];
            for (var tap = 0; tap < columns; tap += 8)
            {
                var count = Math.Min(8, columns - tap);
                for (var i = 0; i < count; i++) sources[i] = padded + Offsets[firstTap + tap + i];
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
