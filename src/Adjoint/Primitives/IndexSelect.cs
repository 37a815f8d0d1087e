namespace Adjoint.Primitives;

/// <summary>
/// y[…, j, …] = x[…, index[j], …] along an axis. Operands: x, of any layout and type; index (k), int64, of any layout;
/// y, contiguous, of x's type and sizes except k along the axis. An index outside the axis is an error.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
public readonly record struct IndexSelect(int Axis) : IPrimitive<IndexSelect>
{
    /// <inheritdoc/>
    public static string Name => "IndexSelect";

    /// <inheritdoc/>
    public static void Check(in IndexSelect primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        IndexOperands.Check(Name, operands[0]!, primitive.Axis, operands[1]!, operands[2]!);
        Operands.Contiguous(Name, "y", operands[2]!);
        Operands.NoOverlap(Name, operands[0]!, operands[2]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in IndexSelect primitive, ReadOnlySpan<Tensor?> operands)
    {
        var x = Copy.Contiguous(operands[0]!);
        var index = IndexOperands.Positions(Name, operands[1]!, x, primitive.Axis);
        IndexOperands.Select(x, index, operands[2]!, primitive.Axis);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(index, operands[1]!);
    }
}
