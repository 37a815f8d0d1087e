using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Of the elements over axes, whether any is true.</summary>
internal sealed class AnyOp(ReducedAxes axes, bool keepDims) : Op
{
    public override string Name => "Any";
    public override string Formula => "y = x₁ ∨ x₂ ∨ … over the axes";
    public override string Derivation => "none: truth values have no gradient";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axes", axes.Reduced), new("keepDims", keepDims)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(axes.Result(keepDims), DType.Bool);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Reduce<MaxOperator>(default, axes.Marks), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [null];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Whether any element is true (not 0), over the axes, all of them if none is named; false for nothing. NaN is
        /// not 0.
        /// </summary>
        /// <exception cref="AdjointException">An axis is outside, or named twice.</exception>
        public Tensor Any(ReadOnlySpan<int> axes = default, bool keepDims = false) =>
            Op.Apply(new AnyOp(new(x.Shape, axes, "Any"), keepDims), x.To(DType.Bool));

        /// <summary>Whether any element of each run along one axis is true.</summary>
        /// <exception cref="AdjointException">There is no such axis.</exception>
        public Tensor Any(int axis, bool keepDims = false) => x.Any([axis], keepDims);
    }
}
