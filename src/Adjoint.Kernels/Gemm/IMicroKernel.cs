using System.Numerics;

namespace Adjoint.Kernels;

/// <summary>
/// The innermost loop of a matrix product (BLIS's micro-kernel; Van Zee and van de Geijn 2015): a tile of C stays in
/// registers while k runs, C[i, j] = Σₖ A[i, k]·B[k, j] over <see cref="MR"/> rows and <see cref="Vectors"/> vectors
/// of columns. Where A and B lie and what becomes of C are structs passed by value, whose methods are inlined, so that
/// one body serves packed and strided operands alike. MicroKernelGenerator writes the bodies.
/// </summary>
internal interface IMicroKernel
{
    /// <summary>Rows of the tile.</summary>
    static abstract int MR { get; }

    /// <summary>Vectors in a row of the tile: NR divided by their lanes.</summary>
    static abstract int Vectors { get; }

    /// <summary>Adds up <paramref name="steps"/> products, k = 0, 1, …, and stores the tile. Inlined.</summary>
    static abstract void Run<V, T, TA, TB, TC>(nint steps, TA a, TB b, TC c)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TA : struct, IOperandA<T> where TB : struct, IOperandB<V, T> where TC : struct, IResultC<V, T>;
}

/// <summary>Where a micro-kernel finds A; methods are inlined.</summary>
internal unsafe interface IOperandA<T> where T : unmanaged
{
    /// <summary>Where the element of a row lies, in the current step.</summary>
    T* At(int row);

    /// <summary>Goes to the next step.</summary>
    void Next();
}

/// <summary>Where a micro-kernel finds B; methods are inlined.</summary>
internal interface IOperandB<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>A vector of the current step's row.</summary>
    V Load(int vector);

    /// <summary>Goes to the next step.</summary>
    void Next();
}

/// <summary>What becomes of a micro-kernel's sums; methods are inlined.</summary>
internal interface IResultC<V, T> where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <summary>Takes the sums of a row and vector.</summary>
    void Store(int row, int vector, V sum);
}
