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
        /// Exclusive or of x and y, element by element, broadcast: of truth values, or of integers bit by bit.
        /// Different types are cast to that of their sum.
        /// </summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public Tensor Xor(Tensor y) => Op.Apply(XorOp.Instance, x, y);
    }

    extension(Tensor)
    {
        /// <summary>
        /// Exclusive or of x and y, element by element, broadcast: of truth values, or of integers bit by bit.
        /// </summary>
        /// <param name="x">The first operand; its shape broadcasts with y's.</param>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public static Tensor operator ^(Tensor x, Tensor y) => Op.Apply(XorOp.Instance, x, y);

        /// <summary>Exclusive or of x and the integer y, bit by bit.</summary>
        /// <param name="x">The tensor, of an integer type.</param>
        /// <param name="y">An integer that x's type holds.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">One is no integer, or x's type does not hold y.</exception>
        public static Tensor operator ^(Tensor x, Number y) => Op.Apply(XorOp.Instance, x, y.AsTensor(x, "Xor"));
    }
}
