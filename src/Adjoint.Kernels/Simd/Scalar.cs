using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// One lane: what runs where the machine, or a setting, offers no vectors. A mask is NaN-safe: 1 or 0.
/// </summary>
internal readonly unsafe struct Scalar<T>(T value) : ILanes<Scalar<T>, T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly T value = value;

    public static int Count => 1;

    public static Scalar<T> Load(T* from) => new(*from);

    public static void Store(Scalar<T> x, T* to) => *to = x.value;

    public static Scalar<T> Splat(T value) => new(value);

    public static Scalar<T> Splat(double value) => new(T.CreateTruncating(value));

    public static Scalar<T> operator +(Scalar<T> a, Scalar<T> b) => new(a.value + b.value);

    public static Scalar<T> operator -(Scalar<T> a, Scalar<T> b) => new(a.value - b.value);

    public static Scalar<T> operator *(Scalar<T> a, Scalar<T> b) => new(a.value * b.value);

    public static Scalar<T> operator /(Scalar<T> a, Scalar<T> b) => new(a.value / b.value);

    public static Scalar<T> operator -(Scalar<T> x) => new(-x.value);

    public static Scalar<T> Fma(Scalar<T> a, Scalar<T> b, Scalar<T> c) =>
        new(T.FusedMultiplyAdd(a.value, b.value, c.value));

    public static Scalar<T> FmaSplat(Scalar<T> a, T* b, Scalar<T> c) => new(T.FusedMultiplyAdd(a.value, *b, c.value));

    public static Scalar<T> Min(Scalar<T> a, Scalar<T> b) => new(T.Min(a.value, b.value));

    public static Scalar<T> Max(Scalar<T> a, Scalar<T> b) => new(T.Max(a.value, b.value));

    public static Scalar<T> Abs(Scalar<T> x) => new(T.Abs(x.value));

    public static Scalar<T> Sqrt(Scalar<T> x) => new(T.Sqrt(x.value));

    public static Scalar<T> Floor(Scalar<T> x) => new(T.Floor(x.value));

    public static Scalar<T> Exp(Scalar<T> x) => typeof(T) == typeof(float)
        ? LaneMath.ExpSingle(x)
        : new(T.Exp(x.value));

    public static Scalar<T> ScaleByPowerOfTwo(Scalar<T> x, Scalar<T> n) =>
        new(T.ScaleB(x.value, int.CreateSaturating(n.value)));

    public static Scalar<T> Clamp(Scalar<T> x, Scalar<T> low, Scalar<T> high) =>
        new(x.value < low.value ? low.value : x.value > high.value ? high.value : x.value);

    public static Scalar<T> Log(Scalar<T> x) => new(T.Log(x.value));

    public static Scalar<T> Pow(Scalar<T> x, Scalar<T> y)
    {
        var wide = new Scalar<double>(double.CreateTruncating(x.value));
        var exponent = new Scalar<double>(double.CreateTruncating(y.value));
        var power = typeof(T) == typeof(float)
            ? LanePower.ForSingle(wide, exponent)
            : LanePower.ForDouble(wide, exponent);
        return new(T.CreateTruncating(power.value));
    }

    public static Scalar<T> Sin(Scalar<T> x) => new(T.Sin(x.value));

    public static Scalar<T> Cos(Scalar<T> x) => new(T.Cos(x.value));

    public static Scalar<T> Less(Scalar<T> a, Scalar<T> b) => Mask(a.value < b.value);

    public static Scalar<T> LessEqual(Scalar<T> a, Scalar<T> b) => Mask(a.value <= b.value);

    public static Scalar<T> Equal(Scalar<T> a, Scalar<T> b) => Mask(a.value == b.value);

    public static Scalar<T> Select(Scalar<T> mask, Scalar<T> ifTrue, Scalar<T> ifFalse) => mask.value != T.Zero
        ? ifTrue
        : ifFalse;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Scalar<T> Mask(bool set) => new(set ? T.One : T.Zero);
}
