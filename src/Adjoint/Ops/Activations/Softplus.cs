using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|))</summary>
internal sealed class SoftplusOp : UnaryOp<SoftplusOp.Operator, SoftplusOp.Vjp>
{
    internal static readonly SoftplusOp Instance = new();

    public override string Name => "Softplus";
    public override string Formula => "y = ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|))";
    public override string Derivation => "∂L/∂x = g · σ(x)";
    public override Saves Saves => Saves.Inputs;

    // σ is one op; its lanes would be four.
    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient * node.Inputs[0].Sigmoid()];

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Max(x, V.Splat(0)) + LaneMath.Log1p(V.Exp(-V.Abs(x)));
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * LaneMath.Sigmoid(y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>ln(1 + eˣ), a smooth form of max(x, 0), computed without overflow.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Softplus() => Op.Apply(SoftplusOp.Instance, x);
    }
}
