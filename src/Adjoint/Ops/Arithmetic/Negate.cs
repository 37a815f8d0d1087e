using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = −x</summary>
internal sealed class NegateOp : UnaryOp<NegateOp.Operator, NegateOp.Vjp>
{
    internal static readonly NegateOp Instance = new();

    public override string Name => "Negate";
    public override string Formula => "y = −x";
    public override string Derivation => "∂L/∂x = −g";
    public override Saves Saves => Saves.Nothing;

    internal readonly struct Operator : IUnaryOperator
    {
        public static ElementKinds Kinds => ElementKinds.Numbers;

        public V Invoke<V>(V x) where V : struct, ILanes<V> => -x;
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => -x;
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The negative −x, element by element.</summary>
        /// <returns>A tensor of x's shape and type.</returns>
        public Tensor Negate() => Op.Apply(NegateOp.Instance, x);
    }

    extension(Tensor)
    {
        /// <summary>The negative −x, element by element.</summary>
        /// <param name="x">The tensor, of any shape.</param>
        /// <returns>A tensor of x's shape and type.</returns>
        public static Tensor operator -(Tensor x) => Op.Apply(NegateOp.Instance, x);
    }
}
