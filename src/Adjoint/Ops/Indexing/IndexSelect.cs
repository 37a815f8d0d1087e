using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Positions of an axis, in any order and number.</summary>
internal sealed class IndexSelectOp(int axis) : Op
{
    public override string Name => "IndexSelect";
    public override string Formula => "y[…, j, …] = x[…, index[j], …]";
    public override string Derivation =>
        "x at a position enters every j that names it: ∂L/∂x[…, i, …] = Σ over j with index[j] = i of g[…, j, …]";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axis", axis)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, index) = (inputs[0], inputs[1]);
        if (index.DType != DType.Int64 || index.Rank != 1)
            throw new AdjointException(
                $"{Name}: the index must be (positions) int64: found {index.Shape} {index.DType.Label()}; "
                + "cast with .To(DType.Int64), or flatten it");
        int[] sizes = [.. x.Shape.Sizes];
        sizes[axis] = index.Length;
        return new(sizes, x.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        Backend.Run(new IndexSelect(axis), inputs[0], inputs[1], output);
        context.Save(inputs[1]);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Apply(new IndexAddOp(axis, node.Inputs[0].Shape), gradient, node.Saved[0]), null];
}

/// <summary>The reverse: adds each position to the one that its index names.</summary>
internal sealed class IndexAddOp(int axis, Shape to) : Op
{
    public override string Name => "IndexAdd";
    public override string Formula => "y[…, i, …] = Σ over j with index[j] = i of x[…, j, …]";
    public override string Derivation => "∂L/∂x[…, j, …] = g[…, index[j], …]";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes => [new("axis", axis), new("shape", to)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs) => new(to, inputs[0].DType);

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        Backend.Run(new IndexAdd(axis), inputs[0], inputs[1], output);
        context.Save(inputs[1]);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Apply(new IndexSelectOp(axis), gradient, node.Saved[0]), null];
}

// What choosing positions gives.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The named positions of an axis, in any order, repeats allowed: rows of an embedding, mirrored edges,
        /// enlarged images.
        /// </summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="index">Positions on the axis, from 0 on; k of them.</param>
        /// <returns>A copy of x's shape, but for size k on that axis.</returns>
        /// <exception cref="AdjointException">A position is outside the axis.</exception>
        public Tensor IndexSelect(int axis, params int[] index) =>
            x.IndexSelect(
                axis, Tensor.From(Array.ConvertAll(index, position => (long)position), index.Length).To(x.Device));

        /// <summary>
        /// The positions of an axis that an index tensor names, in any order, repeats allowed: y[…, j, …] = x[…,
        /// index[j], …].
        /// </summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="index">Positions on the axis, (k) int64, from 0 on.</param>
        /// <returns>A copy of x's shape, but for size k on that axis.</returns>
        /// <exception cref="AdjointException">
        /// A position is outside the axis, or the index is not (k) int64.
        /// </exception>
        public Tensor IndexSelect(int axis, Tensor index) =>
            Op.Apply(new IndexSelectOp(x.Shape.Axis(axis, "IndexSelect")), x, index);

        /// <summary>
        /// Mirrors the last two axes at their edges, without repeating the edge: d c b | a b c d | c b a; (…, h, w) →
        /// (…, h + 2p, w + 2p).
        /// </summary>
        /// <param name="padding">The rows p and columns q added on each side, each less than its axis.</param>
        /// <returns>The padded tensor (…, h + 2p, w + 2q).</returns>
        /// <exception cref="AdjointException">
        /// There are no last two axes, or the padding is negative or not less than the axis.
        /// </exception>
        public Tensor PadReflect(Size2 padding) => Mirror(Mirror(x, -2, padding.Height), -1, padding.Width);

        /// <summary>Zeros around the last two axes: (…, h, w) → (…, h + 2p, w + 2p).</summary>
        /// <param name="padding">The rows p and columns q of zeros added on each side, 0 or more.</param>
        /// <returns>The padded tensor (…, h + 2p, w + 2q).</returns>
        /// <exception cref="AdjointException">There are no last two axes, or the padding is negative.</exception>
        public Tensor PadZero(Size2 padding) =>
            x.PadAxis(-2, padding.Height, padding.Height).PadAxis(-1, padding.Width, padding.Width);

        /// <summary>Zeros added before and after one axis.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <param name="before">The number of zeros before the first element, 0 or more.</param>
        /// <param name="after">The number of zeros behind the last element, 0 or more.</param>
        /// <returns>A copy of x's shape, but for that axis: its size + before + after.</returns>
        /// <exception cref="AdjointException">There is no such axis, or the padding is negative.</exception>
        public Tensor PadAxis(int axis, int before, int after)
        {
            var at = x.Shape.Axis(axis, "PadAxis");
            if (before < 0 || after < 0)
                throw new AdjointException($"PadAxis: the padding must not be negative: found {before} and {after}");
            if (before == 0 && after == 0) return x;
            int[] sizes = [.. x.Shape.Sizes];
            sizes[at] = Shape.Size((Int128)sizes[at] + before + after, "PadAxis");
            return Op.Apply(new PlaceOp(sizes, at, before, x.Shape[at], 1), x);
        }

        /// <summary>
        /// Enlarges or shrinks the last two axes to a size, (…, h, w) → (…, size); output i shows input ⌊i·old/new⌋
        /// (PyTorch's <c>mode="nearest"</c>).
        /// </summary>
        /// <param name="size">The height and width of the result, 1 or more.</param>
        /// <returns>The resized tensor (…, size), of x's type.</returns>
        /// <exception cref="AdjointException">
        /// There are no last two axes, one is empty, or the size is not positive.
        /// </exception>
        public Tensor InterpolateNearest(Size2 size) =>
            Enlargeable(x, size).IndexSelect(-2, Nearest(x.Shape[-2], size.Height))
            .IndexSelect(-1, Nearest(x.Shape[-1], size.Width));

        /// <summary>
        /// Enlarges or shrinks the last two axes to a size by linear interpolation in each, (…, h, w) → (…, size):
        /// output i is read at input (i + ½)·old/new − ½, at least 0, between its two neighbors (PyTorch's
        /// <c>mode="bilinear"</c>, <c>align_corners=False</c>, without antialiasing).
        /// </summary>
        /// <param name="size">The height and width of the result, 1 or more.</param>
        /// <returns>The resized tensor (…, size), of x's type.</returns>
        /// <exception cref="AdjointException">
        /// There are no last two axes, one is empty, the size is not positive, or x is not of a floating type.
        /// </exception>
        public Tensor InterpolateBilinear(Size2 size) => !x.DType.IsFloating()
            ? throw NotFloating("InterpolateBilinear", x)
            : Linear(Linear(Enlargeable(x, size), x.Rank - 2, size.Height), x.Rank - 1, size.Width);
    }

    private static Tensor Mirror(Tensor x, int axis, int padding)
    {
        var size = x.Shape[axis];
        if (padding < 0 || padding >= size)
            throw new AdjointException(
                $"PadReflect: the padding must be less than the axis: found {padding} for axis {axis} of {x.Shape}");
        if (padding == 0) return x;
        var index = new int[Result(x, axis, size + 2L * padding, "PadReflect")];
        for (var i = 0; i < index.Length; i++)
        {
            var at = i - padding;
            index[i] = at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
        }
        return x.IndexSelect(axis, index);
    }

    private static Tensor Enlargeable(Tensor x, Size2 size)
    {
        if (x.Rank < 2 || x.Shape[-2] == 0 || x.Shape[-1] == 0 || size.Height < 1 || size.Width < 1)
            throw new AdjointException(
                $"Interpolate: an input (…, h, w), neither of them 0, and a positive size are needed: found "
                    + $"{x.Shape} and {size}");
        // Before positions are listed, which would take as much memory.
        int[] sizes = [.. x.Shape.Sizes[..^2], size.Height, size.Width];
        Shape.CheckFits(sizes, x.DType, "Interpolate");
        return x;
    }

    // The size that an axis gets, once the whole result is known to fit a tensor: before positions are listed, which
    // would take as much memory.
    private static int Result(Tensor x, int axis, long size, string op)
    {
        int[] sizes = [.. x.Shape.Sizes];
        sizes[x.Shape.Axis(axis, op)] = Shape.Size(size, op);
        Shape.CheckFits(sizes, x.DType, op);
        return (int)size;
    }

    private static int[] Nearest(int old, int size)
    {
        var index = new int[size];
        for (var i = 0; i < size; i++) index[i] = (int)((long)i * old / size);
        return index;
    }

    private static Tensor Linear(Tensor x, int axis, int size)
    {
        var old = x.Shape[axis];
        var at = Enumerable.Range(0, size).Select(i => Math.Max(0, (i + 0.5) * old / size - 0.5)).ToArray();
        var lower = Array.ConvertAll(at, position => Math.Min((int)position, old - 1));
        int[] shape = [.. Enumerable.Repeat(1, x.Rank)];
        shape[axis] = size;
        var beyond = at.Zip(lower, (position, low) => position - low).ToArray();
        var share = Tensor.From((ReadOnlySpan<double>)beyond, shape).To(x.DType).To(x.Device);
        var upper = Array.ConvertAll(lower, low => Math.Min(low + 1, old - 1));
        var low = x.IndexSelect(axis, lower);
        return low + (x.IndexSelect(axis, upper) - low) * share;
    }
}
