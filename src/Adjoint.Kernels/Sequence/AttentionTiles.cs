using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// The products of attention over tiles that lie in scratch memory, by the micro-kernels of <see cref="Gemm"/>. Their
/// sizes are multiples of the tile's: what is missing is zeros.
/// </summary>
internal static unsafe class AttentionTiles<TKernel, V, T>
    where TKernel : struct, IMicroKernel where V : struct, ILanes<V, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Rows of a tile.</summary>
    internal static int MR => TKernel.MR;

    /// <summary>Columns of a tile: the queries of a strip.</summary>
    internal static int NR
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TKernel.Vectors * V.Count;
    }

    /// <summary>C = A·B; A packed as [steps][MR], a row of B <paramref name="strideB"/> behind the other.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static void Product(nint steps, T* a, T* b, nint strideB, T* c) =>
        TKernel.Run<V, T, PackedA<T>, RowsOfB<V, T>, PlainC<V, T>>(
            steps, new(a, TKernel.MR), new(b, strideB), new(c, NR));

    /// <summary>C = factors·C + A·B with a factor for each column; A as rows of <paramref name="strideA"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static void Rescale(nint steps, T* a, int strideA, T* b, T* c, T* factors) =>
        TKernel.Run<V, T, PackedA<T>, RowsOfB<V, T>, RescaledC<V, T>>(
            steps, new(a, strideA), new(b, NR), new(c, NR, factors));

    /// <summary>C = C + A·B; A as rows of <paramref name="strideA"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static void Add(nint steps, T* a, int strideA, T* b, T* c) =>
        TKernel.Run<V, T, PackedA<T>, RowsOfB<V, T>, AddedC<V, T>>(
            steps, new(a, strideA), new(b, NR), new(c, NR));

    /// <summary>C = C + A·B; A lies transposed: a row of C in <see cref="NR"/> elements one after the other.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static void AddTransposed(T* a, T* b, nint strideB, T* c, nint ldc) =>
        TKernel.Run<V, T, DenseRowsOfA<V, T, TKernel>, RowsOfB<V, T>, AddedC<V, T>>(
            NR, new(a), new(b, strideB), new(c, ldc));
}

/// <summary>A row by row, each as long as a strip: the steps of a row lie side by side.</summary>
internal unsafe struct DenseRowsOfA<V, T, TKernel>(T* a) : IOperandA<T>
    where V : struct, ILanes<V, T> where T : unmanaged where TKernel : struct, IMicroKernel
{
    private T* a = a;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly T* At(int row) => a + row * (TKernel.Vectors * V.Count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next() => a++;
}

/// <summary>C = factors·C + sums, with a factor for each column.</summary>
internal readonly unsafe struct RescaledC<V, T>(T* c, nint ldc, T* factors) : IResultC<V, T>
    where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, int vector, V sum)
    {
        var to = c + row * ldc + vector * V.Count;
        V.Store(V.Fma(V.Load(factors + vector * V.Count), V.Load(to), sum), to);
    }
}
