using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = min(max(x, 0), 6)</summary>
internal sealed class Relu6Op : UnaryOp<Relu6Op.Operator, Relu6Op.Vjp>
{
    internal static readonly Relu6Op Instance = new();

    public override string Name => "Relu6";
    public override string Formula => "y = min(max(x, 0), 6)";
    public override string Derivation => "∂L/∂x = 0 where x ≤ 0 or x ≥ 6, else g, where x is NaN too";
    public override Saves Saves => Saves.Output;

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.MaskedBy(new Vjp(), node.Output)];

    internal readonly struct Operator : IUnaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Min(V.Max(x, V.Splat(0)), V.Splat(6));
    }

    // x is the incoming gradient, y the saved output.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(
            V.LessEqual(y, V.Splat(0)), V.Splat(0), V.Select(V.LessEqual(V.Splat(6), y), V.Splat(0), x));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// min(max(x, 0), 6): the rectified linear unit that stays small enough for 8-bit numbers (Howard et al. 2017).
        /// The derivative at 0 and at 6 is taken as 0; a NaN passes, and so does its gradient.
        /// </summary>
        /// <returns>A tensor of x's shape and type.</returns>
        public Tensor Relu6() => Op.Apply(Relu6Op.Instance, x);
    }
}
