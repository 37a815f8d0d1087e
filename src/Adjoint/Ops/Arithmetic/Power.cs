using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = xᵖ</summary>
internal sealed class PowerOp(double exponent) : UnaryOp<PowerOp.Lane, PowerOp.Slope>(new Lane(exponent), new Slope(exponent))
{
    public override string Name => "Power";
    public override string Formula => "y = xᵖ";
    public override string Derivation => "∂L/∂x = g · p · xᵖ⁻¹";
    public override Saves Saves => Saves.Inputs;

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient * node.Inputs[0].Pow(exponent - 1) * exponent];

    internal readonly struct Lane(double exponent) : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Pow(x, V.Splat(exponent));
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Slope(double exponent) : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * V.Splat(exponent) * LaneMath.Pow(y, V.Splat(exponent - 1));
    }
}

/// <summary>The method of <c>Power</c>.</summary>
public static class PowerMethods
{
    extension(Tensor x)
    {
        /// <summary>xᵖ for a number p. NaN for x &lt; 0, unless p is an integer.</summary>
        /// <param name="exponent">p.</param>
        public Tensor Pow(double exponent) => Op.Apply(new PowerOp(exponent), x);
    }
}
