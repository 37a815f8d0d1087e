using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Adjoint.Kernels;

/// <summary>
/// Lanes of a 128-bit vector: 4 float32 or 2 float64, lane i being element i in memory. A mask has all bits of a lane
/// set or none.
/// </summary>
internal readonly unsafe struct V128<T>(Vector128<T> value) : ILanes<V128<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector128<T> value = value;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Load(T* from) => new(Vector128.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(V128<T> x, T* to) => x.value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Splat(T value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Splat(double value) => typeof(T) == typeof(float)
        ? new(Vector128.Create((float)value).As<float, T>())
        : new(Vector128.Create(value).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator +(V128<T> a, V128<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator -(V128<T> a, V128<T> b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator *(V128<T> a, V128<T> b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator /(V128<T> a, V128<T> b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> operator -(V128<T> x) => new(-x.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Fma(V128<T> a, V128<T> b, V128<T> c) => typeof(T) == typeof(float)
        ? new(Vector128.FusedMultiplyAdd(a.value.As<T, float>(), b.value.As<T, float>(), c.value.As<T, float>())
            .As<float, T>())
        : new(Vector128.FusedMultiplyAdd(a.value.As<T, double>(), b.value.As<T, double>(), c.value.As<T, double>())
            .As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> FmaSplat(V128<T> a, T* b, V128<T> c) => typeof(T) == typeof(float)
        ? new(Vector128.FusedMultiplyAdd(a.value.As<T, float>(), Vector128.Create(*(float*)b), c.value.As<T, float>())
            .As<float, T>())
        : new(Vector128.FusedMultiplyAdd(a.value.As<T, double>(), Vector128.Create(*(double*)b),
            c.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Min(V128<T> a, V128<T> b) => new(Vector128.Min(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Max(V128<T> a, V128<T> b) => new(Vector128.Max(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Abs(V128<T> x) => new(Vector128.Abs(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Sqrt(V128<T> x) => new(Vector128.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Floor(V128<T> x) => typeof(T) == typeof(float)
        ? new(Vector128.Floor(x.value.As<T, float>()).As<float, T>())
        : new(Vector128.Floor(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Exp(V128<T> x) => typeof(T) == typeof(float)
        ? LaneMath.ExpSingle(x)
        : new(Vector128.Exp(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> ScaleByPowerOfTwo(V128<T> x, V128<T> n) =>
        x * PowerOfTwo(Floor(n * Splat(0.5))) * PowerOfTwo(n - Floor(n * Splat(0.5)));

    // By its exponent bits; half of n at a time, so that neither factor leaves the range.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V128<T> PowerOfTwo(V128<T> n) => typeof(T) == typeof(float)
        ? new(((Vector128.ConvertToInt32(n.value.As<T, float>()) + Vector128.Create(127)) << 23).As<int, T>())
        : new(((Vector128.ConvertToInt64(n.value.As<T, double>()) + Vector128.Create(1023L)) << 52).As<long, T>());

    // The native minimum returns its second operand when one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Clamp(V128<T> x, V128<T> low, V128<T> high) =>
        new(Vector128.MinNative(high.value, Vector128.MaxNative(low.value, x.value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Log(V128<T> x) => typeof(T) == typeof(float)
        ? new(Vector128.Log(x.value.As<T, float>()).As<float, T>())
        : new(Vector128.Log(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Pow(V128<T> x, V128<T> y)
    {
        if (typeof(T) == typeof(double)) return LanePower.ForDouble(x, y);
        var (low, high) = Vector128.Widen(x.value.As<T, float>());
        var (lowExponent, highExponent) = Vector128.Widen(y.value.As<T, float>());
        var first = LanePower.ForSingle(new V128<double>(low), new V128<double>(lowExponent));
        var second = LanePower.ForSingle(new V128<double>(high), new V128<double>(highExponent));
        return new(Vector128.Narrow(first.value, second.value).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Sin(V128<T> x) => typeof(T) == typeof(float)
        ? new(Vector128.Sin(x.value.As<T, float>()).As<float, T>())
        : new(Vector128.Sin(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Cos(V128<T> x) => typeof(T) == typeof(float)
        ? new(Vector128.Cos(x.value.As<T, float>()).As<float, T>())
        : new(Vector128.Cos(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Less(V128<T> a, V128<T> b) => new(Vector128.LessThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> LessEqual(V128<T> a, V128<T> b) => new(Vector128.LessThanOrEqual(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Equal(V128<T> a, V128<T> b) => new(Vector128.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V128<T> Select(V128<T> mask, V128<T> ifTrue, V128<T> ifFalse) =>
        new(Vector128.ConditionalSelect(mask.value, ifTrue.value, ifFalse.value));
}
