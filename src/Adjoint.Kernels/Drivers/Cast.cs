using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>y = x in another type, over contiguous elements.</summary>
public static unsafe class Cast
{
    // Elements of a chunk, whatever the thread count: they outweigh a hand-off.
    private const int ChunkLength = 16384;

    /// <summary>
    /// To floating types rounds to the nearest, ties to even; from them to whole numbers cuts towards 0, and gives the
    /// nearest there is for what lies outside, 0 for NaN; from whole numbers to narrower ones keeps the lower bits.
    /// </summary>
    /// <param name="x">The elements.</param>
    /// <param name="y">The results, which do not overlap x.</param>
    /// <param name="length">How many elements.</param>
    public static void Run<TFrom, TTo>(TFrom* x, TTo* y, nint length)
        where TFrom : unmanaged, INumber<TFrom> where TTo : unmanaged, INumber<TTo>
    {
        if (typeof(TFrom) == typeof(float) && (typeof(TTo) == typeof(BFloat16) || typeof(TTo) == typeof(Half)))
        {
            HalfPrecision.Narrow((float*)x, y, length);
            return;
        }
        if (typeof(TTo) == typeof(float) && (typeof(TFrom) == typeof(BFloat16) || typeof(TFrom) == typeof(Half)))
        {
            HalfPrecision.Widen(x, (float*)y, length);
            return;
        }
        var job = new Job<TFrom, TTo> { X = x, Y = y, Length = length };
        Workers.For((int)((length + ChunkLength - 1) / ChunkLength), ref job);
    }

    /// <summary>1 for what is not 0, NaN among it, else 0.</summary>
    /// <param name="x">The elements.</param>
    /// <param name="y">The results, which do not overlap x.</param>
    /// <param name="length">How many elements.</param>
    public static void ToBoolean<T>(T* x, byte* y, nint length) where T : unmanaged, INumber<T>
    {
        var job = new BooleanJob<T> { X = x, Y = y, Length = length };
        Workers.For((int)((length + ChunkLength - 1) / ChunkLength), ref job);
    }

    private struct Job<TFrom, TTo> : IChunkJob
        where TFrom : unmanaged, INumber<TFrom> where TTo : unmanaged, INumber<TTo>
    {
        private static bool IsWhole =>
            typeof(TFrom) == typeof(long) || typeof(TFrom) == typeof(int) || typeof(TFrom) == typeof(byte);

        public TFrom* X;
        public TTo* Y;
        public nint Length;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var end = Math.Min(Length, (chunk + (nint)1) * ChunkLength);
            if (IsWhole)
                for (var i = chunk * (nint)ChunkLength; i < end; i++) Y[i] = TTo.CreateTruncating(X[i]);
            else
                for (var i = chunk * (nint)ChunkLength; i < end; i++) Y[i] = TTo.CreateSaturating(X[i]);
        }
    }

    private struct BooleanJob<T> : IChunkJob where T : unmanaged, INumber<T>
    {
        public T* X;
        public byte* Y;
        public nint Length;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var end = Math.Min(Length, (chunk + (nint)1) * ChunkLength);
            for (var i = chunk * (nint)ChunkLength; i < end; i++) Y[i] = X[i] != T.Zero ? (byte)1 : (byte)0;
        }
    }
}
