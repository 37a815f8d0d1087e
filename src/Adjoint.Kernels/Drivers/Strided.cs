using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Moves elements between layouts, row by row along the last axis; strides in elements. A transposed matrix goes in
/// blocks of 16 by 16.
/// </summary>
public static unsafe class Strided
{
    private const int Block = 16;

    /// <summary>Gathers any layout into contiguous memory.</summary>
    /// <param name="x">The source.</param>
    /// <param name="xStrides">Its strides in elements; 0 along a broadcast axis.</param>
    /// <param name="y">The target.</param>
    /// <param name="shape">The sizes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy<T>(T* x, ReadOnlySpan<nint> xStrides, T* y, ReadOnlySpan<int> shape) where T : unmanaged
    {
        var rows = RowIterator.Rows(shape, out var width);
        if (rows == 0 || width == 0) return;
        var step = RowIterator.InnerStride(xStrides);
        if (shape.Length >= 2 && step != 1 && xStrides[^2] == 1)
        {
            CopyTransposed(x, xStrides, y, shape);
            return;
        }
        for (nint row = 0; row < rows; row++)
        {
            var from = x + RowIterator.Offset(row, shape, xStrides);
            var to = y + row * width;
            if (step == 1) Buffer.MemoryCopy(from, to, width * sizeof(T), width * sizeof(T));
            else if (step == 0) new Span<T>(to, (int)width).Fill(*from);
            else for (nint i = 0; i < width; i++) to[i] = from[i * step];
        }
    }

    /// <summary>Spreads contiguous memory into any layout.</summary>
    /// <param name="x">The source.</param>
    /// <param name="y">The target.</param>
    /// <param name="yStrides">Its strides in elements.</param>
    /// <param name="shape">The sizes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scatter<T>(T* x, T* y, ReadOnlySpan<nint> yStrides, ReadOnlySpan<int> shape) where T : unmanaged
    {
        var rows = RowIterator.Rows(shape, out var width);
        var step = RowIterator.InnerStride(yStrides);
        for (nint row = 0; row < rows; row++)
        {
            var to = y + RowIterator.Offset(row, shape, yStrides);
            for (nint i = 0; i < width; i++) to[i * step] = x[row * width + i];
        }
    }

    /// <summary>Sets every element of any layout.</summary>
    /// <param name="value">What every element becomes.</param>
    /// <param name="y">The target.</param>
    /// <param name="yStrides">Its strides in elements.</param>
    /// <param name="shape">The sizes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill<T>(T value, T* y, ReadOnlySpan<nint> yStrides, ReadOnlySpan<int> shape) where T : unmanaged
    {
        var rows = RowIterator.Rows(shape, out var width);
        var step = RowIterator.InnerStride(yStrides);
        for (nint row = 0; row < rows; row++)
        {
            var to = y + RowIterator.Offset(row, shape, yStrides);
            if (step == 1) new Span<T>(to, (int)width).Fill(value);
            else for (nint i = 0; i < width; i++) to[i * step] = value;
        }
    }

    // Columns are contiguous: small square blocks keep both sides within the first-level cache.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyTransposed<T>(T* x, ReadOnlySpan<nint> xStrides, T* y, ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        var (rows, columns) = ((nint)shape[^2], (nint)shape[^1]);
        var matrices = RowIterator.Rows(shape[..^1], out _);
        for (nint matrix = 0; matrix < matrices; matrix++)
        {
            var from = x + RowIterator.Offset(matrix, shape[..^1], xStrides[..^1]);
            var to = y + matrix * rows * columns;
            for (nint r = 0; r < rows; r += Block)
                for (nint c = 0; c < columns; c += Block)
                    for (var i = r; i < Math.Min(r + Block, rows); i++)
                        for (var j = c; j < Math.Min(c + Block, columns); j++)
                            to[i * columns + j] = from[i + j * xStrides[^1]];
        }
    }
}
