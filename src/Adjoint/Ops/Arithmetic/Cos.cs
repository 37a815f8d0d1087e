using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = cos x</summary>
internal sealed class CosOp : UnaryOp<CosOp.Lane, CosOp.Slope>
{
    internal static readonly CosOp Instance = new();

    public override string Name => "Cos";
    public override string Formula => "y = cos x";
    public override string Derivation => "∂L/∂x = −g · sin x";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Lane : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Cos(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Slope : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => -(x * V.Sin(y));
    }
}

/// <summary>The method of <c>Cos</c>.</summary>
public static class CosMethods
{
    extension(Tensor x)
    {
        /// <summary>The cosine, x in radians.</summary>
        public Tensor Cos() => Op.Apply(CosOp.Instance, x);
    }
}
