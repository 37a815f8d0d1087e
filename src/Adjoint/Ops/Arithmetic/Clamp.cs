using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = min(max(x, low), high)</summary>
internal sealed class ClampOp(double low, double high)
    : UnaryOp<ClampOp.Operator, ClampOp.Vjp>(new Operator(low, high), new Vjp(low, high))
{
    public override string Name => "Clamp";
    public override string Formula => "y = min(max(x, low), high)";
    public override string Derivation => "∂L/∂x = g where low ≤ x ≤ high, else 0";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("low", low), new("high", high)];

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [gradient.MaskedBy(new Vjp(low, high), node.Inputs[0])];

    internal readonly struct Operator(double low, double high) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Min(V.Max(x, V.Splat(low)), V.Splat(high));
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp(double low, double high) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
            V.Select(V.LessEqual(V.Splat(low), y), V.Select(V.LessEqual(y, V.Splat(high)), x, V.Splat(0)), V.Splat(0));
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// min(max(x, low), high), element by element; a NaN stays NaN. The gradient passes where low ≤ x ≤ high, else
        /// it is 0.
        /// </summary>
        /// <param name="low">The smallest result; −∞ for no bound.</param>
        /// <param name="high">The largest result; ∞ for no bound.</param>
        /// <returns>A tensor of x's shape.</returns>
        public Tensor Clamp(Number low, Number high) => low.IsExactWith(x) && high.IsExactWith(x)
            ? x.Maximum(low.ClampedToTensorLike(x)).Minimum(high.ClampedToTensorLike(x))
            : Op.Apply(new ClampOp(low.Value, high.Value), x);
    }
}
