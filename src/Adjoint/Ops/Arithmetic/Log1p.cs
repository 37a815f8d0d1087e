using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = ln(1 + x)</summary>
internal sealed class Log1pOp : UnaryOp<Log1pOp.Operator, Log1pOp.Vjp>
{
    internal static readonly Log1pOp Instance = new();

    public override string Name => "Log1p";
    public override string Formula => "y = ln(1 + x)";
    public override string Derivation => "∂L/∂x = g / (1 + x)";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Log1p(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x / (V.Splat(1) + y);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>ln(1 + x), element by element, accurate near 0; −∞ at −1, NaN below.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Log1p() => Op.Apply(Log1pOp.Instance, x);
    }
}
