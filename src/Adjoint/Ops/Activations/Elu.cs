using Adjoint.Kernels;

namespace Adjoint;

/// <summary>y = x where x > 0, else α(eˣ − 1)</summary>
internal sealed class EluOp(double alpha) : UnaryOp<EluOp.Operator, EluOp.Vjp>(new Operator(alpha), new Vjp(alpha))
{
    public override string Name => "Elu";
    public override string Formula => "y = x where x > 0, else α(eˣ − 1)";
    public override string Derivation => "∂L/∂x = g·αeˣ where x ≤ 0, else g, where x is NaN too";
    public override Saves Saves => Saves.Inputs;
    public override IReadOnlyList<OpAttribute> Attributes => [new("alpha", alpha)];

    // eˣ is cut off where it is not chosen: at ∞ its own slope would be 0 · ∞ there.
    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var x = node.Inputs[0];
        var below = gradient * x.Clamp(double.NegativeInfinity, 0).Exp() * alpha;
        return [Tensor.Where(x.LessOrEqual(0), below, gradient)];
    }

    internal readonly struct Operator(double alpha) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> =>
            V.Select(V.Less(V.Splat(0), x), x, V.Splat(alpha) * LaneMath.Expm1(x));
    }

    // x is the incoming gradient, y the saved input.
    internal readonly struct Vjp(double alpha) : IBinaryOperator
    {
        public V Invoke<V>(V x, V y) where V : struct, ILanes<V> =>
            V.Select(V.LessEqual(y, V.Splat(0)), x * V.Splat(alpha) * V.Exp(y), x);
    }
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>x where x > 0, else α(eˣ − 1) (Clevert et al. 2016).</summary>
        /// <param name="alpha">The limit for large negative x is −alpha.</param>
        /// <returns>A tensor of x's shape and type; float32 for integers and truth values.</returns>
        public Tensor Elu(double alpha = 1) => Op.Apply(new EluOp(alpha), x);
    }
}
