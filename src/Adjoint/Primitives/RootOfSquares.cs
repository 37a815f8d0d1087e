namespace Adjoint.Primitives;

/// <summary>
/// y = √ of a sum of squares. Operands: the sum as <see cref="SquaredNorm"/> keeps it, and y, one float64 without axes.
/// </summary>
public readonly record struct RootOfSquares : IPrimitive<RootOfSquares>
{
    /// <inheritdoc/>
    public static string Name => "RootOfSquares";

    /// <inheritdoc/>
    public static void Check(in RootOfSquares primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.HasContiguous(Name, "sum", operands[0]!, DType.Float64, 2);
        Operands.Has(Name, "y", operands[1]!, DType.Float64);
        Operands.NoOverlap(Name, operands[0]!, operands[1]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in RootOfSquares primitive, ReadOnlySpan<Tensor?> operands) =>
        operands[1]!.Data<double>()[0] = SquaredNorm.Root(operands[0]!.Data<double>());
}
