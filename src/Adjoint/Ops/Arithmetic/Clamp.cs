using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = min(max(x, low), high)</summary>
internal sealed class ClampOp(double low, double high) : UnaryOp<ClampOp.Lane, ClampOp.Slope>(new Lane(low, high), new Slope(low, high))
{
    public override string Name => "Clamp";
    public override string Formula => "y = min(max(x, low), high)";
    public override string Derivation => "∂L/∂x = g where low ≤ x ≤ high, else 0";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("low", low), new("high", high)];

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.MaskedBy(new Slope(low, high), node.Inputs[0])];

    internal readonly struct Lane(double low, double high) : IUnaryLane
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => V.Min(V.Max(x, V.Splat(low)), V.Splat(high));
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Slope(double low, double high) : IBinaryLane
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> => V.Select(V.LessEqual(V.Splat(low), y), V.Select(V.LessEqual(y, V.Splat(high)), x, V.Splat(0)), V.Splat(0));
    }
}

/// <summary>The method of <c>Clamp</c>.</summary>
public static class ClampMethods
{
    extension(Tensor x)
    {
        /// <summary>x, but no less than low and no more than high. The gradient passes where low ≤ x ≤ high.</summary>
        /// <param name="low">The smallest result.</param>
        /// <param name="high">The largest result.</param>
        public Tensor Clamp(Number low, Number high) => low.IsExactBeside(x) && high.IsExactBeside(x)
            ? x.Maximum(low.NearestBeside(x)).Minimum(high.NearestBeside(x))
            : Op.Apply(new ClampOp(low.Value, high.Value), x);
    }
}
