namespace Adjoint.Primitives;

/// <summary>What choosing positions of an axis, and adding at them, check and count alike.</summary>
internal static class IndexOperands
{
    /// <exception cref="AdjointException">
    /// The parts are not one slice of the whole for each position, or the index is no row of int64.
    /// </exception>
    internal static void Check(string primitive, Tensor whole, int axis, Tensor index, Tensor parts)
    {
        Operands.HasRank(primitive, "index", index, DType.Int64, 1, "(positions)");
        var fits = whole.DType == parts.DType && whole.Rank == parts.Rank && (uint)axis < (uint)whole.Rank;
        for (var a = 0; fits && a < whole.Rank; a++)
            fits = parts.Shape[a] == (a == axis ? index.Length : whole.Shape[a]);
        if (!fits)
            throw new AdjointException(
                $"{primitive}: {index.Length} positions of axis {axis} of {whole.Shape} {whole.DType.Label()} do "
                    + $"not fit {parts.Shape} {parts.DType.Label()}{Operands.Remedy}");
    }

    /// <summary>The positions that an index names.</summary>
    /// <exception cref="AdjointException">One is outside of the axis.</exception>
    internal static int[] Positions(string primitive, Tensor index, Tensor whole, int axis)
    {
        var size = whole.Shape[axis];
        var packed = Copy.Packed(index);
        var positions = new int[index.Length];
        var at = 0;
        foreach (var i in packed.Data<long>())
            positions[at++] = (ulong)i < (ulong)size
                ? (int)i
                : throw new AdjointException(
                    $"{primitive}: {i} is outside axis {axis} of {whole.Shape}; use 0..{size - 1}");
        return positions;
    }

    /// <summary>Elements between two neighbours along an axis.</summary>
    internal static int Inner(Shape shape, int axis) => Shape.Product(shape.Sizes[(axis + 1)..]);
}
