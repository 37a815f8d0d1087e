namespace Adjoint.Primitives;

/// <summary>
/// y[…] = weight[index[…]], a row for each index. Operands: weight (rows, d), of any layout and type; index (…),
/// int64, of any layout; y (…, d), contiguous, of the weight's type. An index that names no row is an error.
/// </summary>
public readonly record struct Embedding : IPrimitive<Embedding>
{
    /// <inheritdoc/>
    public static string Name => "Embedding";

    /// <inheritdoc/>
    public static void Check(in Embedding primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (weight, index, y) = (operands[0]!, operands[1]!, operands[2]!);
        Operands.HasRank(Name, "weight", weight, y.DType, 2, "(rows, d)");
        Operands.Has(Name, "index", index, DType.Int64, index.Shape.Sizes);
        Operands.HasContiguous(Name, "y", y, weight.DType, [.. index.Shape.Sizes, weight.Shape[1]]);
        Operands.NoOverlap(Name, weight, y);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Embedding primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (weight, index, y) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!), operands[2]!);
        var rows = weight.Shape[0];
        if (IndexOperands.FirstOutside(index, rows) is >= 0 and var at)
            throw new AdjointException(
                $"{Name}: index {index.Data<long>()[at]} at {IndexOperands.PlaceOf(at, index.Shape)} is not a row of "
                + $"{weight.Shape}; use 0..{rows - 1}");
        IndexOperands.Select(weight, index, y, 0);
        Copy.ReleaseCopy(weight, operands[0]!);
        Copy.ReleaseCopy(index, operands[1]!);
    }
}
