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
        /// The k largest elements along an axis and their positions in it (int64): values[i, j] = x[i, indices[i, j]]
        /// for the last of two axes, whose size becomes k. NaN counts as larger than all numbers; of equal elements the
        /// first ones are taken. Gradients go to the elements that were taken.
        /// </summary>
        /// <param name="k">The number of elements to take, from 0 to the size of the axis.</param>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="largest">Whether to take the largest elements; false: the smallest.</param>
        /// <param name="sorted">
        /// Whether they come in order, the largest first (with largest false the smallest), instead of in x's order.
        /// </param>
        /// <returns>The elements, of x's type, and their positions, int64.</returns>
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
        /// All elements along an axis in order, the smallest first, and their former positions (int64). The sort is
        /// stable: equal elements keep their order, with descending too. NaN counts as larger than all numbers.
        /// </summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="descending">Whether the largest element comes first.</param>
        /// <returns>The elements, of x's shape and type, and their positions in x, int64.</returns>
        /// <exception cref="AdjointException">There is no such axis, or x holds truth values.</exception>
        public (Tensor Values, Tensor Indices) Sort(int axis = -1, bool descending = false) =>
            x.TopK(x.Shape[x.Shape.Axis(axis, "Sort")], axis, largest: descending);
    }
}
