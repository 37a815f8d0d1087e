using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = ⌊x / y⌋</summary>
internal sealed class FloorDivideOp : BinaryOp<FloorDivideOp.Operator>
{
    internal static readonly FloorDivideOp Instance = new();

    public override string Name => "FloorDivide";
    public override string Formula => "z = ⌊x / y⌋";
    public override string Derivation =>
        "z is constant between its steps: ∂L/∂x = 0; ∂L/∂y = 0";
    public override Saves Saves => Saves.Nothing;

    protected override Tensor Left(OpNode node, Tensor gradient) => gradient * 0;

    protected override Tensor Right(OpNode node, Tensor gradient) => gradient * 0;

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.FloorDivide(x, y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// ⌊x / y⌋, broadcast: the quotient rounded down, as Python's <c>//</c>, so that −7 by 2 is −4. Of integers
        /// exact (the lowest number by −1 wraps to itself); of floating numbers the exact quotient rounded once, x / 0
        /// as with <c>/</c>. Types as in a sum of both. Its derivative is 0.
        /// </summary>
        /// <param name="y">The divisor; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        /// <exception cref="AdjointException">An integer divisor is 0, or both are truth values.</exception>
        public Tensor FloorDivide(Tensor y) => Op.Apply(FloorDivideOp.Instance, x, y);

        /// <summary>⌊x / y⌋ for a number y: the quotient rounded down, as Python's <c>//</c>.</summary>
        /// <param name="y">The divisor of every element.</param>
        /// <returns>A tensor of x's shape.</returns>
        /// <exception cref="AdjointException">x holds integers, which have no such number, or it is 0.</exception>
        public Tensor FloorDivide(Number y) => Op.Apply(FloorDivideOp.Instance, x, y.AsTensor(x, "FloorDivide"));
    }
}
