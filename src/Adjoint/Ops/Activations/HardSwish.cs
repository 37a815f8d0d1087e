using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = x · min(max(x + 3, 0), 6) / 6</summary>
internal sealed class HardSwishOp : UnaryOp<HardSwishOp.Operator, HardSwishOp.Vjp>
{
    internal static readonly HardSwishOp Instance = new();

    public override string Name => "HardSwish";
    public override string Formula => "y = x · min(max(x + 3, 0), 6) / 6";
    public override string Derivation => "∂L/∂x = 0 where x ≤ −3, g where x ≥ 3, else g · (x/3 + 1/2)";
    public override Saves Saves => Saves.Inputs;

    // The slope is cut off where it is not chosen: at ∞ it would be infinite there.
    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var x = node.Inputs[0];
        var between = gradient * (x.Clamp(-3, 3) / 3 + 0.5);
        var above = Tensor.Where(x.GreaterOrEqual(3), gradient, between);
        return [Tensor.Where(x.LessOrEqual(-3), Tensor.Zeros((int[])[], gradient.DType), above)];
    }

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x * HardSigmoidOp.Of(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(
            V.LessEqual(y, V.Splat(-3)), V.Splat(0),
            V.Select(V.LessEqual(V.Splat(3), y), x, x * (y / V.Splat(3) + V.Splat(0.5))));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// x · min(max(x + 3, 0), 6) / 6, a swish of straight lines and a parabola (Howard et al. 2019). The
        /// derivative at −3 is taken as 0, at 3 as 1.
        /// </summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor HardSwish() => Op.Apply(HardSwishOp.Instance, x);
    }
}
