using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = x / y</summary>
internal sealed class DivideOp : BinaryOp<DivideOp.Operator>
{
    internal static readonly DivideOp Instance = new();

    public override string Name => "Divide";
    public override string Formula => "z = x / y";
    public override string Derivation =>
        "∂L/∂x = g / y; ∂L/∂y = −g · x / y² = −g · (z / y) (mind the minus sign: z falls as y grows); " +
        "summed over broadcast axes";
    public override Saves Saves => Saves.Inputs | Saves.Output;

    protected override Tensor Left(OpNode node, Tensor gradient) => gradient / node.Inputs[1];

    protected override Tensor Right(OpNode node, Tensor gradient) => -(gradient * (node.Output / node.Inputs[1]));

    internal readonly struct Operator : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x / y;
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>x / y, element by element, broadcast; x / 0 is ±∞, and 0 / 0 is NaN.</summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the floating type that both promote to.</returns>
        public Tensor Divide(Tensor y) => Op.Apply(DivideOp.Instance, x, y);
    }

    extension(Tensor)
    {
        /// <summary>x / y, element by element, broadcast; x / 0 is ±∞, and 0 / 0 is NaN.</summary>
        /// <param name="x">The first operand; its shape broadcasts with y's.</param>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the floating type that both promote to.</returns>
        public static Tensor operator /(Tensor x, Tensor y) => Op.Apply(DivideOp.Instance, x, y);

        /// <summary>x / y for a number y, element by element.</summary>
        /// <param name="x">The tensor, of any shape.</param>
        /// <param name="y">The number to divide by.</param>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public static Tensor operator /(Tensor x, Number y) => Op.Apply(new DivideByNumberOp(y.Value), x);

        /// <summary>x / y for a number x, element by element.</summary>
        /// <param name="x">The number to be divided.</param>
        /// <param name="y">The tensor of divisors, of any shape.</param>
        /// <returns>A tensor of y's shape and type; float32 for integers and truth values.</returns>
        public static Tensor operator /(Number x, Tensor y) => Op.Apply(new DivideNumberOp(x.Value), y);
    }
}
