using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Adjoint.Kernels;

/// <summary>
/// Lanes of a 512-bit vector: 16 float32 or 8 float64, lane i being element i in memory. A mask has all bits of a lane
/// set or none. Only with AVX-512.
/// </summary>
internal readonly unsafe struct V512<T>(Vector512<T> value) : ILanes<V512<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Vector512<T> value = value;

    public static int Count
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector512<T>.Count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Load(T* from) => new(Vector512.Load(from));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> LoadHalves(T* low, T* high) =>
        new(Vector512.Create(Vector256.Load(low), Vector256.Load(high)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(V512<T> x, T* to) => x.value.Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreFirst(V512<T> x, T* to, int count)
    {
        if (typeof(T) == typeof(float))
            Avx512F.MaskStore((float*)to, Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count))
                    .AsSingle(), x.value.As<T, float>());
        else Avx512F.MaskStore((double*)to, Vector512.LessThan(Vector512<long>.Indices, Vector512.Create((long)count))
            .AsDouble(), x.value.As<T, double>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Splat(T value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Splat(double value) => typeof(T) == typeof(float)
        ? new(Vector512.Create((float)value).As<float, T>())
        : new(Vector512.Create(value).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator +(V512<T> a, V512<T> b) => new(a.value + b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator -(V512<T> a, V512<T> b) => new(a.value - b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator *(V512<T> a, V512<T> b) => new(a.value * b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator /(V512<T> a, V512<T> b) => new(a.value / b.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> operator -(V512<T> x) => new(-x.value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Fma(V512<T> a, V512<T> b, V512<T> c) => typeof(T) == typeof(float)
        ? new(Vector512.FusedMultiplyAdd(a.value.As<T, float>(), b.value.As<T, float>(), c.value.As<T, float>())
            .As<float, T>())
        : new(Vector512.FusedMultiplyAdd(a.value.As<T, double>(), b.value.As<T, double>(), c.value.As<T, double>())
            .As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> FmaSplat(V512<T> a, T* b, V512<T> c) => typeof(T) == typeof(float)
        ? new(Vector512.FusedMultiplyAdd(a.value.As<T, float>(), Vector512.Create(*(float*)b), c.value.As<T, float>())
            .As<float, T>())
        : new(Vector512.FusedMultiplyAdd(a.value.As<T, double>(), Vector512.Create(*(double*)b),
            c.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Min(V512<T> a, V512<T> b) => new(Vector512.Min(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Max(V512<T> a, V512<T> b) => new(Vector512.Max(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Abs(V512<T> x) => new(Vector512.Abs(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Sqrt(V512<T> x) => new(Vector512.Sqrt(x.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Floor(V512<T> x) => typeof(T) == typeof(float)
        ? new(Vector512.Floor(x.value.As<T, float>()).As<float, T>())
        : new(Vector512.Floor(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Exp(V512<T> x) => typeof(T) == typeof(float)
        ? LaneMath.ExpSingle(x)
        : new(Vector512.Exp(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> ScaleByPowerOfTwo(V512<T> x, V512<T> n) => typeof(T) == typeof(float)
        ? new(Avx512F.Scale(x.value.As<T, float>(), n.value.As<T, float>()).As<float, T>())
        : new(Avx512F.Scale(x.value.As<T, double>(), n.value.As<T, double>()).As<double, T>());

    // The native minimum returns its second operand when one is NaN.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Clamp(V512<T> x, V512<T> low, V512<T> high) =>
        new(Vector512.MinNative(high.value, Vector512.MaxNative(low.value, x.value)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Log(V512<T> x) => typeof(T) == typeof(float)
        ? new(Vector512.Log(x.value.As<T, float>()).As<float, T>())
        : new(Vector512.Log(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Pow(V512<T> x, V512<T> y)
    {
        if (typeof(T) == typeof(double)) return LanePower.ForDouble(x, y);
        var (low, high) = Vector512.Widen(x.value.As<T, float>());
        var (lowExponent, highExponent) = Vector512.Widen(y.value.As<T, float>());
        var first = LanePower.ForSingle(new V512<double>(low), new V512<double>(lowExponent));
        var second = LanePower.ForSingle(new V512<double>(high), new V512<double>(highExponent));
        return new(Vector512.Narrow(first.value, second.value).As<float, T>());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Sin(V512<T> x) => typeof(T) == typeof(float)
        ? new(Vector512.Sin(x.value.As<T, float>()).As<float, T>())
        : new(Vector512.Sin(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Cos(V512<T> x) => typeof(T) == typeof(float)
        ? new(Vector512.Cos(x.value.As<T, float>()).As<float, T>())
        : new(Vector512.Cos(x.value.As<T, double>()).As<double, T>());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Less(V512<T> a, V512<T> b) => new(Vector512.LessThan(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> LessEqual(V512<T> a, V512<T> b) => new(Vector512.LessThanOrEqual(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Equal(V512<T> a, V512<T> b) => new(Vector512.Equals(a.value, b.value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V512<T> Select(V512<T> mask, V512<T> ifTrue, V512<T> ifFalse) =>
        new(Vector512.ConditionalSelect(mask.value, ifTrue.value, ifFalse.value));
}
