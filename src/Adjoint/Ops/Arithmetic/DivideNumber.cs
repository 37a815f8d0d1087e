using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = c / x; the number is not rounded to x's type first, and lies on no device.</summary>
internal sealed class DivideNumberOp(double dividend)
    : UnaryOp<DivideNumberOp.Lane, DivideNumberOp.Slope>(new Lane(dividend), new Slope(dividend))
{
    public override string Name => "DivideNumber";
    public override string Formula => "y = c / x";
    public override string Derivation => "∂L/∂x = −g · c / x² = −g · (y / x)";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("dividend", dividend)];

    internal readonly struct Lane(double dividend) : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Splat(dividend) / x;
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Slope(double dividend) : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => -(x * (V.Splat(dividend) / y / y));
    }
}
