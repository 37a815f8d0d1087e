using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = x²</summary>
internal sealed class SquareOp : UnaryOp<SquareOp.Operator, SquareOp.Vjp>
{
    internal static readonly SquareOp Instance = new();

    public override string Name => "Square";
    public override string Formula => "y = x²";
    public override string Derivation => "∂L/∂x = g · 2x";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Operator : IUnaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x) where V : struct, ILanes<V> => x * x;
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * (y + y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The square x², element by element.</summary>
        /// <returns>A tensor of x's shape and type.</returns>
        public Tensor Square() => Op.Apply(SquareOp.Instance, x);
    }
}
