using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Between memory in half precision, bfloat16 or float16, and the float32 that is computed in. Widening is exact;
/// narrowing rounds to the nearest, ties to even, and keeps NaN one.
/// </summary>
public static unsafe class HalfPrecision
{
    // Elements of a chunk, whatever the thread count: they outweigh a hand-off.
    private const int ChunkLength = 16384;

    // 2¹¹²: from float16's exponents to those of float32.
    private const float Rebias = 5.192296858534828e33f;

    /// <summary>y = x, exactly.</summary>
    /// <param name="x">The elements.</param>
    /// <param name="y">The results.</param>
    /// <param name="length">How many elements.</param>
    public static void Widen<TStored>(TStored* x, float* y, nint length) where TStored : unmanaged =>
        Convert<TStored, float, Widening<TStored>>(x, y, length);

    /// <summary>y = x, rounded.</summary>
    /// <param name="x">The elements.</param>
    /// <param name="y">The results.</param>
    /// <param name="length">How many elements.</param>
    public static void Narrow<TStored>(float* x, TStored* y, nint length) where TStored : unmanaged =>
        Convert<float, TStored, Narrowing<TStored>>(x, y, length);

    private static void Convert<TFrom, TTo, TConversion>(TFrom* x, TTo* y, nint length)
        where TFrom : unmanaged where TTo : unmanaged where TConversion : struct, IConversion<TFrom, TTo>
    {
        var job = new Job<TFrom, TTo, TConversion> { X = x, Y = y, Length = length };
        if (length <= ChunkLength) job.Run(0);
        else Workers.For((int)((length + ChunkLength - 1) / ChunkLength), ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Wide<TStored>(Vector<uint> bits)
    {
        if (typeof(TStored) == typeof(BFloat16)) return Vector.AsVectorSingle(bits << 16);
        // As it stands, the exponent is too small by 112; so is that of a subnormal, which becomes normal. ∞ and NaN
        // come out as 2¹⁶ and more.
        var magnitude = Vector.AsVectorSingle((bits & new Vector<uint>(0x7FFF)) << 13) * Rebias;
        var isSpecial = Vector.AsVectorUInt32(Vector.GreaterThanOrEqual(magnitude, new Vector<float>(65536)));
        return Vector.AsVectorSingle(Vector.AsVectorUInt32(magnitude) | (isSpecial & new Vector<uint>(0x7F800000))
            | ((bits & new Vector<uint>(0x8000)) << 16));
    }

    // The bits of the half precision, each in 32.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<uint> Rounded<TStored>(Vector<float> x)
    {
        var bits = Vector.AsVectorUInt32(x);
        var isNumber = Vector.AsVectorUInt32(Vector.Equals(x, x));
        if (typeof(TStored) == typeof(BFloat16))
            return Vector.ConditionalSelect(isNumber,
                (bits + new Vector<uint>(0x7FFF) + ((bits >>> 16) & Vector<uint>.One)) >>> 16,
                (bits >>> 16) | new Vector<uint>(0x40));
        var magnitude = bits & new Vector<uint>(0x7FFFFFFF);
        var normal = (magnitude + new Vector<uint>(0xC8000FFF) + ((magnitude >>> 13) & Vector<uint>.One)) >>> 13;
        // Added to ½, what is below 2⁻¹⁴ is rounded to multiples of 2⁻²⁴ by the addition itself.
        var half = new Vector<float>(0.5f);
        var subnormal = Vector.AsVectorUInt32(Vector.AsVectorSingle(magnitude) + half) - Vector.AsVectorUInt32(half);
        var result = Vector.ConditionalSelect(
            Vector.LessThan(magnitude, new Vector<uint>(0x38800000)), subnormal, normal);
        result = Vector.ConditionalSelect(
            Vector.LessThan(magnitude, new Vector<uint>(0x47800000)), result, new Vector<uint>(0x7C00));
        var notANumber = ((magnitude >>> 13) & new Vector<uint>(0x3FF)) | new Vector<uint>(0x7E00);
        return Vector.ConditionalSelect(isNumber, result, notANumber) | ((bits >>> 16) & new Vector<uint>(0x8000));
    }

    private interface IConversion<TFrom, TTo> where TFrom : unmanaged where TTo : unmanaged
    {
        /// <summary>Converts <c>Vector&lt;ushort&gt;.Count</c> elements.</summary>
        static abstract void Step(TFrom* x, TTo* y);
    }

    private readonly struct Widening<TStored> : IConversion<TStored, float> where TStored : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Step(TStored* x, float* y)
        {
            Vector.Widen(Vector.Load((ushort*)x), out var low, out var high);
            Wide<TStored>(low).Store(y);
            Wide<TStored>(high).Store(y + Vector<float>.Count);
        }
    }

    private readonly struct Narrowing<TStored> : IConversion<float, TStored> where TStored : unmanaged
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static void Step(float* x, TStored* y) =>
            Vector.Narrow(Rounded<TStored>(Vector.Load(x)), Rounded<TStored>(Vector.Load(x + Vector<float>.Count)))
                .Store((ushort*)y);
    }

    private struct Job<TFrom, TTo, TConversion> : IChunkJob
        where TFrom : unmanaged where TTo : unmanaged where TConversion : struct, IConversion<TFrom, TTo>
    {
        public TFrom* X;
        public TTo* Y;
        public nint Length;

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public readonly void Run(int chunk)
        {
            var (i, end) = (chunk * (nint)ChunkLength, Math.Min(Length, (chunk + (nint)1) * ChunkLength));
            for (; i <= end - Vector<ushort>.Count; i += Vector<ushort>.Count) TConversion.Step(X + i, Y + i);
            if (i == end) return;
            var rest = (int)(end - i);
            var from = stackalloc TFrom[Vector<ushort>.Count];
            var to = stackalloc TTo[Vector<ushort>.Count];
            new Span<TFrom>(X + i, rest).CopyTo(new Span<TFrom>(from, rest));
            TConversion.Step(from, to);
            new Span<TTo>(to, rest).CopyTo(new Span<TTo>(Y + i, rest));
        }
    }
}
