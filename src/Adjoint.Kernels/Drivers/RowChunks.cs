namespace Adjoint.Kernels;

/// <summary>
/// Rows cut into chunks of about as many elements: several short rows, or pieces of long ones. A matter of the shape
/// alone, never of the thread count.
/// </summary>
internal readonly struct RowChunks
{
    // 16 K elements outweigh a hand-off.
    private const int Elements = 16384;

    private readonly nint rows, width, rowsEach, pieces;

    internal RowChunks(nint rows, nint width)
    {
        (this.rows, this.width) = (rows, width);
        pieces = (width + Elements - 1) / Elements;
        rowsEach = width == 0 ? 1 : Math.Max(1, Elements / width);
    }

    /// <summary>How many.</summary>
    internal int Count => width == 0 ? 0 : (int)(pieces > 1 ? rows * pieces : (rows + rowsEach - 1) / rowsEach);

    /// <summary>Which rows, and which columns of them.</summary>
    internal (nint FirstRow, nint EndRow, nint First, nint End) this[int chunk]
    {
        get
        {
            if (pieces <= 1) return (chunk * rowsEach, Math.Min(rows, (chunk + 1) * rowsEach), 0, width);
            var (row, first) = (chunk / pieces, chunk % pieces * Elements);
            return (row, row + 1, first, Math.Min(width, first + Elements));
        }
    }
}
