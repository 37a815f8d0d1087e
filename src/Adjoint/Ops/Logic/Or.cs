using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = x ∨ y</summary>
internal sealed class OrOp : BitwiseOp<OrOp.Operator>
{
    internal static readonly OrOp Instance = new();

    public override string Name => "Or";
    public override string Formula => "z = x ∨ y";

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Exact;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Or(x, y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// x or y, or both, broadcast: of truth values, or of integers bit by bit. Where the types differ, as in a sum
        /// of both.
        /// </summary>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public Tensor Or(Tensor y) => Op.Apply(OrOp.Instance, x, y);
    }

    extension(Tensor)
    {
        /// <summary>x or y, or both, broadcast: of truth values, or of integers bit by bit.</summary>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public static Tensor operator |(Tensor x, Tensor y) => Op.Apply(OrOp.Instance, x, y);

        /// <summary>With a whole number on the right.</summary>
        /// <exception cref="AdjointException">One is no whole number, or x's type does not have it.</exception>
        public static Tensor operator |(Tensor x, Number y) => Op.Apply(OrOp.Instance, x, y.AsTensor(x, "Or"));
    }
}
