using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = (1 + erf(x/√2)) / 2</summary>
internal sealed class NormalCdfOp : UnaryOp<NormalCdfOp.Operator, NormalCdfOp.Vjp>
{
    internal static readonly NormalCdfOp Instance = new();

    public override string Name => "NormalCdf";
    public override string Formula => "y = (1 + erf(x/√2)) / 2";
    public override string Derivation => "∂L/∂x = g · e^(−x²/2) / √(2π)";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => GeluOp.Phi(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
            x * V.Exp(y * y * V.Splat(-0.5)) * V.Splat(0.39894228040143267794);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The normal distribution function Φ(x) = (1 + erf(x/√2)) / 2.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor NormalCdf() => Op.Apply(NormalCdfOp.Instance, x);
    }
}
