using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Of the elements over axes, whether all are true.</summary>
internal sealed class AllOp(ReducedAxes axes, bool keepDims) : Op
{
    public override string Name => "All";
    public override string Formula => "y = x₁ ∧ x₂ ∧ … over the axes";
    public override string Derivation => "none: truth values have no gradient";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axes", axes.Reduced), new("keepDims", keepDims)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(axes.Result(keepDims), DType.Bool);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new Reduce<ExtremumOp.MinOperator>(default, axes.Marks), inputs[0], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [null];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Whether all elements are true (not 0), over the axes, all of them if none is named; true for nothing. NaN is
        /// not 0.
        /// </summary>
        /// <exception cref="AdjointException">An axis is outside, or named twice.</exception>
        public Tensor All(ReadOnlySpan<int> axes = default, bool keepDims = false) =>
            Op.Apply(new AllOp(new(x.Shape, axes, "All"), keepDims), x.To(DType.Bool));

        /// <summary>Whether all elements of each run along one axis are true.</summary>
        /// <exception cref="AdjointException">There is no such axis.</exception>
        public Tensor All(int axis, bool keepDims = false) => x.All([axis], keepDims);
    }
}
