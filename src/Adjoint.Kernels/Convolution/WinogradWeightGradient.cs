using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// ∂L/∂w by <see cref="Winograd"/> tiles: a filter's gradient over one tile is a correlation of 6 × 6 inputs with 4 × 4 gradients, 36 products instead of 144, and the sum over
/// tiles is taken before the transform back. Images are transformed a few at a time; then each job adds one point and panel of filters over all their tiles, in order.
/// </summary>
internal static unsafe class WinogradWeightGradient<V, T, TWide, TNarrow>
    where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TWide : struct, IStridedTile<V, T> where TNarrow : struct, IStridedTile<V, T>
{
    private const int ChannelLot = 16;

    // Transformed inputs and gradients of the images of one visit share the third-level cache with others; but they are no less than the sums, which every visit passes over.
    private const int LeastVisitBytes = 4 << 20;
    private const int MostVisitBytes = 8 << 20;

    // Tiles whose inputs and gradients stay in the first-level cache while all channels pass over them.
    private const int StepTiles = 64;

    internal static void Run(in WinogradShape shape, T* x, T* g, T* dw)
    {
        if (shape.Samples == 0)
        {
            new Span<T>(dw, shape.Filters * shape.Channels * 9).Clear();
            return;
        }
        var perImage = (nint)Winograd.Products * shape.Tiles * (shape.ChannelLanes + shape.FilterLanes) * sizeof(T);
        var sumBytes = (nint)Winograd.Products * shape.ChannelLanes * shape.FilterLanes * sizeof(T);
        var visit = (int)Math.Clamp(Math.Clamp(sumBytes, LeastVisitBytes, MostVisitBytes) / perImage, 1, shape.Samples);
        // A tile of the product may read and write rows of channels that are not there.
        var channelRows = (shape.Channels + TNarrow.Rows - 1) / TNarrow.Rows * TNarrow.Rows;
        var job = new Job
        {
            Shape = shape,
            X = x,
            G = g,
            Dw = dw,
            ChannelRows = channelRows,
            InputPlane = (nint)visit * shape.Tiles * shape.ChannelLanes + 16,
            SlopePlane = (nint)visit * shape.Tiles * shape.FilterLanes + 16,
        };
        job.Inputs = PackBuffer.Rent<T>(1, Winograd.Products * job.InputPlane + channelRows);
        job.Slopes = PackBuffer.Rent<T>(2, Winograd.Products * job.SlopePlane);
        job.Sums = PackBuffer.Rent<T>(0, (nint)Winograd.Products * channelRows * shape.FilterLanes);
        for (job.First = 0; job.First < shape.Samples; job.First += visit)
        {
            job.Count = Math.Min(visit, shape.Samples - job.First);
            var transform = new TransformJob { Shared = job };
            Workers.For(2 * job.Count, ref transform);
            Workers.For(Winograd.Products * shape.Panels, ref job);
        }
        var back = new BackJob { Shared = job };
        Workers.For((shape.Channels + ChannelLot - 1) / ChannelLot, ref back);
    }

    // One point and panel: sums[channel][filter] (+)= Σ over tiles inputs[tile][channel] · slopes[tile][filter].
    private struct Job : IChunkJob
    {
        public WinogradShape Shape;
        public T* X;
        public T* G;
        public T* Dw;
        public T* Inputs;
        public T* Slopes;
        public T* Sums;
        public nint InputPlane, SlopePlane;
        public int ChannelRows, First, Count;

        public readonly void Run(int chunk)
        {
            var (point, panel) = (chunk / Shape.Panels, chunk % Shape.Panels);
            var isWide = Shape.PanelWidth(panel) == 2 * V.Count;
            var inputs = Inputs + point * InputPlane;
            var slopes = Slopes + point * SlopePlane + panel * 2 * V.Count;
            var sums = Sums + (nint)point * ChannelRows * Shape.FilterLanes + panel * 2 * V.Count;
            var tiles = Count * Shape.Tiles;
            for (var first = 0; first < tiles; first += StepTiles)
            {
                var (steps, accumulate) = (Math.Min(StepTiles, tiles - first), First + first > 0);
                for (nint c = 0; c < Shape.Channels; c += isWide ? TWide.Rows : TNarrow.Rows)
                    if (isWide) TWide.Run(steps, inputs + c, 1, Shape.ChannelLanes, slopes, Shape.FilterLanes, sums + c * Shape.FilterLanes, Shape.FilterLanes, accumulate);
                    else TNarrow.Run(steps, inputs + c, 1, Shape.ChannelLanes, slopes, Shape.FilterLanes, sums + c * Shape.FilterLanes, Shape.FilterLanes, accumulate);
                inputs += (nint)steps * Shape.ChannelLanes;
                slopes += (nint)steps * Shape.FilterLanes;
            }
        }
    }

    // Inputs or gradients of one image: [point][tile][channel or filter].
    private struct TransformJob : IChunkJob
    {
        public Job Shared;

        public readonly void Run(int chunk)
        {
            var (shape, index) = (Shared.Shape, chunk / 2);
            if (chunk % 2 == 0)
            {
                var length = (nint)WinogradShape.ImageRows(shape.TilesHigh) * shape.ImageColumns * shape.ChannelLanes;
                var image = PackBuffer.Rent<T>(4, length + Winograd.Products * V.Count);
                shape.FillImage(Shared.X + (nint)(Shared.First + index) * shape.Channels * shape.Height * shape.Width, 0, shape.TilesHigh, image);
                Tiles<WinogradInput>(image, shape.ImageColumns, shape.ChannelLanes, Shared.Inputs + (nint)index * shape.Tiles * shape.ChannelLanes, Shared.InputPlane, image + length);
            }
            else
            {
                var length = (nint)Winograd.Tile * shape.TilesHigh * Winograd.Tile * shape.TilesWide * shape.FilterLanes;
                var slopes = PackBuffer.Rent<T>(5, length + Winograd.Products * V.Count);
                shape.FillSlopes(Shared.G + (nint)(Shared.First + index) * shape.Filters * shape.OutHeight * shape.OutWidth, slopes);
                Tiles<WinogradSlope>(slopes, Winograd.Tile * shape.TilesWide, shape.FilterLanes, Shared.Slopes + (nint)index * shape.Tiles * shape.FilterLanes, Shared.SlopePlane, slopes + length);
            }
        }

        private readonly void Tiles<TTransform>(T* image, int columns, int lanes, T* to, nint plane, T* scratch) where TTransform : struct, IWinogradTransform
        {
            for (var t = 0; t < Shared.Shape.Tiles; t++)
                for (var lane = 0; lane < lanes; lane += V.Count)
                    Winograd.Both<TTransform, V, T>(image + ((nint)(t / Shared.Shape.TilesWide) * columns + t % Shared.Shape.TilesWide) * Winograd.Tile * lanes + lane, (nint)columns * lanes, lanes,
                        to + (nint)t * lanes + lane, Winograd.Points * plane, plane, scratch);
        }
    }

    private struct BackJob : IChunkJob
    {
        public Job Shared;

        public readonly void Run(int chunk)
        {
            var shape = Shared.Shape;
            var (first, lanes) = (chunk * ChannelLot, shape.FilterLanes);
            var channels = Math.Min(ChannelLot, shape.Channels - first);
            const int Taps = 9;
            var taps = PackBuffer.Rent<T>(3, (nint)ChannelLot * Taps * lanes + Winograd.Products * V.Count);
            var plane = (nint)Shared.ChannelRows * lanes;
            for (var c = 0; c < channels; c++)
                for (var lane = 0; lane < lanes; lane += V.Count)
                    Winograd.Both<WinogradFilterGradient, V, T>(Shared.Sums + (nint)(first + c) * lanes + lane, Winograd.Points * plane, plane, taps + (nint)c * Taps * lanes + lane, 3 * lanes, lanes, taps + (nint)ChannelLot * Taps * lanes);
            Packing.Transpose(taps, lanes, channels * Taps, shape.Filters, Shared.Dw + first * Taps, (nint)shape.Channels * Taps);
        }
    }
}
