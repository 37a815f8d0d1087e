namespace Adjoint;

/// <summary>y repeats x along broadcast axes.</summary>
internal sealed class ExpandOp(Shape to) : ViewOp
{
    public override string Name => "Expand";
    public override string Formula => "y[…, j, …] = x[…, 0, …] for every j of an expanded axis";
    public override string Derivation =>
        "x enters every copy, and the derivative of a sum is the sum of the derivatives: ∂L/∂x = Σ over the expanded " +
        "axes of g";
    public override IReadOnlyList<OpAttribute> Attributes => [new("shape", to)];

    protected override ViewLayout Layout(Tensor x)
    {
        var from = x.Shape;
        var fits = to.Rank >= from.Rank;
        for (var i = 1; fits && i <= from.Rank; i++) fits = from[-i] == to[-i] || from[-i] == 1;
        if (!fits)
            throw new AdjointException($"Expand: {from} does not expand to {to}; sizes, aligned at the last axis, "
                + "must be equal or 1");
        var strides = new nint[to.Rank];
        var missing = to.Rank - from.Rank;
        for (var axis = missing; axis < to.Rank; axis++)
            strides[axis] = from[axis - missing] == to[axis] ? x.StrideAt(axis - missing) : 0;
        return new(to, strides);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) => [gradient.SumTo(node.Inputs[0].Shape)];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>Repeats axes of size 1, or missing leading axes, without copying: their stride becomes 0.</summary>
        /// <param name="shape">The new shape; each size is x's, or any where x's is 1.</param>
        /// <returns>A view that shares x's memory; gradients pass.</returns>
        /// <exception cref="AdjointException">A size differs and is not 1.</exception>
        public Tensor Expand(params ReadOnlySpan<int> shape) => x.ExpandTo(Shape.Create(shape));

        internal Tensor ExpandTo(Shape shape) => shape == x.Shape ? x : Op.Apply(new ExpandOp(shape), x);

        /// <summary>
        /// Sums over the axes that broadcasting from <paramref name="shape"/> would expand: the reverse of expanding.
        /// </summary>
        internal Tensor SumTo(Shape shape)
        {
            if (x.Shape == shape) return x;
            var lead = x.Rank - shape.Rank;
            var axes = new List<int>();
            for (var axis = 0; axis < x.Rank; axis++)
                if (axis < lead || shape[axis - lead] == 1 && x.Shape[axis] != 1) axes.Add(axis);
            return x.Sum([.. axes], keepDims: true).Reshape(shape.Sizes);
        }
    }
}
