using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = ln x</summary>
internal sealed class LogOp : UnaryOp<LogOp.Operator, LogOp.Vjp>
{
    internal static readonly LogOp Instance = new();

    public override string Name => "Log";
    public override string Formula => "y = ln x";
    public override string Derivation => "∂L/∂x = g / x";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Log(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x / y;
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The natural logarithm, element by element; −∞ at 0, NaN below.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Log() => Op.Apply(LogOp.Instance, x);
    }
}
