using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// z = f(x, y), element by element: whole vectors of the widest kind, then the tail through the same code. Chunks
/// are shared out over the threads.
/// </summary>
public static unsafe class Zip
{
    // Elements of a chunk, whatever the thread count: they outweigh a hand-off.
    private const int ChunkLength = 16384;

    /// <summary>Over contiguous elements. The result may be one of the inputs.</summary>
    /// <param name="op">f.</param>
    /// <param name="x">The first input.</param>
    /// <param name="y">The second input.</param>
    /// <param name="z">The result; may be one of the inputs.</param>
    /// <param name="length">How many elements.</param>
    public static void Run<T, TOperator>(TOperator op, T* x, T* y, T* z, nint length)
        where T : unmanaged where TOperator : struct, IBinaryOperator
    {
        if (length <= ChunkLength)
        {
            Chunk(op, x, y, z, length);
            return;
        }
        var job = new Job<T, TOperator> { Operator = op, X = x, Y = y, Z = z, Length = length };
        Workers.For((int)((length + ChunkLength - 1) / ChunkLength), ref job);
    }

    /// <summary>
    /// Over inputs of any layout, strides in elements, 0 for a broadcast axis; the result is contiguous with the given
    /// sizes.
    /// </summary>
    /// <param name="op">f.</param>
    /// <param name="x">The first input.</param>
    /// <param name="xStrides">Strides of x in elements; 0 along a broadcast axis.</param>
    /// <param name="y">The second input.</param>
    /// <param name="yStrides">Strides of y in elements; 0 along a broadcast axis.</param>
    /// <param name="z">The result.</param>
    /// <param name="shape">The sizes of all operands, broadcast.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void RunStrided<T, TOperator>(
        TOperator op, T* x, ReadOnlySpan<nint> xStrides, T* y, ReadOnlySpan<nint> yStrides, T* z,
        ReadOnlySpan<int> shape)
        where T : unmanaged where TOperator : struct, IBinaryOperator
    {
        var rows = RowIterator.Rows(shape, out var width);
        if (rows == 0 || width == 0) return;
        // Rows that are contiguous or constant are read where they lie; others are gathered a block at a time.
        var block = (int)Math.Min(width, 1024);
        var scratch = stackalloc T[2 * block];
        var xStep = RowIterator.InnerStride(xStrides);
        var xBuffer = scratch;
        var yStep = RowIterator.InnerStride(yStrides);
        var yBuffer = scratch + block;
        for (nint row = 0; row < rows; row++)
        {
            var xRow = x + RowIterator.Offset(row, shape, xStrides);
            if (xStep == 0) new Span<T>(xBuffer, block).Fill(*xRow);
            var yRow = y + RowIterator.Offset(row, shape, yStrides);
            if (yStep == 0) new Span<T>(yBuffer, block).Fill(*yRow);
            for (nint at = 0; at < width; at += block)
            {
                var count = Math.Min(block, width - at);
                Chunk(op, RowIterator.Contiguous(xRow + at * xStep, xStep, xBuffer, count),
                    RowIterator.Contiguous(yRow + at * yStep, yStep, yBuffer, count), z + row * width + at, count);
            }
        }
    }

    // The one dispatch on what an element is.
    private static void Chunk<T, TOperator>(TOperator op, T* x, T* y, T* z, nint length)
        where T : unmanaged where TOperator : struct, IBinaryOperator
    {
        if (typeof(T) == typeof(float))
            Simd.Widest<float, Kernel<float, TOperator>>(new(op, (float*)x, (float*)y, (float*)z, length));
        else if (typeof(T) == typeof(double))
            Simd.Widest<double, Kernel<double, TOperator>>(new(op, (double*)x, (double*)y, (double*)z, length));
        else if ((TOperator.Kinds & Elements.KindOf<T>()) == 0) throw Elements.None<T, TOperator>();
        else if (typeof(T) == typeof(bool)) Loop<Truth, bool, TOperator>(op, (bool*)x, (bool*)y, (bool*)z, length);
        else if (typeof(T) == typeof(byte))
            Loop<Integer<byte>, byte, TOperator>(op, (byte*)x, (byte*)y, (byte*)z, length);
        else if (typeof(T) == typeof(int)) Loop<Integer<int>, int, TOperator>(op, (int*)x, (int*)y, (int*)z, length);
        else if (typeof(T) == typeof(long))
            Loop<Integer<long>, long, TOperator>(op, (long*)x, (long*)y, (long*)z, length);
        else throw Elements.None<T, TOperator>();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Loop<V, T, TOperator>(TOperator op, T* x, T* y, T* z, nint length)
        where V : struct, ILanes<V, T> where T : unmanaged where TOperator : struct, IBinaryOperator
    {
        nint i = 0;
        for (; i <= length - V.Count; i += V.Count)
            V.Store(op.Invoke(V.Load(x + i), V.Load(y + i)), z + i);
        if (i < length) Tail<V, T, TOperator>(op, x + i, y + i, z + i, (int)(length - i));
    }

    // The rest goes through the same vector code, so an element's value never depends on its position.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Tail<V, T, TOperator>(TOperator op, T* x, T* y, T* z, int rest) where V : struct, ILanes<V, T>
        where T : unmanaged where TOperator : struct, IBinaryOperator
    {
        var xTail = stackalloc T[V.Count];
        var yTail = stackalloc T[V.Count];
        var result = stackalloc T[V.Count];
        for (var i = 0; i < rest; i++)
            (xTail[i], yTail[i]) = (x[i], y[i]);
        V.Store(op.Invoke(V.Load(xTail), V.Load(yTail)), result);
        for (var i = 0; i < rest; i++) z[i] = result[i];
    }

    private readonly struct Kernel<T, TOperator>(TOperator op, T* x, T* y, T* z, nint length) : IVectorKernel<T>
        where T : unmanaged where TOperator : struct, IBinaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Loop<V, T, TOperator>(op, x, y, z, length);
    }

    private struct Job<T, TOperator> : IChunkJob where T : unmanaged where TOperator : struct, IBinaryOperator
    {
        public TOperator Operator;
        public T* X;
        public T* Y;
        public T* Z;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var at = (nint)chunk * ChunkLength;
            Chunk(Operator, X + at, Y + at, Z + at, Math.Min(ChunkLength, Length - at));
        }
    }
}
