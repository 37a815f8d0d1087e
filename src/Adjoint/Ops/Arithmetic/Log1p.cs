using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = ln(1 + x)</summary>
internal sealed class Log1pOp : UnaryOp<Log1pOp.Lane, Log1pOp.Slope>
{
    internal static readonly Log1pOp Instance = new();

    public override string Name => "Log1p";
    public override string Formula => "y = ln(1 + x)";
    public override string Derivation => "∂L/∂x = g / (1 + x)";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Lane : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => LaneMath.Log1p(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Slope : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => x / (V.Splat(1) + y);
    }
}

/// <summary>The method of <c>Log1p</c>.</summary>
public static class Log1pMethods
{
    extension(Tensor x)
    {
        /// <summary>ln(1 + x), exact near 0.</summary>
        public Tensor Log1p() => Op.Apply(Log1pOp.Instance, x);
    }
}
