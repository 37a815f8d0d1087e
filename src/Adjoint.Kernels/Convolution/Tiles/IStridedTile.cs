namespace Adjoint.Kernels;

/// <summary>
/// A register-blocked micro-kernel whose left operand lies at any strides: C (+)= A·B over <see cref="Rows"/> rows by
/// <see cref="Vectors"/> vectors, element (i, k) of A at a[i·strideRow + k·strideStep], broadcast, vectors k of B at
/// b + k·strideB.
/// </summary>
internal unsafe interface IStridedTile<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Rows of C (MR).</summary>
    static abstract int Rows { get; }

    /// <summary>Vectors of a row of C (NR / lanes).</summary>
    static abstract int Vectors { get; }

    /// <summary>The product; added to what C holds, or in its place.</summary>
    static abstract void Run(
        nint steps, T* a, nint strideRow, nint strideStep, T* b, nint strideB, T* c, nint strideC, bool accumulate);
}
