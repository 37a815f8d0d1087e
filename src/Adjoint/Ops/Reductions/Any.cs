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
        /// <summary>Whether any element is true (not 0) over the axes; false over no element. NaN is not 0.</summary>
        /// <param name="axes">
        /// The axes to reduce, negative ones counting from the last; all of them if none is named.
        /// </param>
        /// <param name="keepDims">Whether reduced axes stay, with size 1, instead of being dropped.</param>
        /// <returns>A bool tensor, without gradient.</returns>
        /// <exception cref="AdjointException">An axis is out of range, or named twice.</exception>
        public Tensor Any(ReadOnlySpan<int> axes = default, bool keepDims = false) =>
            Op.Apply(new AnyOp(new(x.Shape, axes, "Any"), keepDims), x.To(DType.Bool));

        /// <summary>Whether any element along one axis is true (not 0).</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="keepDims">Whether the axis stays, with size 1, instead of being dropped.</param>
        /// <returns>A bool tensor, without gradient.</returns>
        /// <exception cref="AdjointException">There is no such axis.</exception>
        public Tensor Any(int axis, bool keepDims = false) => x.Any([axis], keepDims);
    }
}
