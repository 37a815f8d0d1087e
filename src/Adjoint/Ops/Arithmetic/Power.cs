using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = xᵖ</summary>
internal sealed class PowerOp(double exponent)
    : UnaryOp<PowerOp.Operator, PowerOp.Vjp>(new Operator(exponent), new Vjp(exponent))
{
    public override string Name => "Power";
    public override string Formula => "y = xᵖ";
    public override string Derivation =>
        "∂L/∂x = g · p · xᵖ⁻¹; 0 for p = 0, at x = 0 too, where the product would be 0 · ∞";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("exponent", exponent)];

    // A power is one op, many lanes. For p = 0 a 0 with a history, so that it can be differentiated again.
    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [exponent == 0 ? node.Inputs[0].Pow(0) * 0 : gradient * (node.Inputs[0].Pow(exponent - 1) * exponent)];

    internal readonly struct Operator(double exponent) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LanePower.Pow(x, exponent);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp(double exponent) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
            exponent == 0 ? V.Splat(0) : x * (LanePower.Pow(y, exponent - 1) * V.Splat(exponent));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// xᵖ for a number p, element by element: exact where the result is representable, else within one unit in the
        /// last place for whole p. NaN for a finite x &lt; 0, unless p is whole; x⁰ = 1, special values as the C
        /// standard has them.
        /// </summary>
        /// <param name="exponent">The exponent p, of any sign.</param>
        /// <returns>A tensor of x's shape.</returns>
        public Tensor Pow(Number exponent) => exponent.IsExactWith(x)
            ? x.Pow(exponent.CheckedToTensorLike(x, "Pow"))
            : Op.Apply(new PowerOp(exponent.Value), x);
    }
}
