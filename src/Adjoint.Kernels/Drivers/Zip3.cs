using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>w = f(x, y, z), element by element.</summary>
public static unsafe class Zip3
{
    // A chunk is a matter of the work alone, never of the thread count; 16 K elements outweigh a hand-off.
    private const int Chunk = 16384;

    /// <summary>Over contiguous elements. The result may be one of the inputs.</summary>
    public static void Run<T, TOperator>(TOperator op, T* x, T* y, T* z, T* w, nint length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, ITernaryOperator
    {
        if (length <= Chunk)
        {
            Piece(op, x, y, z, w, length);
            return;
        }
        var job = new Job<T, TOperator> { Operator = op, X = x, Y = y, Z = z, W = w, Length = length };
        Workers.For((int)((length + Chunk - 1) / Chunk), ref job);
    }

    /// <summary>
    /// Over inputs of any layout, strides in elements, 0 for a broadcast axis; the result is contiguous with the given
    /// sizes.
    /// </summary>
    public static void RunStrided<T, TOperator>(TOperator op, T* x, ReadOnlySpan<nint> xStrides, T* y,
        ReadOnlySpan<nint> yStrides, T* z, ReadOnlySpan<nint> zStrides, T* w, ReadOnlySpan<int> shape) where T
        : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, ITernaryOperator
    {
        var rows = RowIterator.Rows(shape, out var width);
        if (rows == 0 || width == 0) return;
        // Rows that are dense or constant are read where they lie; others are gathered a piece at a time.
        var piece = (int)Math.Min(width, 1024);
        var scratch = stackalloc T[piece * 3];
        var xStep = RowIterator.InnerStride(xStrides);
        var xBuffer = scratch + piece * 0;
        if (xStep == 0) new Span<T>(xBuffer, piece).Fill(default);
        var yStep = RowIterator.InnerStride(yStrides);
        var yBuffer = scratch + piece * 1;
        if (yStep == 0) new Span<T>(yBuffer, piece).Fill(default);
        var zStep = RowIterator.InnerStride(zStrides);
        var zBuffer = scratch + piece * 2;
        if (zStep == 0) new Span<T>(zBuffer, piece).Fill(default);
        for (nint row = 0; row < rows; row++)
        {
            var xRow = x + RowIterator.Offset(row, shape, xStrides);
            if (xStep == 0) new Span<T>(xBuffer, piece).Fill(*xRow);
            var yRow = y + RowIterator.Offset(row, shape, yStrides);
            if (yStep == 0) new Span<T>(yBuffer, piece).Fill(*yRow);
            var zRow = z + RowIterator.Offset(row, shape, zStrides);
            if (zStep == 0) new Span<T>(zBuffer, piece).Fill(*zRow);
            for (nint at = 0; at < width; at += piece)
            {
                var count = Math.Min(piece, width - at);
                Piece(op, RowIterator.Dense(xRow + at * xStep, xStep, xBuffer, count),
                    RowIterator.Dense(yRow + at * yStep, yStep, yBuffer, count),
                    RowIterator.Dense(zRow + at * zStep, zStep, zBuffer, count), w + row * width + at, count);
            }
        }
    }

    private static void Piece<T, TOperator>(TOperator op, T* x, T* y, T* z, T* w, nint length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TOperator : struct, ITernaryOperator =>
        Simd.Widest<T, Kernel<T, TOperator>>(new(op, x, y, z, w, length));

    private static void Loop<V, T, TOperator>(TOperator op, T* x, T* y, T* z, T* w, nint length)
        where V : struct, ILanes<V, T> where T : unmanaged where TOperator : struct, ITernaryOperator
    {
        nint i = 0;
        for (; i <= length - V.Count; i += V.Count)
            V.Store(op.Invoke(V.Load(x + i), V.Load(y + i), V.Load(z + i)), w + i);
        if (i < length) Tail<V, T, TOperator>(op, x + i, y + i, z + i, w + i, (int)(length - i));
    }

    // The rest goes through the same vector code, so an element's value never depends on its position.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Tail<V, T, TOperator>(TOperator op, T* x, T* y, T* z, T* w, int rest)
        where V : struct, ILanes<V, T> where T : unmanaged where TOperator : struct, ITernaryOperator
    {
        var xTail = stackalloc T[V.Count];
        var yTail = stackalloc T[V.Count];
        var zTail = stackalloc T[V.Count];
        var result = stackalloc T[V.Count];
        for (var i = 0; i < rest; i++)
            (xTail[i], yTail[i], zTail[i]) = (x[i], y[i], z[i]);
        V.Store(op.Invoke(V.Load(xTail), V.Load(yTail), V.Load(zTail)), result);
        for (var i = 0; i < rest; i++) w[i] = result[i];
    }

    private readonly struct Kernel<T, TOperator>(TOperator op, T* x, T* y, T* z, T* w, nint length) : IVectorKernel<T>
        where T : unmanaged where TOperator : struct, ITernaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Loop<V, T, TOperator>(op, x, y, z, w, length);
    }

    private struct Job<T, TOperator> : IChunkJob where T : unmanaged, IBinaryFloatingPointIeee754<T>
        where TOperator : struct, ITernaryOperator
    {
        public TOperator Operator;
        public T* X;
        public T* Y;
        public T* Z;
        public T* W;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var at = (nint)chunk * Chunk;
            Piece(Operator, X + at, Y + at, Z + at, W + at, Math.Min(Chunk, Length - at));
        }
    }
}
