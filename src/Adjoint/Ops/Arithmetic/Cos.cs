using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = cos x</summary>
internal sealed class CosOp : UnaryOp<CosOp.Operator, CosOp.Vjp>
{
    internal static readonly CosOp Instance = new();

    public override string Name => "Cos";
    public override string Formula => "y = cos x";
    public override string Derivation => "∂L/∂x = −g · sin x";
    public override Saves Saves => Saves.Inputs;

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Cos(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => -(x * V.Sin(y));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The cosine, element by element, of x in radians.</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Cos() => Op.Apply(CosOp.Instance, x);
    }
}
