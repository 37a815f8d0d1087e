using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = x − y</summary>
internal sealed class SubtractOp : BinaryOp<SubtractOp.Operator>
{
    internal static readonly SubtractOp Instance = new();

    public override string Name => "Subtract";
    public override string Formula => "z = x − y";
    public override string Derivation => "∂L/∂x = g; ∂L/∂y = −g; summed over broadcast axes";
    public override Saves Saves => Saves.Nothing;

    protected override Tensor Left(OpNode node, Tensor gradient) => gradient;

    protected override Tensor Right(OpNode node, Tensor gradient) => -gradient;

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x - y;
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>x − y, element by element, broadcast.</summary>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        public Tensor Subtract(Tensor y) => Op.Apply(SubtractOp.Instance, x, y);
    }

    extension(Tensor)
    {
        /// <summary>x − y, element by element, broadcast.</summary>
        /// <param name="x">The first operand; its shape broadcasts with y's.</param>
        /// <param name="y">The second operand; its shape broadcasts with x's.</param>
        /// <returns>A tensor of the broadcast shape, of the type that both promote to.</returns>
        public static Tensor operator -(Tensor x, Tensor y) => Op.Apply(SubtractOp.Instance, x, y);

        /// <summary>x − y for a number y, element by element.</summary>
        /// <param name="x">The tensor, of any shape.</param>
        /// <param name="y">A number, which takes x's type where that holds it.</param>
        /// <returns>A tensor of x's shape.</returns>
        public static Tensor operator -(Tensor x, Number y) => y.IsExactWith(x)
            ? Op.Apply(SubtractOp.Instance, x, y.ToTensorLike(x))
            : Op.Apply(new AffineOp(1, -y.Value), x);

        /// <summary>x − y for a number x, element by element.</summary>
        /// <param name="x">A number, which takes y's type where that holds it.</param>
        /// <param name="y">The tensor, of any shape.</param>
        /// <returns>A tensor of y's shape.</returns>
        public static Tensor operator -(Number x, Tensor y) => x.IsExactWith(y)
            ? Op.Apply(SubtractOp.Instance, x.ToTensorLike(y), y)
            : Op.Apply(new AffineOp(-1, x.Value), y);
    }
}
