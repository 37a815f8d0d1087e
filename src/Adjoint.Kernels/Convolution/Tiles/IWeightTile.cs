namespace Adjoint.Kernels;

/// <summary>
/// A micro-kernel that keeps the sums of a few taps, for a vector of filters, in registers while they pass over an
/// image. A lane is a filter; the input is broadcast.
/// </summary>
internal unsafe interface IWeightTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Rows of taps, of any channel, at a time.</summary>
    static abstract int Rows { get; }

    /// <summary>Taps of a row: S.</summary>
    static abstract int Columns { get; }

    /// <summary>
    /// sums[row][column] += Σ over positions (i, j) gradients[position] · image[offsets[row] + i·step + j + column].
    /// </summary>
    static abstract void Run(int height, int width, T* image, nint* offsets, nint step, T* gradients, T* sums);
}
