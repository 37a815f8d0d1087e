using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = min(max(x + 3, 0), 6) / 6</summary>
internal sealed class HardSigmoidOp : UnaryOp<HardSigmoidOp.Operator, HardSigmoidOp.Vjp>
{
    internal static readonly HardSigmoidOp Instance = new();

    public override string Name => "HardSigmoid";
    public override string Formula => "y = min(max(x + 3, 0), 6) / 6";
    public override string Derivation => "∂L/∂x = g / 6 where −3 < x < 3, else 0, where x is NaN too";
    public override Saves Saves => Saves.Inputs;

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [gradient.MaskedBy(new Vjp(), node.Inputs[0])];

    /// <summary>The formula, for lanes.</summary>
    internal static V Of<V>(V x) where V : struct, ILanes<V> =>
        V.Min(V.Max(x + V.Splat(3), V.Splat(0)), V.Splat(6)) / V.Splat(6);

    internal readonly struct Operator : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => Of(x);
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(
            V.Less(V.Splat(-3), y), V.Select(V.Less(y, V.Splat(3)), x / V.Splat(6), V.Splat(0)), V.Splat(0));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// min(max(x + 3, 0), 6) / 6, a sigmoid of straight lines (Howard et al. 2019). The derivative at −3 and at 3
        /// is taken as 0; a NaN stays NaN, and its gradient is 0.
        /// </summary>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor HardSigmoid() => Op.Apply(HardSigmoidOp.Instance, x);
    }
}
