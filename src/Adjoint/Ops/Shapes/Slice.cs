using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Part of an axis.</summary>
internal sealed class SliceOp(int axis, int start, int count, int step) : ViewOp
{
    public override string Name => "Slice";
    public override string Formula => "y[…, j, …] = x[…, start + j·step, …]";
    public override string Derivation => "∂L/∂x = g at the places that were taken, 0 elsewhere";
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("axis", axis), new("start", start), new("count", count), new("step", step)];

    protected override ViewLayout Layout(Tensor x)
    {
        int[] sizes = [.. x.Shape.Sizes];
        nint[] strides = [.. x.Strides];
        var offset = start * strides[axis];
        sizes[axis] = count;
        strides[axis] *= step;
        return new(sizes, strides, offset);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Op.Apply(new PlaceOp(node.Inputs[0].Shape, axis, start, count, step), gradient)];
}

/// <summary>The reverse of a slice: x among zeros.</summary>
internal sealed class PlaceOp(Shape to, int axis, int start, int count, int step) : Op
{
    public override string Name => "Place";
    public override string Formula => "y[…, start + j·step, …] = x[…, j, …], 0 elsewhere";
    public override string Derivation => "∂L/∂x = g at those places";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("shape", to), new("axis", axis), new("start", start), new("count", count), new("step", step)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(to, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        Backend.Run(new Fill(0), output);
        Backend.Run(new CopyInto(), inputs[0], new SliceOp(axis, start, count, step).View(output));
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Op.Apply(new SliceOp(axis, start, count, step), gradient)];
}

// Parts of one axis; the indexer takes parts of several.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>Elements start, start + step, … of an axis, without copying.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="start">The first position, from 0 on.</param>
        /// <param name="count">The number of elements to take, 0 or more.</param>
        /// <param name="step">The distance between elements, 1 or more.</param>
        /// <returns>A view that shares x's memory; gradients pass.</returns>
        /// <exception cref="AdjointException">The slice is not inside the axis.</exception>
        public Tensor Slice(int axis, int start, int count, int step = 1)
        {
            var at = x.Shape.Axis(axis, "Slice");
            var size = x.Shape[at];
            if (step < 1 || start < 0 || count < 0 || count > 0 && start + (long)(count - 1) * step >= size)
                throw new AdjointException(
                    $"Slice: {count} elements from {start} in steps of {step} are not inside axis {axis} of " +
                    $"{x.Shape}, of size {size}");
            return start == 0 && count == size && step == 1 ? x : Op.Apply(new SliceOp(at, start, count, step), x);
        }

        /// <summary>One position of an axis, which is dropped, without copying.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="index">The position on the axis; a negative one counts from the end.</param>
        /// <returns>A view that shares x's memory; gradients pass.</returns>
        /// <exception cref="AdjointException">There is no such axis or position.</exception>
        public Tensor Select(int axis, int index)
        {
            var at = x.Shape.Axis(axis, "Select");
            return x.Slice(at, x.WrapIndex(index, at), 1).Squeeze(at);
        }
    }
}
