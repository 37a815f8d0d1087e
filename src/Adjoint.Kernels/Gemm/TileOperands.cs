using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>A packed: step by step, the rows of the tile side by side.</summary>
internal unsafe struct PackedA<T>(T* a, int mr) : IOperandA<T> where T : unmanaged
{
    private T* a = a;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly T* At(int row) => a + row;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next() => a += mr;
}

/// <summary>B row by row, <paramref name="stride"/> elements from one to the next: packed, or where it lies.</summary>
internal unsafe struct RowsOfB<V, T>(T* b, nint stride) : IOperandB<V, T>
    where V : struct, ILanes<V, T> where T : unmanaged
{
    private T* b = b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly V Load(int vector) => V.Load(b + vector * V.Count);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next() => b += stride;
}

/// <summary>C = α·sums, and C is not read.</summary>
internal readonly unsafe struct ScaledC<V, T>(T* c, nint ldc, T alpha) : IResultC<V, T>
    where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, int vector, V sum) =>
        V.Store(sum * V.Splat(alpha), c + row * ldc + vector * V.Count);
}

/// <summary>C = α·sums + β·C.</summary>
internal readonly unsafe struct UpdatedC<V, T>(T* c, nint ldc, T alpha, T beta) : IResultC<V, T>
    where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, int vector, V sum)
    {
        var to = c + row * ldc + vector * V.Count;
        V.Store(V.Fma(V.Splat(beta), V.Load(to), sum * V.Splat(alpha)), to);
    }
}

/// <summary>C = sums.</summary>
internal readonly unsafe struct PlainC<V, T>(T* c, nint ldc) : IResultC<V, T>
    where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, int vector, V sum) => V.Store(sum, c + row * ldc + vector * V.Count);
}

/// <summary>C += sums.</summary>
internal readonly unsafe struct AddedC<V, T>(T* c, nint ldc) : IResultC<V, T>
    where V : struct, ILanes<V, T> where T : unmanaged
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(int row, int vector, V sum)
    {
        var to = c + row * ldc + vector * V.Count;
        V.Store(sum + V.Load(to), to);
    }
}
