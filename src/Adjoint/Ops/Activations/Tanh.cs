using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = tanh x</summary>
internal sealed class TanhOp : UnaryOp<TanhOp.Operator, TanhOp.Vjp>
{
    internal static readonly TanhOp Instance = new();

    public override string Name => "Tanh";
    public override string Formula => "y = tanh x";
    public override string Derivation => "∂L/∂x = g · (1 − tanh² x) = g · (1 − y²)";
    public override Saves Saves => Saves.Output;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Tanh(x);
    }

    // x is the incoming gradient, y the saved output.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * (V.Splat(1) - y * y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The hyperbolic tangent, element by element.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Tanh() => Op.Apply(TanhOp.Instance, x);
    }
}
