using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = x / c; not x · (1/c), which rounds twice and overflows where c is tiny.</summary>
internal sealed class DivideByNumberOp(double divisor)
    : UnaryOp<DivideByNumberOp.Operator, DivideByNumberOp.Vjp>(new Operator(divisor), new Vjp(divisor))
{
    public override string Name => "DivideByNumber";
    public override string Formula => "y = x / c";
    public override string Derivation => "∂L/∂x = g / c";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("divisor", divisor)];

    internal readonly struct Operator(double divisor) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x / V.Splat(divisor);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp(double divisor) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x / V.Splat(divisor);
    }
}
