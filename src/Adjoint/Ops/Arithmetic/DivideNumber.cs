using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = c / x; the number is not rounded to x's type first, and lies on no device.</summary>
internal sealed class DivideNumberOp(double dividend)
    : UnaryOp<DivideNumberOp.Operator, DivideNumberOp.Vjp>(new Operator(dividend), new Vjp(dividend))
{
    public override string Name => "DivideNumber";
    public override string Formula => "y = c / x";
    public override string Derivation => "∂L/∂x = −g · c / x² = −g · (y / x)";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("dividend", dividend)];

    internal readonly struct Operator(double dividend) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Splat(dividend) / x;
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp(double dividend) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => -(x * (V.Splat(dividend) / y / y));
    }
}
