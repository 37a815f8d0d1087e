using Adjoint.Primitives;

namespace Adjoint;

/// <summary>The largest or the smallest elements along an axis, and where they lie.</summary>
internal sealed class TopKOp(int axis, int count, bool largest, bool sorted) : MultiOp
{
    public override string Name => "TopK";

    public override string Formula => largest
        ? "y[…, j, …] = x[…, i, …], i = index[…, j, …], the largest first"
        : "y[…, j, …] = x[…, i, …], i = index[…, j, …], the smallest first";

    public override string Derivation => "∂L/∂x = g at the places that were chosen, 0 elsewhere";
    public override Saves Saves => Saves.Output;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("k", count), new("axis", axis), new("largest", largest), new("sorted", sorted)];

    public override TensorSpec[] InferAll(ReadOnlySpan<Tensor> inputs)
    {
        int[] sizes = [.. inputs[0].Shape.Sizes];
        sizes[axis] = count;
        var shape = (Shape)sizes;
        return [new(shape, inputs[0].DType), new(shape, DType.Int64)];
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs) =>
        Backend.Run(new TopK(axis, count, largest, sorted), inputs[0], outputs[0], outputs[1]);

    public override Tensor?[] Backward(OpNode node, ReadOnlySpan<Tensor?> gradients) =>
        [Apply(new ScatterAddOp(axis, node.Inputs[0].Shape), gradients[0]!, node.Outputs[1])];
}

// The largest, the smallest, and all in order.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The k largest elements along an axis and where in it they lie (int64), which takes the size k:
        /// values[i, j] = x[i, indices[i, j]] for the last of two axes. NaN counts as larger than all numbers; of equal
        /// elements those that come first are taken, first. Gradients go to the elements that were taken.
        /// </summary>
        /// <param name="k">How many, at most as many as there are.</param>
        /// <param name="axis">Along which axis.</param>
        /// <param name="largest">Whether the largest, else the smallest.</param>
        /// <param name="sorted">
        /// Whether they come in order, the largest first (of the smallest, the smallest), else as they lie in x.
        /// </param>
        /// <exception cref="AdjointException">The axis has fewer elements, or x holds truth values.</exception>
        public (Tensor Values, Tensor Indices) TopK(int k, int axis = -1, bool largest = true, bool sorted = true)
        {
            var at = x.Shape.Axis(axis, "TopK");
            if (k < 0 || k > x.Shape[at])
                throw new AdjointException(
                    $"TopK: k must be from 0 to {x.Shape[at]}, the size of axis {axis} of {x.Shape}: found {k}");
            if (x.DType == DType.Bool)
                throw new AdjointException("TopK: truth values have no order: found bool; cast with .To(DType.Int64)");
            var both = Op.ApplyAll(new TopKOp(at, k, largest, sorted), x);
            return (both[0], both[1]);
        }

        /// <summary>
        /// All elements along an axis in order, the smallest first, and where in it they lay (int64). Stable: equal
        /// elements stay in their order, descending too. NaN counts as larger than all numbers.
        /// </summary>
        /// <exception cref="AdjointException">There is no such axis, or x holds truth values.</exception>
        public (Tensor Values, Tensor Indices) Sort(int axis = -1, bool descending = false) =>
            x.TopK(x.Shape[x.Shape.Axis(axis, "Sort")], axis, largest: descending);
    }
}
