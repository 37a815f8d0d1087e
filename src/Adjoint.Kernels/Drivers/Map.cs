using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// y = f(x), element by element: whole vectors of the widest kind, then the tail through the same code. Chunks
/// are shared out over the threads.
/// </summary>
public static unsafe class Map
{
    // Elements of a chunk, whatever the thread count: they outweigh a hand-off.
    private const int ChunkLength = 16384;

    /// <summary>Over contiguous elements. The result may be one of the inputs.</summary>
    /// <param name="op">f.</param>
    /// <param name="x">The input.</param>
    /// <param name="y">The result; may be x.</param>
    /// <param name="length">How many elements.</param>
    public static void Run<T, TOperator>(TOperator op, T* x, T* y, nint length)
        where T : unmanaged where TOperator : struct, IUnaryOperator
    {
        if (length <= ChunkLength)
        {
            Chunk(op, x, y, length);
            return;
        }
        var job = new Job<T, TOperator> { Operator = op, X = x, Y = y, Length = length };
        Workers.For((int)((length + ChunkLength - 1) / ChunkLength), ref job);
    }

    // The one dispatch on what an element is.
    private static void Chunk<T, TOperator>(TOperator op, T* x, T* y, nint length)
        where T : unmanaged where TOperator : struct, IUnaryOperator
    {
        if (typeof(T) == typeof(float))
            Simd.Widest<float, Kernel<float, TOperator>>(new(op, (float*)x, (float*)y, length));
        else if (typeof(T) == typeof(double))
            Simd.Widest<double, Kernel<double, TOperator>>(new(op, (double*)x, (double*)y, length));
        else if ((TOperator.Kinds & Elements.KindOf<T>()) == 0) throw Elements.None<T, TOperator>();
        else if (typeof(T) == typeof(bool)) Loop<Truth, bool, TOperator>(op, (bool*)x, (bool*)y, length);
        else if (typeof(T) == typeof(byte)) Loop<Integer<byte>, byte, TOperator>(op, (byte*)x, (byte*)y, length);
        else if (typeof(T) == typeof(int)) Loop<Integer<int>, int, TOperator>(op, (int*)x, (int*)y, length);
        else if (typeof(T) == typeof(long)) Loop<Integer<long>, long, TOperator>(op, (long*)x, (long*)y, length);
        else throw Elements.None<T, TOperator>();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Loop<V, T, TOperator>(TOperator op, T* x, T* y, nint length) where V : struct, ILanes<V, T>
        where T : unmanaged where TOperator : struct, IUnaryOperator
    {
        nint i = 0;
        for (; i <= length - V.Count; i += V.Count)
            V.Store(op.Invoke(V.Load(x + i)), y + i);
        if (i < length) Tail<V, T, TOperator>(op, x + i, y + i, (int)(length - i));
    }

    // The rest goes through the same vector code, so an element's value never depends on its position.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void Tail<V, T, TOperator>(TOperator op, T* x, T* y, int rest) where V : struct, ILanes<V, T>
        where T : unmanaged where TOperator : struct, IUnaryOperator
    {
        var xTail = stackalloc T[V.Count];
        var result = stackalloc T[V.Count];
        for (var i = 0; i < rest; i++)
            xTail[i] = x[i];
        V.Store(op.Invoke(V.Load(xTail)), result);
        for (var i = 0; i < rest; i++) y[i] = result[i];
    }

    private readonly struct Kernel<T, TOperator>(TOperator op, T* x, T* y, nint length) : IVectorKernel<T>
        where T : unmanaged where TOperator : struct, IUnaryOperator
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Invoke<V>() where V : struct, ILanes<V, T> => Loop<V, T, TOperator>(op, x, y, length);
    }

    private struct Job<T, TOperator> : IChunkJob where T : unmanaged where TOperator : struct, IUnaryOperator
    {
        public TOperator Operator;
        public T* X;
        public T* Y;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var at = (nint)chunk * ChunkLength;
            Chunk(Operator, X + at, Y + at, Math.Min(ChunkLength, Length - at));
        }
    }
}
