namespace Adjoint;

/// <summary>
/// The type of a result whose operands have different ones, as PyTorch's <c>result_type</c>. Operands have priority by
/// kind: tensors with axes before tensors without, both before plain numbers; a lower one counts only where its
/// category (truth value &lt; integer &lt; floating) is higher. So <c>int32[3] + int64[]</c> is int32, and
/// <c>bfloat16[3] + 0.5</c> is bfloat16.
/// </summary>
internal static class Promotion
{
    /// <summary>The type of a result of these tensors.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    internal static DType ResultType(params ReadOnlySpan<Tensor> operands) =>
        OfTensors(operands) ?? throw new ArgumentException("Promotion: there is no operand", nameof(operands));

    /// <summary>Of a tensor and a whole number, which is an int64 among plain numbers: it changes only bool.</summary>
    internal static DType ResultType(Tensor x, long _) => Combine(x.DType, DType.Int64);

    /// <summary>
    /// Of a tensor and a number, which is a float32 among plain numbers: integers and bool become one.
    /// </summary>
    internal static DType ResultType(Tensor x, double _) => Combine(x.DType, DType.Float32);

    private static DType? OfTensors(ReadOnlySpan<Tensor> operands)
    {
        DType? withAxes = null, without = null;
        foreach (var operand in operands)
        {
            ref var kind = ref operand.Shape.Rank > 0 ? ref withAxes : ref without;
            kind = kind is { } before ? DTypes.Promote(before, operand.DType) : operand.DType;
        }
        return withAxes is { } higher && without is { } lower ? Combine(higher, lower) : withAxes ?? without;
    }

    private static DType Combine(DType higher, DType lower) =>
        Category(higher) >= Category(lower) ? higher : DTypes.Promote(higher, lower);

    private static int Category(DType type) => type.IsFloating() ? 2 : type.IsInteger() ? 1 : 0;
}
