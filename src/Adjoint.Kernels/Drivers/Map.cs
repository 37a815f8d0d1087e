using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>y = f(x), element by element.</summary>
public static unsafe class Map
{
    // A chunk is a matter of the work alone, never of the thread count; 16 K elements outweigh a hand-off.
    private const int Chunk = 16384;

    /// <summary>Over contiguous elements. The result may be one of the inputs.</summary>
    public static void Run<T, TLane>(TLane lane, T* x, T* y, nint length)
        where T : unmanaged where TLane : struct, IUnaryLane
    {
        if (length <= Chunk)
        {
            Piece(lane, x, y, length);
            return;
        }
        var job = new Job<T, TLane> { Lane = lane, X = x, Y = y, Length = length };
        Workers.For((int)((length + Chunk - 1) / Chunk), ref job);
    }

    // The one dispatch on what an element is.
    private static void Piece<T, TLane>(TLane lane, T* x, T* y, nint length)
        where T : unmanaged where TLane : struct, IUnaryLane
    {
        if (typeof(T) == typeof(float)) Floating(lane, (float*)x, (float*)y, length);
        else if (typeof(T) == typeof(double)) Floating(lane, (double*)x, (double*)y, length);
        else if ((TLane.Kinds & Elements.KindOf<T>()) == 0) throw Elements.None<T, TLane>();
        else if (typeof(T) == typeof(bool)) Loop<Truth, bool, TLane>(lane, (bool*)x, (bool*)y, length);
        else if (typeof(T) == typeof(byte)) Loop<Integer<byte>, byte, TLane>(lane, (byte*)x, (byte*)y, length);
        else if (typeof(T) == typeof(int)) Loop<Integer<int>, int, TLane>(lane, (int*)x, (int*)y, length);
        else if (typeof(T) == typeof(long)) Loop<Integer<long>, long, TLane>(lane, (long*)x, (long*)y, length);
        else throw Elements.None<T, TLane>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Floating<T, TLane>(TLane lane, T* x, T* y, nint length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> where TLane : struct, IUnaryLane
    {
        if (Vector512.IsHardwareAccelerated) Loop<V512<T>, T, TLane>(lane, x, y, length);
        else if (Vector256.IsHardwareAccelerated) Loop<V256<T>, T, TLane>(lane, x, y, length);
        else if (Vector128.IsHardwareAccelerated) Loop<V128<T>, T, TLane>(lane, x, y, length);
        else Loop<Scalar<T>, T, TLane>(lane, x, y, length);
    }

    private static void Loop<V, T, TLane>(TLane lane, T* x, T* y, nint length) where V : struct, ILanes<V, T> where T : unmanaged where TLane : struct, IUnaryLane
    {
        nint i = 0;
        for (; i <= length - V.Count; i += V.Count)
            V.Store(lane.Invoke(V.Load(x + i)), y + i);
        if (i < length) Tail<V, T, TLane>(lane, x + i, y + i, (int)(length - i));
    }

    // The rest goes through the same vector code, so an element's value never depends on its position.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Tail<V, T, TLane>(TLane lane, T* x, T* y, int rest) where V : struct, ILanes<V, T> where T : unmanaged where TLane : struct, IUnaryLane
    {
        var xTail = stackalloc T[V.Count];
        var result = stackalloc T[V.Count];
        for (var i = 0; i < rest; i++)
            xTail[i] = x[i];
        V.Store(lane.Invoke(V.Load(xTail)), result);
        for (var i = 0; i < rest; i++) y[i] = result[i];
    }

    private struct Job<T, TLane> : IChunkJob where T : unmanaged where TLane : struct, IUnaryLane
    {
        public TLane Lane;
        public T* X;
        public T* Y;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var at = (nint)chunk * Chunk;
            Piece(Lane, X + at, Y + at, Math.Min(Chunk, Length - at));
        }
    }
}
