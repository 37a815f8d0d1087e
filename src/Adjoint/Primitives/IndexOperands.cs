namespace Adjoint.Primitives;

/// <summary>What choosing positions of an axis, and adding at them, check and count alike.</summary>
internal static class IndexOperands
{
    /// <exception cref="AdjointException">
    /// The parts are not one slice of the whole for each position, or the index is not a row of int64.
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

    /// <exception cref="AdjointException">
    /// The index is not int64, or does not name one element of the whole for each part.
    /// </exception>
    internal static void CheckElements(
        string primitive, Tensor whole, int axis, Tensor index, string name, Tensor parts)
    {
        Operands.Has(primitive, name, parts, whole.DType, index.Shape.Sizes);
        var fits = index.DType == DType.Int64 && index.Rank == whole.Rank && (uint)axis < (uint)whole.Rank;
        for (var a = 0; fits && a < whole.Rank; a++) fits = a == axis || index.Shape[a] == whole.Shape[a];
        if (!fits)
            throw new AdjointException(
                $"{primitive}: index must be int64 and agree with {whole.Shape} in every axis but {axis}: found "
                    + $"{index.Shape} {index.DType.Label()}{Operands.Remedy}");
    }

    /// <summary>The index side by side, of which every position lies in the axis.</summary>
    /// <exception cref="AdjointException">One is outside of it.</exception>
    internal static Tensor Positions(string primitive, Tensor index, Tensor whole, int axis)
    {
        var packed = Copy.Contiguous(index);
        var size = whole.Shape[axis];
        return FirstOutside(packed, size) is >= 0 and var at
            ? throw new AdjointException(
                $"{primitive}: {packed.Data<long>()[at]} is outside axis {axis} of {whole.Shape}; use 0..{size - 1}")
            : packed;
    }

    /// <summary>The index side by side, of which every element lies in the axis.</summary>
    /// <exception cref="AdjointException">One is outside of it.</exception>
    internal static Tensor Elements(string primitive, Tensor index, Tensor whole, int axis)
    {
        var packed = Copy.Contiguous(index);
        var size = whole.Shape[axis];
        return FirstOutside(packed, size) is >= 0 and var at
            ? throw new AdjointException($"{primitive}: index {packed.Data<long>()[at]} at element {at} is outside "
                + $"axis {axis} of {whole.Shape}; use 0..{size - 1}")
            : packed;
    }

    /// <summary>
    /// The number of the first index, side by side, that is not one of 0 … size − 1; −1 where all are.
    /// </summary>
    internal static int FirstOutside(Tensor packed, int size)
    {
        var index = packed.Data<long>();
        return size > 0 ? index.IndexOfAnyExceptInRange(0, size - 1) : index.IsEmpty ? -1 : 0;
    }

    /// <summary>
    /// Where an element of a tensor stands, such as <c>(2, 5)</c>, from its number in row-major order.
    /// </summary>
    internal static string PlaceOf(int element, Shape shape)
    {
        var place = new int[shape.Rank];
        for (var axis = shape.Rank - 1; axis >= 0; axis--)
            (element, place[axis]) = Math.DivRem(element, shape[axis]);
        return $"({string.Join(", ", place)})";
    }

    /// <summary>y[…, j, …] = x[…, index[j], …]; all side by side, every index in the axis.</summary>
    internal static void Select(Tensor x, Tensor index, Tensor y, int axis)
    {
        var rows = new Rows(x, index, y, axis);
        ElementTypes.Bits(x.DType, ref rows);
    }

    /// <summary>How often there is a run along an axis, but for those side by side.</summary>
    internal static int Outer(Shape shape, int axis) => Shape.Product(shape.Sizes[..axis]);

    /// <summary>Elements between two neighbors along an axis.</summary>
    internal static int Inner(Shape shape, int axis) => Shape.Product(shape.Sizes[(axis + 1)..]);

    private readonly unsafe struct Rows(Tensor x, Tensor index, Tensor y, int axis) : IBitsVisitor
    {
        public void Visit<T>() where T : unmanaged
        {
            fixed (T* from = &x.Origin<T>(), to = &y.Origin<T>())
            fixed (long* at = index.Data<long>())
                Kernels.Gather.Rows(
                    from, at, to, Outer(x.Shape, axis), x.Shape[axis], index.Length, Inner(x.Shape, axis));
        }
    }
}
