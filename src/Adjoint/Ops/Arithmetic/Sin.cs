using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = sin x</summary>
internal sealed class SinOp : UnaryOp<SinOp.Operator, SinOp.Vjp>
{
    internal static readonly SinOp Instance = new();

    public override string Name => "Sin";
    public override string Formula => "y = sin x";
    public override string Derivation => "∂L/∂x = g · cos x";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Sin(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x * V.Cos(y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The sine, element by element, of x in radians.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Sin() => Op.Apply(SinOp.Instance, x);
    }
}
