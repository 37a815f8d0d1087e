using Adjoint.Kernels;

namespace Adjoint;

/// <summary>z = x · y</summary>
internal sealed class MultiplyOp : BinaryOp<MultiplyOp.Operator>
{
    internal static readonly MultiplyOp Instance = new();

    public override string Name => "Multiply";
    public override string Formula => "z = x · y";
    public override string Derivation => "∂L/∂x = g · y; ∂L/∂y = g · x; summed over broadcast axes";
    public override Saves Saves => Saves.Inputs;

    protected override Tensor Left(OpNode node, Tensor gradient) => gradient * node.Inputs[1];

    protected override Tensor Right(OpNode node, Tensor gradient) => gradient * node.Inputs[0];

    internal readonly struct Operator : IBinaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.All;

        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * y;
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>x · y, element by element, broadcast.</summary>
        public Tensor Multiply(Tensor y) => Op.Apply(MultiplyOp.Instance, x, y);
    }

    extension(Tensor)
    {
        /// <summary>x · y, element by element, broadcast.</summary>
        public static Tensor operator *(Tensor x, Tensor y) => Op.Apply(MultiplyOp.Instance, x, y);

        /// <summary>With a number on the right.</summary>
        public static Tensor operator *(Tensor x, Number y) => y.IsExactBeside(x)
            ? Op.Apply(MultiplyOp.Instance, x, y.Beside(x))
            : Op.Apply(new AffineOp(y.Value, AffineOp.NoShift), x);

        /// <summary>With a number on the left.</summary>
        public static Tensor operator *(Number x, Tensor y) => x.IsExactBeside(y)
            ? Op.Apply(MultiplyOp.Instance, x.Beside(y), y)
            : Op.Apply(new AffineOp(x.Value, AffineOp.NoShift), y);
    }
}
