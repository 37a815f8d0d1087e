using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = √x</summary>
internal sealed class SqrtOp : UnaryOp<SqrtOp.Operator, SqrtOp.Vjp>
{
    internal static readonly SqrtOp Instance = new();

    public override string Name => "Sqrt";
    public override string Formula => "y = √x";
    public override string Derivation => "∂L/∂x = g / (2√x) = g / (2y)";
    public override Saves Saves => Saves.Output;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Sqrt(x);
    }

    // x is the incoming gradient, y the saved output.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x / (y + y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The square root √x, element by element; NaN below 0. The derivative at 0 is ∞.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Sqrt() => Op.Apply(SqrtOp.Instance, x);
    }
}
