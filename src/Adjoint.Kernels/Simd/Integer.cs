using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint.Kernels;

/// <summary>
/// One whole number. Sums, differences, products and powers wrap: they keep the low bits. A mask is 1 or 0. What has no
/// whole result (a quotient, a root, an exponential) is not there: no operator that is said to mean something on
/// integers uses it (<see cref="IOperator.Kinds"/>).
/// </summary>
internal readonly unsafe struct Integer<T>(T value) : ILanes<Integer<T>, T>
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    private readonly T value = value;

    public static int Count => 1;

    public static Integer<T> Load(T* from) => new(*from);

    public static void Store(Integer<T> x, T* to) => *to = x.value;

    public static Integer<T> Splat(T value) => new(value);

    /// <summary>A whole number that the type has, or the one nearest to an infinity.</summary>
    public static Integer<T> Splat(double value)
    {
        var nearest = T.CreateSaturating(value);
        return double.CreateTruncating(nearest) == value || double.IsInfinity(value)
            ? new(nearest)
            : throw new ArithmeticException($"{typeof(T).Name}: {value} is none of its numbers");
    }

    public static Integer<T> operator +(Integer<T> a, Integer<T> b) => new(unchecked(a.value + b.value));

    public static Integer<T> operator -(Integer<T> a, Integer<T> b) => new(unchecked(a.value - b.value));

    public static Integer<T> operator *(Integer<T> a, Integer<T> b) => new(unchecked(a.value * b.value));

    public static Integer<T> operator /(Integer<T> a, Integer<T> b) => throw Lacks("quotient");

    public static Integer<T> operator -(Integer<T> x) => new(unchecked(T.Zero - x.value));

    public static Integer<T> Fma(Integer<T> a, Integer<T> b, Integer<T> c) => a * b + c;

    public static Integer<T> FmaSplat(Integer<T> a, T* b, Integer<T> c) => a * new Integer<T>(*b) + c;

    public static Integer<T> Min(Integer<T> a, Integer<T> b) => a.value < b.value ? a : b;

    public static Integer<T> Max(Integer<T> a, Integer<T> b) => a.value > b.value ? a : b;

    public static Integer<T> Abs(Integer<T> x) => x.value < T.Zero ? -x : x;

    public static Integer<T> Sqrt(Integer<T> x) => throw Lacks(nameof(Sqrt));

    public static Integer<T> Floor(Integer<T> x) => x;

    public static Integer<T> Exp(Integer<T> x) => throw Lacks(nameof(Exp));

    public static Integer<T> ScaleByPowerOfTwo(Integer<T> x, Integer<T> n) => throw Lacks(nameof(ScaleByPowerOfTwo));

    public static Integer<T> Clamp(Integer<T> x, Integer<T> low, Integer<T> high) => Min(Max(x, low), high);

    public static Integer<T> Log(Integer<T> x) => throw Lacks(nameof(Log));

    /// <summary>By squaring.</summary>
    /// <exception cref="ArithmeticException">The exponent is negative.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Integer<T> Pow(Integer<T> x, Integer<T> y)
    {
        if (y.value < T.Zero)
            throw new ArithmeticException(
                $"Pow: a whole number to the power {y.value} is no whole number; cast with .To(DType.Float32)");
        var (power, square) = (new Integer<T>(T.One), x);
        for (var n = y.value; n != T.Zero; n >>= 1)
        {
            if ((n & T.One) != T.Zero) power *= square;
            square *= square;
        }
        return power;
    }

    public static Integer<T> Sin(Integer<T> x) => throw Lacks(nameof(Sin));

    public static Integer<T> Cos(Integer<T> x) => throw Lacks(nameof(Cos));

    public static Integer<T> Less(Integer<T> a, Integer<T> b) => Mask(a.value < b.value);

    public static Integer<T> LessEqual(Integer<T> a, Integer<T> b) => Mask(a.value <= b.value);

    public static Integer<T> Equal(Integer<T> a, Integer<T> b) => Mask(a.value == b.value);

    public static Integer<T> Select(Integer<T> mask, Integer<T> ifTrue, Integer<T> ifFalse) =>
        mask.value != T.Zero ? ifTrue : ifFalse;

    public static Integer<T> FloorDivide(Integer<T> x, Integer<T> y)
    {
        // The processor refuses the lowest number / −1.
        if (IsMinusOne(y, nameof(FloorDivide))) return -x;
        var (quotient, rest) = T.DivRem(x.value, y.value);
        return new(rest != T.Zero && rest < T.Zero != y.value < T.Zero ? quotient - T.One : quotient);
    }

    public static Integer<T> Remainder(Integer<T> x, Integer<T> y)
    {
        if (IsMinusOne(y, nameof(Remainder))) return new(T.Zero);
        var rest = x.value % y.value;
        return new(rest != T.Zero && rest < T.Zero != y.value < T.Zero ? rest + y.value : rest);
    }

    public static Integer<T> And(Integer<T> x, Integer<T> y) => new(x.value & y.value);

    public static Integer<T> Or(Integer<T> x, Integer<T> y) => new(x.value | y.value);

    public static Integer<T> Xor(Integer<T> x, Integer<T> y) => new(x.value ^ y.value);

    public static Integer<T> Not(Integer<T> x) => new(~x.value);

    private static bool IsMinusOne(Integer<T> divisor, string function) => divisor.value == T.Zero
        ? throw new ArithmeticException(
            $"{function}: a whole number has no quotient by 0; replace the zeros of the divisor, as with Tensor.Where, "
            + "or divide with /")
        : unchecked(divisor.value + T.One) == T.Zero && T.MinValue < T.Zero;

    private static Integer<T> Mask(bool set) => new(set ? T.One : T.Zero);

    private static NotSupportedException Lacks(string what) => new($"{typeof(T).Name}: whole numbers have no {what}");
}
