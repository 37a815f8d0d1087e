using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Walks an n-dimensional layout as rows along its last axis: with sizes [d₀, …, dᵣ] there are d₀·…·dᵣ₋₁ rows of dᵣ
/// elements, which begin where the strides of the other axes say.
/// </summary>
internal static unsafe class RowIterator
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static nint Rows(ReadOnlySpan<int> shape, out nint width)
    {
        width = shape.Length == 0 ? 1 : shape[^1];
        nint rows = 1;
        for (var axis = 0; axis < shape.Length - 1; axis++) rows *= shape[axis];
        return rows;
    }

    internal static nint InnerStride(ReadOnlySpan<nint> strides) => strides.Length == 0 ? 0 : strides[^1];

    /// <summary>Where row number <paramref name="row"/> (row-major over all axes but the last) begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static nint Offset(nint row, ReadOnlySpan<int> shape, ReadOnlySpan<nint> strides)
    {
        nint offset = 0;
        for (var axis = shape.Length - 2; axis >= 0; axis--)
        {
            offset += row % shape[axis] * strides[axis];
            row /= shape[axis];
        }
        return offset;
    }

    /// <summary>
    /// The elements side by side: where they lie, the buffer filled with the constant, or gathered into the buffer.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T* Contiguous<T>(T* from, nint step, T* buffer, nint count) where T : unmanaged
    {
        if (step == 1) return from;
        if (step == 0) return buffer;
        for (nint i = 0; i < count; i++) buffer[i] = from[i * step];
        return buffer;
    }
}
