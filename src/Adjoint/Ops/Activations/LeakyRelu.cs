using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = x where x > 0, else s·x</summary>
internal sealed class LeakyReluOp(double slope) : UnaryOp<LeakyReluOp.Operator, LeakyReluOp.Vjp>(new Operator(slope), new Vjp(slope))
{
    public override string Name => "LeakyRelu";
    public override string Formula => "y = x where x > 0, else s·x";
    public override string Derivation => "∂L/∂x = g where x > 0, else s·g";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("slope", slope)];

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.MaskedBy(new Vjp(slope), node.Inputs[0])];

    internal readonly struct Operator(double slope) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Select(V.Less(V.Splat(0), x), x, x * V.Splat(slope));
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp(double slope) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.Less(V.Splat(0), y), x, x * V.Splat(slope));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>x where x > 0, else slope·x (Maas et al. 2013); the derivative at 0 is the slope.</summary>
        /// <param name="slope">The factor for x ≤ 0.</param>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor LeakyRelu(double slope = 0.01) => Op.Apply(new LeakyReluOp(slope), x);
    }
}
