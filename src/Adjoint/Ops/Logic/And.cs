using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = x ∧ y</summary>
internal sealed class AndOp : BitwiseOp<AndOp.Operator>
{
    internal static readonly AndOp Instance = new();

    public override string Name => "And";
    public override string Formula => "z = x ∧ y";

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Exact;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.And(x, y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Both x and y, broadcast: of truth values, or of integers bit by bit. Where the types differ, as in a sum of
        /// both.
        /// </summary>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public Tensor And(Tensor y) => Op.Apply(AndOp.Instance, x, y);
    }

    extension(Tensor)
    {
        /// <summary>Both x and y, broadcast: of truth values, or of integers bit by bit.</summary>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public static Tensor operator &(Tensor x, Tensor y) => Op.Apply(AndOp.Instance, x, y);

        /// <summary>With a whole number on the right.</summary>
        /// <exception cref="AdjointException">One is no whole number, or x's type does not have it.</exception>
        public static Tensor operator &(Tensor x, Number y) => Op.Apply(AndOp.Instance, x, y.AsTensor(x, "And"));
    }
}
