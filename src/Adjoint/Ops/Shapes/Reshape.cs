namespace Adjoint;

/// <summary>The same elements in the same order under another shape.</summary>
internal sealed class ReshapeOp(Shape to) : ViewOp
{
    public override string Name => "Reshape";
    public override string Formula => "y = x with other axes; element k, in row-major order, stays element k";
    public override string Derivation => "∂L/∂x = g under x's shape";
    public override IReadOnlyList<OpAttribute> Attributes => [new("shape", to)];

    protected override ViewLayout Layout(Tensor x) => new(to);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.Reshape(node.Inputs[0].Shape.Sizes)];
}

// Reshape, flatten, squeeze, unsqueeze.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// The same elements, in row-major order, under another shape. A view of x's memory where the strides allow it,
        /// else a copy.
        /// </summary>
        /// <param name="shape">
        /// The new sizes, with as many elements in all; one may be −1, to be computed from the others.
        /// </param>
        /// <returns>A view or a copy of that shape; gradients pass.</returns>
        /// <exception cref="AdjointException">The number of elements differs, or more than one size is −1.</exception>
        public Tensor Reshape(params ReadOnlySpan<int> shape)
        {
            var to = Resolve(x, shape);
            return to == x.Shape ? x : Op.Apply(new ReshapeOp(to), x.Contiguous());
        }

        /// <summary>Joins the axes from <paramref name="startAxis"/> on into one.</summary>
        /// <param name="startAxis">The first axis to join; a negative one counts from the last.</param>
        /// <returns>A view or a copy with the joined axis last; gradients pass.</returns>
        public Tensor Flatten(int startAxis = 0)
        {
            var start = x.Rank == 0 ? 0 : x.Shape.Axis(startAxis, "Flatten");
            return x.Reshape([.. x.Shape.Sizes[..start], Shape.Product(x.Shape.Sizes[start..])]);
        }

        /// <summary>Drops an axis of size 1, without copying.</summary>
        /// <param name="axis">The axis; a negative one counts from the last.</param>
        /// <returns>A view that shares x's memory; gradients pass.</returns>
        /// <exception cref="AdjointException">Its size is not 1.</exception>
        public Tensor Squeeze(int axis)
        {
            var at = x.Shape.Axis(axis, "Squeeze");
            if (x.Shape[at] != 1)
                throw new AdjointException(
                    $"Squeeze: axis {axis} of {x.Shape} has size {x.Shape[at]}, not 1; use Select or a reduction");
            return x.Reshape([.. x.Shape.Sizes[..at], .. x.Shape.Sizes[(at + 1)..]]);
        }

        /// <summary>Inserts an axis of size 1 before <paramref name="axis"/>, without copying.</summary>
        /// <param name="axis">Where it goes, from 0 to the rank; −1 appends it.</param>
        /// <returns>A view that shares x's memory; gradients pass.</returns>
        public Tensor Unsqueeze(int axis)
        {
            if (axis < -x.Rank - 1 || axis > x.Rank)
                throw new AdjointException($"Unsqueeze: axis {axis} is outside {x.Shape}; use {-x.Rank - 1}..{x.Rank}");
            var at = axis < 0 ? axis + x.Rank + 1 : axis;
            return x.Reshape([.. x.Shape.Sizes[..at], 1, .. x.Shape.Sizes[at..]]);
        }
    }

    private static Shape Resolve(Tensor x, ReadOnlySpan<int> shape)
    {
        var sizes = shape.ToArray();
        var open = Array.IndexOf(sizes, -1);
        if (open >= 0)
        {
            sizes[open] = 1;
            var rest = Shape.Create(sizes).Elements;
            if (rest == 0 || x.Length % rest != 0 || Array.IndexOf(sizes, -1) >= 0)
                throw new AdjointException(
                    $"Reshape: {x.Length} elements of {x.Shape} do not fill ({string.Join(", ", shape.ToArray())}); " +
                    $"the sizes must divide them, with at most one −1");
            sizes[open] = x.Length / rest;
        }
        var to = Shape.Create(sizes);
        return to.Elements == x.Length
            ? to
            : throw new AdjointException(
                $"Reshape: {x.Shape} has {x.Length} elements, {to} has {to.Elements}; the product of the sizes must " +
                $"stay");
    }
}
