using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = x where x > 0, else s·x</summary>
internal sealed class LeakyReluOp(double negativeSlope)
    : UnaryOp<LeakyReluOp.Operator, LeakyReluOp.Vjp>(new Operator(negativeSlope), new Vjp(negativeSlope))
{
    public override string Name => "LeakyRelu";
    public override string Formula => "y = x where x > 0, else s·x";
    public override string Derivation => "∂L/∂x = g where x > 0, else s·g";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("slope", negativeSlope)];

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [gradient.MaskedBy(new Vjp(negativeSlope), node.Inputs[0])];

    internal readonly struct Operator(double negativeSlope) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> =>
            V.Select(V.Less(V.Splat(0), x), x, x * V.Splat(negativeSlope));
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp(double negativeSlope) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
            V.Select(V.Less(V.Splat(0), y), x, x * V.Splat(negativeSlope));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>x where x > 0, else slope·x (Maas et al. 2013); the derivative at 0 is the slope.</summary>
        /// <param name="negativeSlope">The factor for x ≤ 0.</param>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor LeakyRelu(double negativeSlope = 0.01) => Op.Apply(new LeakyReluOp(negativeSlope), x);
    }
}
