using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = eˣ</summary>
internal sealed class ExpOp : UnaryOp<ExpOp.Operator, ExpOp.Vjp>
{
    internal static readonly ExpOp Instance = new();

    public override string Name => "Exp";
    public override string Formula => "y = eˣ";
    public override string Derivation => "∂L/∂x = g · eˣ = g · y";
    public override Saves Saves => Saves.Output;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Exp(x);
    }

    // x is the incoming gradient, y the saved output.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * y;
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The exponential eˣ, element by element.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Exp() => Op.Apply(ExpOp.Instance, x);
    }
}
