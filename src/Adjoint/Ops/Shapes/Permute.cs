namespace Adjoint;

/// <summary>Reorders the axes.</summary>
internal sealed class PermuteOp(int[] order) : ViewOp
{
    public override string Name => "Permute";
    public override string Formula => "y[i_p(0), i_p(1), …] = x[i_0, i_1, …] for the order p";
    public override string Derivation => "∂L/∂x = g with its axes put back in order";
    public override IReadOnlyList<OpAttribute> Attributes => [new("order", (int[])order.Clone())];

    protected override ViewLayout Layout(Tensor x)
    {
        if (!IsOrderOf(x.Rank))
            throw new AdjointException(
                $"Permute: ({string.Join(", ", order)}) is not an order of the {x.Rank} axes of {x.Shape}");
        var (sizes, strides) = (new int[order.Length], new nint[order.Length]);
        for (var i = 0; i < order.Length; i++)
            (sizes[i], strides[i]) = (x.Shape[order[i]], x.StrideAt(order[i]));
        return new(sizes, strides);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient)
    {
        var back = new int[order.Length];
        for (var i = 0; i < order.Length; i++) back[order[i]] = i;
        return [gradient.Permute(back)];
    }

    // Each axis once.
    private bool IsOrderOf(int rank)
    {
        for (var axis = 0; axis < rank; axis++)
            if (Array.IndexOf(order, axis) < 0) return false;
        return order.Length == rank;
    }
}

// Permute and transpose.
public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The axes in another order, without copying: axis i of the result is axis order[i] of x.</summary>
        /// <param name="order">Each axis of x once; negative ones count from the last.</param>
        /// <returns>A view that shares x's memory; gradients pass.</returns>
        /// <exception cref="AdjointException">The order does not name each axis once.</exception>
        public Tensor Permute(params ReadOnlySpan<int> order)
        {
            var axes = order.ToArray();
            return Op.Apply(new PermuteOp(Array.ConvertAll(axes, axis => x.Shape.Axis(axis, "Permute"))), x);
        }

        /// <summary>Swaps two axes, the last two by default, without copying.</summary>
        /// <param name="first">One of the axes; a negative one counts from the last.</param>
        /// <param name="second">The other axis; a negative one counts from the last.</param>
        /// <returns>A view that shares x's memory; gradients pass.</returns>
        public Tensor Transpose(int first = -2, int second = -1)
        {
            var order = Enumerable.Range(0, x.Rank).ToArray();
            var (a, b) = (x.Shape.Axis(first, "Transpose"), x.Shape.Axis(second, "Transpose"));
            (order[a], order[b]) = (b, a);
            return Op.Apply(new PermuteOp(order), x);
        }
    }
}
