using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = x ⊕ y</summary>
internal sealed class XorOp : BitwiseOp<XorOp.Operator>
{
    internal static readonly XorOp Instance = new();

    public override string Name => "Xor";
    public override string Formula => "z = x ⊕ y";

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Exact;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Xor(x, y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Either x or y, not both, broadcast: of truth values, or of integers bit by bit. Where the types differ, as
        /// in a sum of both.
        /// </summary>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public Tensor Xor(Tensor y) => Op.Apply(XorOp.Instance, x, y);
    }

    extension(Tensor)
    {
        /// <summary>Either x or y, not both, broadcast: of truth values, or of integers bit by bit.</summary>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public static Tensor operator ^(Tensor x, Tensor y) => Op.Apply(XorOp.Instance, x, y);

        /// <summary>With a whole number on the right.</summary>
        /// <exception cref="AdjointException">One is no whole number, or x's type does not have it.</exception>
        public static Tensor operator ^(Tensor x, Number y) => Op.Apply(XorOp.Instance, x, y.AsTensor(x, "Xor"));
    }
}
