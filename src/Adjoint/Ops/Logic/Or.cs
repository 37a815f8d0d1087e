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
        /// x or y, element by element, broadcast: of truth values, or of integers bit by bit. Different types are cast
        /// to that of their sum.
        /// </summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public Tensor Or(Tensor y) => Op.Apply(OrOp.Instance, x, y);
    }

    extension(Tensor)
    {
        /// <summary>x or y, element by element, broadcast: of truth values, or of integers bit by bit.</summary>
        /// <param name="x">The first operand; its shape broadcasts with y's.</param>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        /// <exception cref="AdjointException">One is of a floating type.</exception>
        public static Tensor operator |(Tensor x, Tensor y) => Op.Apply(OrOp.Instance, x, y);

        /// <summary>x or the integer y, bit by bit.</summary>
        /// <param name="x">The tensor, of an integer type.</param>
        /// <param name="y">An integer that x's type holds.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">One is no integer, or x's type does not hold y.</exception>
        public static Tensor operator |(Tensor x, Number y) => Op.Apply(OrOp.Instance, x, y.AsTensor(x, "Or"));
    }
}
