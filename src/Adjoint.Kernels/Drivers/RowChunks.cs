namespace Adjoint.Kernels;

/// <summary>
/// Rows cut into chunks of about as many elements: several short rows, or parts of long ones. A matter of the shape
/// alone, never of the thread count.
/// </summary>
internal readonly struct RowChunks
{
    // 16 K elements outweigh a hand-off.
    private const int ChunkLength = 16384;

    private readonly nint rows, width, rowsPerChunk, chunksPerRow;

    internal RowChunks(nint rows, nint width)
    {
        (this.rows, this.width) = (rows, width);
        chunksPerRow = (width + ChunkLength - 1) / ChunkLength;
        rowsPerChunk = width == 0 ? 1 : Math.Max(1, ChunkLength / width);
    }

    /// <summary>How many.</summary>
    internal int Count => width == 0 ? 0
        : (int)(chunksPerRow > 1 ? rows * chunksPerRow : (rows + rowsPerChunk - 1) / rowsPerChunk);

    /// <summary>Which rows, and which columns of them.</summary>
    internal (nint FirstRow, nint EndRow, nint First, nint End) this[int chunk]
    {
        get
        {
            if (chunksPerRow <= 1) return (chunk * rowsPerChunk, Math.Min(rows, (chunk + 1) * rowsPerChunk), 0, width);
            var (row, first) = (chunk / chunksPerRow, chunk % chunksPerRow * ChunkLength);
            return (row, row + 1, first, Math.Min(width, first + ChunkLength));
        }
    }
}
