using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Packing for <see cref="AttentionTiles{TKernel, V, T}"/> of rows (queries, keys, values, gradients) of any layout,
/// and the search for rows that are not finite.
/// </summary>
internal static unsafe class AttentionPacking
{
    /// <summary>to[c·width + r] = element c of row r, for rows beyond <paramref name="rows"/> 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Columns<T>(T* from, in AttentionStrides strides, int rows, int width, int columns, T* to)
        where T : unmanaged
    {
        if (columns == 0) return;
        if (strides.Column == 1 && strides.Row >= 0)
            Packing.Panel(from, strides.Row, stepsAreDense: true, rows, width, columns, to);
        else if (strides.Row == 1 && strides.Column >= 0)
            Packing.Panel(from, strides.Column, stepsAreDense: false, rows, width, columns, to);
        else
            for (var c = 0; c < columns; c++)
                for (var r = 0; r < width; r++)
                    to[(nint)c * width + r] = r < rows ? from[r * strides.Row + c * strides.Column] : default;
    }

    /// <summary><see cref="Columns"/> for so many rows at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Tiles<T>(T* from, in AttentionStrides strides, int rows, int width, int columns, T* to)
        where T : unmanaged
    {
        for (var row = 0; row < rows; row += width)
            Columns(from + row * strides.Row, strides, Math.Min(width, rows - row), width, columns,
                to + (nint)row * columns);
    }

    /// <summary>to[r·width + c] = element c of row r, for columns beyond <paramref name="columns"/> 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Rows<T>(T* from, in AttentionStrides strides, int rows, int columns, int width, T* to)
        where T : unmanaged
    {
        for (var r = 0; r < rows; r++, from += strides.Row, to += width)
        {
            if (strides.Column == 1) new Span<T>(from, columns).CopyTo(new Span<T>(to, columns));
            else
                for (var c = 0; c < columns; c++) to[c] = from[c * strides.Column];
            new Span<T>(to + columns, width - columns).Clear();
        }
    }

    /// <summary>
    /// Clears packed rows that hold a NaN or an infinity, which products with a weight of 0 would spread, and says
    /// which they are.
    /// </summary>
    /// <param name="packed">The rows.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="width">Elements of a row; a multiple of the lanes of a tile, padded with zeros.</param>
    /// <param name="isCleared">For each row, whether it was cleared; not written where none was.</param>
    /// <returns>Whether any was.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool ClearNonFinite<V, T>(T* packed, int rows, int width, bool* isCleared)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        if (IsFinite<V, T>(packed, (nint)rows * width)) return false;
        for (var r = 0; r < rows; r++, packed += width)
        {
            isCleared[r] = !IsFinite<V, T>(packed, width);
            if (isCleared[r]) new Span<T>(packed, width).Clear();
        }
        return true;
    }

    /// <summary>Whether no element is NaN or infinite: 0·x is 0 then.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static bool IsFinite<V, T>(T* x, nint n)
        where V : struct, ILanes<V, T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (zero, sum, total) = (V.Splat(0), V.Splat(0), T.Zero);
        nint i = 0;
        for (; i <= n - V.Count; i += V.Count) sum = V.Fma(V.Load(x + i), zero, sum);
        for (; i < n; i++) total = T.FusedMultiplyAdd(x[i], T.Zero, total);
        var lanes = stackalloc T[V.Count];
        V.Store(sum, lanes);
        for (var lane = 0; lane < V.Count; lane++) total += lanes[lane];
        return total == T.Zero;
    }
}
