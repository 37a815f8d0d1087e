using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = x · σ(x)</summary>
internal sealed class SiluOp : UnaryOp<SiluOp.Operator, SiluOp.Vjp>
{
    internal static readonly SiluOp Instance = new();

    public override string Name => "Silu";
    public override string Formula => "y = x · σ(x)";
    public override string Derivation => "∂L/∂x = g · (σ(x) + x·σ(x)·(1 − σ(x)))";
    public override Saves Saves => Saves.Inputs;

    // σ is one op; its lanes would be four.
    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var x = node.Inputs[0];
        var s = x.Sigmoid();
        return [gradient * (s + x * s * (1 - s))];
    }

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x * LaneMath.Sigmoid(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V>
        {
            var s = LaneMath.Sigmoid(y);
            return x * (s + y * s * (V.Splat(1) - s));
        }
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>x·σ(x), also called swish (Elfwing et al. 2018).</summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Silu() => Op.Apply(SiluOp.Instance, x);
    }
}
