using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// A convolution by <see cref="Winograd"/> tiles. Filters are transformed once; a job lays out a few images, transforms a block of their tiles, multiplies it by
/// the filters, point by point, and transforms the sums back. What lies between stays in the second-level cache.
/// </summary>
internal static unsafe class WinogradCorrelation<V, T, TWide, TNarrow>
    where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T> where TWide : struct, IStridedTile<V, T> where TNarrow : struct, IStridedTile<V, T>
{
    private const int LeastJobs = 16;
    private const int FilterLot = 16;

    // Transformed inputs of a block of tiles: they share the second-level cache with sums and filters.
    private const int BlockBytes = 320 << 10;

    // Keeps planes of a power of two from meeting in the same lines of the cache.
    private const int Apart = 16;

    /// <param name="shape">The sizes.</param>
    /// <param name="x">Inputs.</param>
    /// <param name="w">Filters (Filters, Channels, 3, 3); if turned, (Channels, Filters, 3, 3), each turned by half a turn.</param>
    /// <param name="turned">Whether filters are read as the data gradient needs them.</param>
    /// <param name="bias">One for each filter, or null.</param>
    /// <param name="y">Outputs.</param>
    internal static void Run(in WinogradShape shape, T* x, T* w, bool turned, T* bias, T* y)
    {
        if (shape.Samples == 0) return;
        var filters = PackBuffer.Rent<T>(0, (nint)Winograd.Products * shape.Channels * shape.FilterLanes);
        var lots = (shape.Channels + FilterLot - 1) / FilterLot;
        var preparation = new FilterJob { Shape = shape, W = w, Turned = turned, To = filters, Lots = lots };
        Workers.For(shape.Panels * lots, ref preparation);

        var rows = TNarrow.Rows;
        var block = Math.Clamp(BlockBytes / (Winograd.Products * shape.ChannelLanes * sizeof(T)) / rows * rows, rows, 4 * rows);
        var images = Math.Clamp(block / shape.Tiles, 1, Math.Max(1, shape.Samples / LeastJobs));
        var groups = (shape.Samples + images - 1) / images;
        var parts = images > 1 ? 1 : Math.Clamp((LeastJobs + groups - 1) / groups, 1, shape.TilesHigh);
        var job = new Job { Shape = shape, X = x, Filters = filters, Bias = bias, Y = y, Block = block, Images = images, Parts = parts };
        Workers.For(groups * parts, ref job);
    }

    // A panel of filters for a lot of channels: [point][channel][filter].
    private struct FilterJob : IChunkJob
    {
        public WinogradShape Shape;
        public T* W;
        public bool Turned;
        public T* To;
        public int Lots;

        public readonly void Run(int chunk)
        {
            var (panel, first) = (chunk / Lots, chunk % Lots * FilterLot);
            var (channels, width, filter) = (Math.Min(FilterLot, Shape.Channels - first), Shape.PanelWidth(panel), panel * 2 * V.Count);
            var count = Math.Min(width, Shape.Filters - filter);
            const int Taps = 9;
            var taps = PackBuffer.Rent<T>(3, (nint)FilterLot * Taps * width + Winograd.Products * V.Count);
            var scratch = taps + FilterLot * Taps * width;
            if (!Turned) Packing.Panel(W + ((nint)filter * Shape.Channels + first) * Taps, (nint)Shape.Channels * Taps, true, count, width, channels * Taps, taps);
            else
                for (var c = 0; c < channels; c++) Packing.Panel(W + ((nint)(first + c) * Shape.Filters + filter) * Taps, Taps, true, count, width, Taps, taps + c * Taps * width);
            var plane = (nint)Shape.Channels * width;
            var to = To + (nint)panel * Winograd.Products * Shape.Channels * 2 * V.Count + (nint)first * width;
            for (var c = 0; c < channels; c++)
                for (var lane = 0; lane < width; lane += V.Count)
                {
                    var from = taps + c * Taps * width + lane;
                    if (Turned) Winograd.Both<WinogradFilter, V, T>(from + (Taps - 1) * width, -3 * width, -width, to + c * width + lane, Winograd.Points * plane, plane, scratch);
                    else Winograd.Both<WinogradFilter, V, T>(from, 3 * width, width, to + c * width + lane, Winograd.Points * plane, plane, scratch);
                }
        }
    }

    private struct Job : IChunkJob
    {
        public WinogradShape Shape;
        public T* X;
        public T* Filters;
        public T* Bias;
        public T* Y;
        public int Block, Images, Parts;

        public readonly void Run(int chunk)
        {
            var (sample, part) = (chunk / Parts * Images, chunk % Parts);
            var count = Math.Min(Images, Shape.Samples - sample);
            var perPart = (Shape.TilesHigh + Parts - 1) / Parts;
            var firstRow = part * perPart;
            var tileRows = Math.Min(Shape.TilesHigh, firstRow + perPart) - firstRow;
            if (tileRows <= 0) return;
            var imageLength = (nint)WinogradShape.ImageRows(tileRows) * Shape.ImageColumns * Shape.ChannelLanes;
            var outLength = (nint)Winograd.Tile * tileRows * Winograd.Tile * Shape.TilesWide * Shape.FilterLanes;
            var image = PackBuffer.Rent<T>(4, count * imageLength);
            var outputs = PackBuffer.Rent<T>(5, count * outLength);
            for (var i = 0; i < count; i++) Shape.FillImage(X + (nint)(sample + i) * Shape.Channels * Shape.Height * Shape.Width, firstRow, tileRows, image + i * imageLength);

            var (inputPlane, sumPlane) = ((nint)Block * Shape.ChannelLanes + Apart, (nint)Block * 2 * V.Count + Apart);
            var inputs = PackBuffer.Rent<T>(1, Winograd.Products * inputPlane);
            var sums = PackBuffer.Rent<T>(2, Winograd.Products * (sumPlane + V.Count));
            var scratch = sums + Winograd.Products * sumPlane;
            var perImage = tileRows * Shape.TilesWide;
            for (var first = 0; first < count * perImage; first += Block)
            {
                var tiles = Math.Min(Block, count * perImage - first);
                for (var t = 0; t < tiles; t++)
                {
                    var at = (first + t) % perImage;
                    var from = image + (first + t) / perImage * imageLength + ((nint)(at / Shape.TilesWide) * Shape.ImageColumns + at % Shape.TilesWide) * Winograd.Tile * Shape.ChannelLanes;
                    for (var lane = 0; lane < Shape.ChannelLanes; lane += V.Count)
                        Winograd.Both<WinogradInput, V, T>(from + lane, (nint)Shape.ImageColumns * Shape.ChannelLanes, Shape.ChannelLanes, inputs + t * Shape.ChannelLanes + lane, Winograd.Points * inputPlane, inputPlane, scratch);
                }
                for (var panel = 0; panel < Shape.Panels; panel++)
                {
                    var width = Shape.PanelWidth(panel);
                    for (var point = 0; point < Winograd.Products; point++)
                        Multiply(inputs + point * inputPlane, Filters + (nint)panel * Winograd.Products * Shape.Channels * 2 * V.Count + (nint)point * Shape.Channels * width, sums + point * sumPlane, tiles, width);
                    for (var t = 0; t < tiles; t++)
                    {
                        var at = (first + t) % perImage;
                        var to = outputs + (first + t) / perImage * outLength + ((nint)(at / Shape.TilesWide) * Winograd.Tile * Shape.TilesWide + at % Shape.TilesWide) * Winograd.Tile * Shape.FilterLanes + panel * 2 * V.Count;
                        for (var lane = 0; lane < width; lane += V.Count)
                            Winograd.Both<WinogradOutput, V, T>(sums + t * width + lane, Winograd.Points * sumPlane, sumPlane, to + lane, (nint)Winograd.Tile * Shape.TilesWide * Shape.FilterLanes, Shape.FilterLanes, scratch);
                    }
                }
            }
            for (var i = 0; i < count; i++) Spread(outputs + i * outLength, Y + (nint)(sample + i) * Shape.Filters * Shape.OutHeight * Shape.OutWidth, Winograd.Tile * firstRow, Winograd.Tile * tileRows);
        }

        // Sums of a block of tiles at one point. Rows beyond the last tile hold numbers of no meaning, which nobody reads.
        private readonly void Multiply(T* inputs, T* filters, T* sums, int tiles, int width)
        {
            if (width == 2 * V.Count)
                for (nint t = 0; t < tiles; t += TWide.Rows) TWide.Run(Shape.Channels, inputs + t * Shape.ChannelLanes, Shape.ChannelLanes, 1, filters, width, sums + t * width, width, false);
            else
                for (nint t = 0; t < tiles; t += TNarrow.Rows) TNarrow.Run(Shape.Channels, inputs + t * Shape.ChannelLanes, Shape.ChannelLanes, 1, filters, width, sums + t * width, width, false);
        }

        // From filters side by side to planes of filters.
        private readonly void Spread(T* outputs, T* y, int firstRow, int rows)
        {
            var columns = Winograd.Tile * Shape.TilesWide;
            var plane = (nint)Shape.OutHeight * Shape.OutWidth;
            rows = Math.Min(rows, Shape.OutHeight - firstRow);
            if (Bias != null)
                for (nint position = 0; position < (nint)rows * columns; position++)
                    for (var f = 0; f < Shape.FilterLanes; f += V.Count) AddBias(outputs + position * Shape.FilterLanes + f, f);
            if (columns == Shape.OutWidth) Packing.Transpose(outputs, Shape.FilterLanes, rows * columns, Shape.Filters, y + (nint)firstRow * columns, plane);
            else
                for (nint row = 0; row < rows; row++) Packing.Transpose(outputs + row * columns * Shape.FilterLanes, Shape.FilterLanes, Shape.OutWidth, Shape.Filters, y + (firstRow + row) * Shape.OutWidth, plane);
        }

        private readonly void AddBias(T* to, int filter)
        {
            if (filter + V.Count <= Shape.Filters) V.Store(V.Load(to) + V.Load(Bias + filter), to);
            else
                for (var i = 0; filter + i < Shape.Filters; i++) to[i] += Bias[filter + i];
        }
    }
}
