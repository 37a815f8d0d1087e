using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// A micro-kernel whose left operand lies at any strides: C (+)= A·B over MR rows, element (i, k) of A at
/// a[i·strideRow + k·strideStep], broadcast, row k of B at b + k·strideB.
/// </summary>
internal static unsafe class StridedTile<TKernel, V, T>
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>The product; added to what C holds, or in its place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Run(
        nint steps, T* a, nint strideRow, nint strideStep, T* b, nint strideB, T* c, nint strideC, bool accumulate)
    {
        if (accumulate) Add(steps, a, strideRow, strideStep, b, strideB, c, strideC);
        else Replace(steps, a, strideRow, strideStep, b, strideB, c, strideC);
    }

    // Methods of their own: the accumulators of one body take every register.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Replace(
        nint steps, T* a, nint strideRow, nint strideStep, T* b, nint strideB, T* c, nint strideC) =>
        TKernel.Run<V, T, StridedA<T>, RowsOfB<V, T>, PlainC<V, T>>(
            steps, new(a, strideRow, strideStep), new(b, strideB), new(c, strideC));

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Add(
        nint steps, T* a, nint strideRow, nint strideStep, T* b, nint strideB, T* c, nint strideC) =>
        TKernel.Run<V, T, StridedA<T>, RowsOfB<V, T>, AddedC<V, T>>(
            steps, new(a, strideRow, strideStep), new(b, strideB), new(c, strideC));
}
