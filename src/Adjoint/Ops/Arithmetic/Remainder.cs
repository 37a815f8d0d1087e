using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = x − y·⌊x / y⌋</summary>
internal sealed class RemainderOp : BinaryOp<RemainderOp.Operator>
{
    internal static readonly RemainderOp Instance = new();

    public override string Name => "Remainder";
    public override string Formula => "z = x − y·⌊x / y⌋";
    public override string Derivation =>
        "⌊x / y⌋ is constant between its steps: ∂L/∂x = g; ∂L/∂y = −g · ⌊x / y⌋; summed over broadcast axes";
    public override Saves Saves => Saves.Inputs;

    protected override Tensor Left(OpNode node, Tensor gradient) => gradient;

    protected override Tensor Right(OpNode node, Tensor gradient) =>
        -(gradient * node.Inputs[0].FloorDivide(node.Inputs[1]));

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Remainder(x, y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// x − y·⌊x / y⌋, broadcast: the remainder of FloorDivide, 0 or of the sign of y, as Python's <c>%</c>, so that
        /// −7 by 2 leaves 1. Of floating numbers NaN for y = 0 or infinite x. Types as in a sum of both.
        /// </summary>
        /// <param name="y">The divisor; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        /// <exception cref="AdjointException">An integer divisor is 0, or both are truth values.</exception>
        public Tensor Remainder(Tensor y) => Op.Apply(RemainderOp.Instance, x, y);

        /// <summary>x − y·⌊x / y⌋ for a number y: the remainder, of y's sign, as Python's <c>%</c>.</summary>
        /// <param name="y">The divisor of every element.</param>
        /// <returns>A tensor of x's shape.</returns>
        /// <exception cref="AdjointException">x holds integers, which have no such number, or it is 0.</exception>
        public Tensor Remainder(Number y) => Op.Apply(RemainderOp.Instance, x, y.AsTensor(x, "Remainder"));
    }
}
