using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = max(x, y)</summary>
internal sealed class MaximumOp : BinaryOp<MaximumOp.Operator>
{
    internal static readonly MaximumOp Instance = new();

    public override string Name => "Maximum";
    public override string Formula => "z = max(x, y)";
    public override string Derivation =>
        "∂L/∂x = 0 where x < y, g/2 where x = y, else g, where one is NaN too; ∂L/∂y likewise";
    public override Saves Saves => Saves.Inputs;

    protected override Tensor Left(OpNode node, Tensor gradient) =>
        gradient * node.Inputs[1].MinimumWeight(node.Inputs[0]);

    protected override Tensor Right(OpNode node, Tensor gradient) =>
        gradient * node.Inputs[0].MinimumWeight(node.Inputs[1]);

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.All;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Max(x, y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// max(x, y), element by element, broadcast; NaN if either is. Where both are equal, each gets half of the
        /// gradient.
        /// </summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        public Tensor Maximum(Tensor y) => Op.Apply(MaximumOp.Instance, x, y);
    }
}
