namespace Adjoint.Primitives;

/// <summary>Every element of y becomes one number, rounded to the type; a truth value, whether it is not 0. Operand: y, contiguous, of any type.</summary>
/// <param name="Value">The number.</param>
public readonly record struct Fill(double Value) : IPrimitive<Fill>
{
    /// <inheritdoc/>
    public static string Name => "Fill";

    /// <inheritdoc/>
    public static void Check(in Fill primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 1);
        Operands.Dense(Name, "y", operands[0]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Fill primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (value, y) = (primitive.Value, operands[0]!);
        switch (y.DType)
        {
            case DType.Float32: y.Data<float>().Fill((float)value); break;
            case DType.Float64: y.Data<double>().Fill(value); break;
            case DType.Int64: y.Data<long>().Fill((long)value); break;
            case DType.Bool: y.Data<bool>().Fill(value != 0); break;
            default: throw Operands.NoBody(Name, y.DType);
        }
    }
}
