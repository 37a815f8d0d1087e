using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Sums of all elements up to each.</summary>
internal sealed class CumSumOp(int axis, bool reverse) : Op
{
    public override string Name => "CumSum";
    public override string Formula => reverse ? "yₖ = Σ xⱼ over j ≥ k" : "yₖ = Σ xⱼ over j ≤ k";
    public override string Derivation => reverse
        ? "xⱼ is a term of every yₖ with k ≤ j: ∂L/∂xⱼ = Σ gₖ over k ≤ j"
        : "xⱼ is a term of every yₖ with k ≥ j: ∂L/∂xⱼ = Σ gₖ over k ≥ j";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axis", axis), new("reverse", reverse)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(inputs[0].Shape, inputs[0].DType);

    protected override Tensor[]? Promote(ReadOnlySpan<Tensor> inputs) => SumOp.AsInt64(inputs);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new CumulativeSum(axis, reverse), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [Apply(new CumSumOp(axis, !reverse), gradient)];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Cumulative sums along an axis: yₖ = x₀ + … + xₖ. They are added one after another in float64, and each is
        /// rounded once to x's type; those of integers and truth values are int64, which wraps. From a NaN on, all are
        /// NaN.
        /// </summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="reverse">Whether the sums begin at the end: yₖ = xₙ₋₁ + … + xₖ.</param>
        /// <returns>A tensor of x's shape and type; int64 for integers and truth values.</returns>
        /// <exception cref="AdjointException">The axis is out of range.</exception>
        public Tensor CumSum(int axis, bool reverse = false) =>
            Op.Apply(new CumSumOp(x.Shape.Axis(axis, "CumSum"), reverse), x);
    }
}
