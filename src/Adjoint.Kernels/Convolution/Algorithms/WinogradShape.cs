using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Adjoint.Kernels;

/// <summary>
/// The sizes of a 3 × 3 convolution of stride 1 by tiles of 4 × 4 outputs: x (N, C, Height, Width), y (N, K, OutHeight,
/// OutWidth). Inside, channels and filters are the innermost axis (NHWC), rounded up to whole vectors of so many lanes.
/// </summary>
internal readonly record struct WinogradShape(
    int Samples, int Channels, int Filters, int Height, int Width, int PadHeight, int PadWidth, int Lanes)
{
    // Planes that are transposed together: as many elements as a cache line of the target holds.
    private const int PlaneBlock = 16;

    internal int OutHeight => Height + 2 * PadHeight - 2;
    internal int OutWidth => Width + 2 * PadWidth - 2;
    internal int TilesHigh => (OutHeight + Winograd.Tile - 1) / Winograd.Tile;
    internal int TilesWide => (OutWidth + Winograd.Tile - 1) / Winograd.Tile;
    internal int Tiles => TilesHigh * TilesWide;

    /// <summary>Channels rounded up.</summary>
    internal int ChannelLanes => (Channels + Lanes - 1) / Lanes * Lanes;

    /// <summary>Filters rounded up.</summary>
    internal int FilterLanes => (Filters + Lanes - 1) / Lanes * Lanes;

    /// <summary>Panels of two vectors of filters; the last may be one.</summary>
    internal int Panels => (FilterLanes + 2 * Lanes - 1) / (2 * Lanes);

    /// <summary>Columns of an image with its padding and halo: inputs of all tiles of a row.</summary>
    internal int ImageColumns => Winograd.Tile * TilesWide + 2;

    /// <summary>Forward, and weight gradient.</summary>
    internal static WinogradShape OfForward(in ConvShape shape, int lanes) => new(
        shape.Samples, shape.Channels, shape.Filters, shape.Height, shape.Width, shape.PadHeight, shape.PadWidth,
        lanes);

    /// <summary>The data gradient: a convolution of g with channels and filters exchanged and a full halo.</summary>
    internal static WinogradShape OfDataGradient(in ConvShape shape, int lanes) => new(
        shape.Samples, shape.Filters, shape.Channels, shape.OutHeight, shape.OutWidth, 2 - shape.PadHeight,
        2 - shape.PadWidth, lanes);

    /// <summary>Rows of an image, or of a block of it, that some rows of tiles read.</summary>
    internal static int ImageRows(int tileRows) => Winograd.Tile * tileRows + 2;

    /// <summary>Elements of a panel's row.</summary>
    internal int PanelWidth(int panel) => Math.Min(2 * Lanes, FilterLanes - panel * 2 * Lanes);

    /// <summary>
    /// Lays out what some rows of tiles read of an image, C × Height × Width, as NHWC with zeros around it.
    /// </summary>
    internal unsafe void FillImage<T>(T* x, int firstTileRow, int tileRows, T* to) where T : unmanaged => Fill(
        x, Channels, Height, Width, Winograd.Tile * firstTileRow - PadHeight, PadWidth, to, ImageRows(tileRows),
        ImageColumns, ChannelLanes);

    /// <summary>
    /// Lays out an image of gradients, K × OutHeight × OutWidth, as NHWC with zeros behind it, as its tiles read it.
    /// </summary>
    internal unsafe void FillGradient<T>(T* g, T* to) where T : unmanaged => Fill(
        g, Filters, OutHeight, OutWidth, 0, 0, to, Winograd.Tile * TilesHigh, Winograd.Tile * TilesWide, FilterLanes);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Fill<T>(
        T* from, int planes, int height, int width, int firstRow, int left, T* to, int rows, int columns, int lanes)
        where T : unmanaged
    {
        if (firstRow != 0 || rows != height || left != 0 || columns != width || lanes != planes)
            new Span<T>(to, rows * columns * lanes).Clear();
        // A few planes at a time, from top to bottom: so they are read straight on.
        for (var plane = 0; plane < planes; plane += PlaneBlock)
            for (var row = Math.Max(0, -firstRow); row < Math.Min(rows, height - firstRow); row++)
            {
                Prefetch(
                    from + ((nint)(plane + PlaneBlock) * height + row + firstRow) * width, (nint)height * width,
                    Math.Min(PlaneBlock, planes - plane - PlaneBlock), width);
                Packing.Transpose(
                    from + ((nint)plane * height + row + firstRow) * width, (nint)height * width,
                    Math.Min(PlaneBlock, planes - plane), width, to + ((nint)row * columns + left) * lanes + plane,
                    lanes);
            }
    }

    // The same row of the next planes: too many short streams for the processor to foresee.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Prefetch<T>(T* from, nint plane, int planes, int width) where T : unmanaged
    {
        if (!Sse.IsSupported) return;
        for (; planes > 0; planes--, from += plane)
            for (var at = 0; at < width; at += 64 / sizeof(T)) Sse.Prefetch0(from + at);
    }
}
