using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = x · Φ(x), Φ(x) = (1 + erf(x/√2)) / 2</summary>
internal sealed class GeluOp : UnaryOp<GeluOp.Operator, GeluOp.Vjp>
{
    internal static readonly GeluOp Instance = new();

    public override string Name => "Gelu";
    public override string Formula => "y = x · Φ(x), Φ(x) = (1 + erf(x/√2)) / 2";
    public override string Derivation => "∂L/∂x = g · (Φ(x) + x·φ(x)), φ(x) = e^(−x²/2) / √(2π)";
    public override Saves Saves => Saves.Inputs;

    // Φ is one op; its lanes would be forty.
    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var x = node.Inputs[0];
        return [gradient * (x.NormalCdf() + x * (x.Square() * -0.5).Exp() * 0.39894228040143267794)];
    }

    /// <summary>Φ, for lanes.</summary>
    internal static V Phi<V>(V x) where V : struct, ILanes<V> =>
        V.Splat(0.5) * (V.Splat(1) + LaneMath.Erf(x * V.Splat(0.70710678118654752440)));

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x * Phi(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
            x * (Phi(y) + y * V.Exp(y * y * V.Splat(-0.5)) * V.Splat(0.39894228040143267794));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>x·Φ(x) with Φ the normal distribution function (Hendrycks and Gimpel 2016).</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Gelu() => Op.Apply(GeluOp.Instance, x);
    }
}
