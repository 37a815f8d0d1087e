using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = max(x, 0)</summary>
internal sealed class ReluOp : UnaryOp<ReluOp.Operator, ReluOp.Vjp>
{
    internal static readonly ReluOp Instance = new();

    public override string Name => "Relu";
    public override string Formula => "y = max(x, 0)";
    public override string Derivation => "∂L/∂x = 0 where x ≤ 0, else g, where x is NaN too";
    public override Saves Saves => Saves.Output;

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.MaskedBy(new Vjp(), node.Output)];

    internal readonly struct Operator : IUnaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Max(x, V.Splat(0));
    }

    // x is the incoming gradient, y the saved output.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.LessEqual(y, V.Splat(0)), V.Splat(0), x);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// max(x, 0): rectified linear unit (Nair and Hinton 2010); the derivative at 0 is taken as 0; a NaN passes,
        /// and so does its gradient.
        /// </summary>
        /// <returns>A tensor of x's shape and type.</returns>
        public Tensor Relu() => Op.Apply(ReluOp.Instance, x);
    }
}
