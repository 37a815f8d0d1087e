namespace Adjoint.Kernels;

/// <summary>How a direct convolution along rows is cut into blocks.</summary>
internal readonly unsafe struct DirectBlocking
{
    private const int MinJobs = 16;

    // Filters up to this size stay in the second-level cache while one image passes; larger ones pass over several
    // images at a time.
    private const int MaxFilterBytes = 512 << 10;
    private const int ImageBlockBytes = 384 << 10;

    private DirectBlocking(
        in CorrelationShape shape, (int Rows, int Vectors) tile, int rowsPerVector, int lanesPerRow, int elementSize)
    {
        Tile = tile;
        Image = shape.Image();
        if (shape.IsEmpty) return;
        RowTiles = (shape.Filters + tile.Rows - 1) / tile.Rows;
        VectorsPerRow = (shape.OutWidth + lanesPerRow - 1) / lanesPerRow;
        var vectors = (shape.OutHeight + rowsPerVector - 1) / rowsPerVector * VectorsPerRow;
        Panels = (vectors + tile.Vectors - 1) / tile.Vectors;
        ImagesPerBlock = (long)RowTiles * tile.Rows * shape.Taps * elementSize <= MaxFilterBytes
            ? 1
            : (int)Math.Clamp(ImageBlockBytes / (Image.Length * elementSize), 1, Math.Max(1, shape.Samples / MinJobs));
        var imageBlocks = shape.Groups * ((shape.Samples + ImagesPerBlock - 1) / ImagesPerBlock);
        PanelBlocks = Math.Clamp((MinJobs + imageBlocks - 1) / imageBlocks, 1, Panels);
        PanelsPerBlock = (Panels + PanelBlocks - 1) / PanelBlocks;
        Jobs = imageBlocks * PanelBlocks;
        TileLength = (nint)tile.Rows * shape.Taps;
        PackedLength = shape.Groups * RowTiles * TileLength;
    }

    /// <summary>Filters (MR) and vectors of positions of the micro-kernel.</summary>
    internal (int Rows, int Vectors) Tile { get; }

    internal PaddedImage Image { get; }

    /// <summary>Tiles of MR filters of a group.</summary>
    internal int RowTiles { get; }

    /// <summary>Vectors of an output row, or of a pair of them.</summary>
    internal int VectorsPerRow { get; }

    /// <summary>Panels of NR vectors of an image.</summary>
    internal int Panels { get; }

    /// <summary>Images that a tile of filters passes over before the next tile does.</summary>
    internal int ImagesPerBlock { get; }

    /// <summary>Blocks of panels, where there are few images: each a job.</summary>
    internal int PanelBlocks { get; }

    internal int PanelsPerBlock { get; }

    internal int Jobs { get; }

    /// <summary>Elements of a packed tile of filters.</summary>
    internal nint TileLength { get; }

    internal nint PackedLength { get; }

    internal nint ImagesLength => ImagesPerBlock * Image.Length;

    internal nint ScratchElements => PackedLength + ImagesLength;

    /// <summary>With the micro-kernel that wastes the fewest rows and vectors.</summary>
    internal static DirectBlocking Fit<T>(in CorrelationShape shape, int rowsPerVector) where T : unmanaged
    {
        var lanesPerRow = Simd.Width / (8 * sizeof(T)) / rowsPerVector;
        // Only AVX-512 has the 32 registers that a tile of 24 accumulators needs.
        var tile = Simd.Width < 512 ? (6, 2) : LeastWaste(shape, rowsPerVector, lanesPerRow);
        return new(shape, tile, rowsPerVector, lanesPerRow, sizeof(T));
    }

    private static (int Rows, int Vectors) LeastWaste(in CorrelationShape shape, int rowsPerVector, int lanesPerRow)
    {
        var perRow = (shape.OutWidth + lanesPerRow - 1) / lanesPerRow;
        var vectors = (shape.OutHeight + rowsPerVector - 1) / rowsPerVector * perRow;
        var filters = shape.Filters;
        double Work(int rows, int columns) =>
            (double)((filters + rows - 1) / rows * rows) * ((vectors + columns - 1) / columns * columns);
        var (wide, middle, narrow) = (Work(12, 2), Work(8, 3), Work(6, 4));
        return wide <= middle && wide <= narrow ? (12, 2) : middle <= narrow ? (8, 3) : (6, 4);
    }
}
