using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// Between memory in half precision, bfloat16 or float16, and the float32 that is computed in. Widening is exact;
/// narrowing rounds to the nearest, ties to even, and keeps NaN one.
/// </summary>
public static unsafe class HalfPrecision
{
    // A chunk is a matter of the work alone, never of the thread count; 16 K elements outweigh a hand-off.
    private const int Chunk = 16384;

    // 2¹¹²: from float16's exponents to those of float32.
    private const float Rebias = 5.192296858534828e33f;

    /// <summary>y = x, exactly.</summary>
    public static void Widen<TStored>(TStored* x, float* y, nint length) where TStored : unmanaged
    {
        var job = new WidenJob<TStored> { X = x, Y = y, Length = length };
        if (length <= Chunk) job.Run(0);
        else Workers.For((int)((length + Chunk - 1) / Chunk), ref job);
    }

    /// <summary>y = x, rounded.</summary>
    public static void Narrow<TStored>(float* x, TStored* y, nint length) where TStored : unmanaged
    {
        var job = new NarrowJob<TStored> { X = x, Y = y, Length = length };
        if (length <= Chunk) job.Run(0);
        else Workers.For((int)((length + Chunk - 1) / Chunk), ref job);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TStored>(TStored* x, float* y) where TStored : unmanaged
    {
        Vector.Widen(Vector.Load((ushort*)x), out var low, out var high);
        Wide<TStored>(low).Store(y);
        Wide<TStored>(high).Store(y + Vector<float>.Count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step<TStored>(float* x, TStored* y) where TStored : unmanaged => Vector.Narrow(
        Rounded<TStored>(Vector.Load(x)), Rounded<TStored>(Vector.Load(x + Vector<float>.Count))).Store((ushort*)y);

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

    private struct WidenJob<TStored> : IChunkJob where TStored : unmanaged
    {
        public TStored* X;
        public float* Y;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var (i, end) = (chunk * (nint)Chunk, Math.Min(Length, (chunk + (nint)1) * Chunk));
            for (; i <= end - Vector<ushort>.Count; i += Vector<ushort>.Count) Step(X + i, Y + i);
            if (i == end) return;
            var rest = (int)(end - i);
            TStored* from = stackalloc TStored[Vector<ushort>.Count];
            float* to = stackalloc float[Vector<ushort>.Count];
            new Span<TStored>(X + i, rest).CopyTo(new Span<TStored>(from, rest));
            Step(from, to);
            new Span<float>(to, rest).CopyTo(new Span<float>(Y + i, rest));
        }
    }

    private struct NarrowJob<TStored> : IChunkJob where TStored : unmanaged
    {
        public float* X;
        public TStored* Y;
        public nint Length;

        public readonly void Run(int chunk)
        {
            var (i, end) = (chunk * (nint)Chunk, Math.Min(Length, (chunk + (nint)1) * Chunk));
            for (; i <= end - Vector<ushort>.Count; i += Vector<ushort>.Count) Step(X + i, Y + i);
            if (i == end) return;
            var rest = (int)(end - i);
            float* from = stackalloc float[Vector<ushort>.Count];
            TStored* to = stackalloc TStored[Vector<ushort>.Count];
            new Span<float>(X + i, rest).CopyTo(new Span<float>(from, rest));
            Step(from, to);
            new Span<TStored>(to, rest).CopyTo(new Span<TStored>(Y + i, rest));
        }
    }
}
