using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = |x|</summary>
internal sealed class AbsOp : UnaryOp<AbsOp.Operator, AbsOp.Vjp>
{
    internal static readonly AbsOp Instance = new();

    public override string Name => "Abs";
    public override string Formula => "y = |x|";
    public override string Derivation => "∂L/∂x = g · sign(x)";
    public override Saves Saves => Saves.Inputs;

    // The sign is one op; its lanes would be five.
    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient * node.Inputs[0].Sign()];

    internal readonly struct Operator : IUnaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Abs(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * SignOp.Of(y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>|x|, element by element; the derivative at 0 is taken as 0.</summary>
        /// <returns>A tensor of x's shape and type.</returns>
        public Tensor Abs() => Op.Apply(AbsOp.Instance, x);
    }
}
