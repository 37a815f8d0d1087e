using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = 1 / (1 + e⁻ˣ)</summary>
internal sealed class SigmoidOp : UnaryOp<SigmoidOp.Operator, SigmoidOp.Vjp>
{
    internal static readonly SigmoidOp Instance = new();

    public override string Name => "Sigmoid";
    public override string Formula => "y = 1 / (1 + e⁻ˣ)";
    public override string Derivation => "∂L/∂x = g · e⁻ˣ/(1 + e⁻ˣ)² = g · y · (1 − y)";
    public override Saves Saves => Saves.Output;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Sigmoid(x);
    }

    // x is the incoming gradient, y the saved output.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * y * (V.Splat(1) - y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The logistic function 1 / (1 + e⁻ˣ), element by element, without overflow.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Sigmoid() => Op.Apply(SigmoidOp.Instance, x);
    }
}
