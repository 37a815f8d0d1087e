using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// Lanes of a 256-bit vector: 8 float32 or 4 float64, lane i being element i in memory. A mask has all bits of a lane
/// set or none.
/// </summary>
internal readonly unsafe struct V256<T>(Vector256<T> value) : ILanes<V256<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector256<T> value = value;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector256<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Load(T* from) => new(Vector256.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(V256<T> x, T* to) => x.value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Splat(T value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Splat(double value) => typeof(T) == typeof(float)
        ? new(Vector256.Create((float)value).As<float, T>())
        : new(Vector256.Create(value).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator +(V256<T> a, V256<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator -(V256<T> a, V256<T> b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator *(V256<T> a, V256<T> b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator /(V256<T> a, V256<T> b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> operator -(V256<T> x) => new(-x.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Fma(V256<T> a, V256<T> b, V256<T> c) => typeof(T) == typeof(float)
        ? new(Vector256.FusedMultiplyAdd(a.value.As<T, float>(), b.value.As<T, float>(), c.value.As<T, float>())
            .As<float, T>())
        : new(Vector256.FusedMultiplyAdd(a.value.As<T, double>(), b.value.As<T, double>(), c.value.As<T, double>())
            .As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> FmaSplat(V256<T> a, T* b, V256<T> c) => typeof(T) == typeof(float)
        ? new(Vector256.FusedMultiplyAdd(a.value.As<T, float>(), Vector256.Create(*(float*)b), c.value.As<T, float>())
            .As<float, T>())
        : new(Vector256.FusedMultiplyAdd(a.value.As<T, double>(), Vector256.Create(*(double*)b),
            c.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Min(V256<T> a, V256<T> b) => new(Vector256.Min(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Max(V256<T> a, V256<T> b) => new(Vector256.Max(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Abs(V256<T> x) => new(Vector256.Abs(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Sqrt(V256<T> x) => new(Vector256.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Floor(V256<T> x) => typeof(T) == typeof(float)
        ? new(Vector256.Floor(x.value.As<T, float>()).As<float, T>())
        : new(Vector256.Floor(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Exp(V256<T> x) => typeof(T) == typeof(float)
        ? LaneMath.ExpSingle(x)
        : new(Vector256.Exp(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> ScaleByPowerOfTwo(V256<T> x, V256<T> n) =>
        x * PowerOfTwo(Floor(n * Splat(0.5))) * PowerOfTwo(n - Floor(n * Splat(0.5)));

    // By its exponent bits; half of n at a time, so that neither factor leaves the range.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V256<T> PowerOfTwo(V256<T> n) => typeof(T) == typeof(float)
        ? new(((Vector256.ConvertToInt32(n.value.As<T, float>()) + Vector256.Create(127)) << 23).As<int, T>())
        : new(((Vector256.ConvertToInt64(n.value.As<T, double>()) + Vector256.Create(1023L)) << 52).As<long, T>());

    // The native minimum returns its second operand when one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Clamp(V256<T> x, V256<T> low, V256<T> high) =>
        new(Vector256.MinNative(high.value, Vector256.MaxNative(low.value, x.value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Log(V256<T> x) => typeof(T) == typeof(float)
        ? new(Vector256.Log(x.value.As<T, float>()).As<float, T>())
        : new(Vector256.Log(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Pow(V256<T> x, V256<T> y)
    {
        if (typeof(T) == typeof(double)) return LanePower.ForDouble(x, y);
        var (low, high) = Vector256.Widen(x.value.As<T, float>());
        var (lowExponent, highExponent) = Vector256.Widen(y.value.As<T, float>());
        var first = LanePower.ForSingle(new V256<double>(low), new V256<double>(lowExponent));
        var second = LanePower.ForSingle(new V256<double>(high), new V256<double>(highExponent));
        return new(Vector256.Narrow(first.value, second.value).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Sin(V256<T> x) => typeof(T) == typeof(float)
        ? new(Vector256.Sin(x.value.As<T, float>()).As<float, T>())
        : new(Vector256.Sin(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Cos(V256<T> x) => typeof(T) == typeof(float)
        ? new(Vector256.Cos(x.value.As<T, float>()).As<float, T>())
        : new(Vector256.Cos(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Less(V256<T> a, V256<T> b) => new(Vector256.LessThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> LessEqual(V256<T> a, V256<T> b) => new(Vector256.LessThanOrEqual(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Equal(V256<T> a, V256<T> b) => new(Vector256.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V256<T> Select(V256<T> mask, V256<T> ifTrue, V256<T> ifFalse) =>
        new(Vector256.ConditionalSelect(mask.value, ifTrue.value, ifFalse.value));
}
