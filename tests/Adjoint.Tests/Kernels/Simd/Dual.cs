using Adjoint.Kernels;

namespace Adjoint.Tests.Kernels;

/// <summary>
/// A value and its derivative, v + s·ε with ε² = 0 (Clifford 1873): vector maths run on these differentiates itself. Of
/// duals of duals the slope's slope is the second derivative. Truth values stand in <see cref="Value"/>.
/// </summary>
internal readonly struct Dual<V>(V value, V slope) : ILanes<Dual<V>> where V : struct, ILanes<V>
{
    public V Value { get; } = value;

    public V Vjp { get; } = slope;

    private static V Zero => V.Splat(0);

    public static Dual<V> Splat(double value) => new(V.Splat(value), Zero);

    public static Dual<V> operator +(Dual<V> a, Dual<V> b) => new(a.Value + b.Value, a.Vjp + b.Vjp);

    public static Dual<V> operator -(Dual<V> a, Dual<V> b) => new(a.Value - b.Value, a.Vjp - b.Vjp);

    public static Dual<V> operator *(Dual<V> a, Dual<V> b) =>
        new(a.Value * b.Value, a.Vjp * b.Value + a.Value * b.Vjp);

    public static Dual<V> operator /(Dual<V> a, Dual<V> b)
    {
        var quotient = a.Value / b.Value;
        return new(quotient, (a.Vjp - quotient * b.Vjp) / b.Value);
    }

    public static Dual<V> operator -(Dual<V> x) => new(-x.Value, -x.Vjp);

    public static Dual<V> Fma(Dual<V> a, Dual<V> b, Dual<V> c) =>
        new(V.Fma(a.Value, b.Value, c.Value), a.Vjp * b.Value + a.Value * b.Vjp + c.Vjp);

    // Of equals each has half a share, as in Minimum and Maximum.
    public static Dual<V> Min(Dual<V> a, Dual<V> b) => new(V.Min(a.Value, b.Value), Lower(a, b, a.Vjp, b.Vjp));

    public static Dual<V> Max(Dual<V> a, Dual<V> b) => new(V.Max(a.Value, b.Value), Lower(a, b, b.Vjp, a.Vjp));

    public static Dual<V> Abs(Dual<V> x) => new(V.Abs(x.Value), V.Select(V.Less(x.Value, Zero), -x.Vjp,
        V.Select(V.Less(Zero, x.Value), x.Vjp, x.Value * x.Vjp)));

    public static Dual<V> Sqrt(Dual<V> x)
    {
        var root = V.Sqrt(x.Value);
        return new(root, x.Vjp / (root + root));
    }

    public static Dual<V> Floor(Dual<V> x) => new(V.Floor(x.Value), Zero);

    public static Dual<V> Exp(Dual<V> x)
    {
        var power = V.Exp(x.Value);
        return new(power, power * x.Vjp);
    }

    // n is whole: it does not vary.
    public static Dual<V> ScaleByPowerOfTwo(Dual<V> x, Dual<V> n) =>
        new(V.ScaleByPowerOfTwo(x.Value, n.Value), V.ScaleByPowerOfTwo(x.Vjp, n.Value));

    public static Dual<V> Clamp(Dual<V> x, Dual<V> low, Dual<V> high) => new(
        V.Clamp(x.Value, low.Value, high.Value),
        V.Select(V.Less(x.Value, low.Value), low.Vjp, V.Select(V.Less(high.Value, x.Value), high.Vjp, x.Vjp)));

    public static Dual<V> Log(Dual<V> x) => new(V.Log(x.Value), x.Vjp / x.Value);

    // What does not vary adds nothing, not even 0 · NaN: ln x of a negative x.
    public static Dual<V> Pow(Dual<V> x, Dual<V> y)
    {
        var power = V.Pow(x.Value, y.Value);
        var byBase = y.Value * V.Pow(x.Value, y.Value - V.Splat(1)) * x.Vjp;
        var byExponent = power * V.Log(x.Value) * y.Vjp;
        return new(power, Unless(x.Vjp, byBase) + Unless(y.Vjp, byExponent));
    }

    public static Dual<V> Sin(Dual<V> x) => new(V.Sin(x.Value), V.Cos(x.Value) * x.Vjp);

    public static Dual<V> Cos(Dual<V> x) => new(V.Cos(x.Value), -(V.Sin(x.Value) * x.Vjp));

    public static Dual<V> Less(Dual<V> a, Dual<V> b) => new(V.Less(a.Value, b.Value), Zero);

    public static Dual<V> LessEqual(Dual<V> a, Dual<V> b) => new(V.LessEqual(a.Value, b.Value), Zero);

    public static Dual<V> Equal(Dual<V> a, Dual<V> b) => new(V.Equal(a.Value, b.Value), Zero);

    public static Dual<V> FloorDivide(Dual<V> x, Dual<V> y) => new(V.FloorDivide(x.Value, y.Value), Zero);

    public static Dual<V> Remainder(Dual<V> x, Dual<V> y) => new(
        V.Remainder(x.Value, y.Value), x.Vjp - V.FloorDivide(x.Value, y.Value) * y.Vjp);

    public static Dual<V> Select(Dual<V> mask, Dual<V> ifTrue, Dual<V> ifFalse) => new(
        V.Select(mask.Value, ifTrue.Value, ifFalse.Value), V.Select(mask.Value, ifTrue.Vjp, ifFalse.Vjp));

    private static V Lower(Dual<V> a, Dual<V> b, V ifA, V ifB) => V.Select(V.Less(a.Value, b.Value), ifA,
        V.Select(V.Less(b.Value, a.Value), ifB, V.Splat(0.5) * (ifA + ifB)));

    private static V Unless(V constant, V term) => V.Select(V.Equal(constant, Zero), Zero, term);
}

/// <summary>f′ of an operator f.</summary>
internal readonly struct Derivative<TOperator>(TOperator op) : IUnaryOperator where TOperator : struct, IUnaryOperator
{
    public V Invoke<V>(V x) where V : struct, ILanes<V> => op.Invoke(new Dual<V>(x, V.Splat(1))).Vjp;
}

/// <summary>∂f/∂x of an operator f(x, y).</summary>
internal readonly struct LeftDerivative<TOperator>(TOperator op) : IBinaryOperator
    where TOperator : struct, IBinaryOperator
{
    public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
        op.Invoke(new Dual<V>(x, V.Splat(1)), new Dual<V>(y, V.Splat(0))).Vjp;
}

/// <summary>∂f/∂y of an operator f(x, y).</summary>
internal readonly struct RightDerivative<TOperator>(TOperator op) : IBinaryOperator
    where TOperator : struct, IBinaryOperator
{
    public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
        op.Invoke(new Dual<V>(x, V.Splat(0)), new Dual<V>(y, V.Splat(1))).Vjp;
}
