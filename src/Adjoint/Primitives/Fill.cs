using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// Every element of y becomes one number, rounded to the type; a truth value, whether it is not 0. Operand: y, of any
/// layout and type.
/// </summary>
/// <param name="Value">The number.</param>
public readonly record struct Fill(double Value) : IPrimitive<Fill>
{
    /// <inheritdoc/>
    public static string Name => "Fill";

    /// <inheritdoc/>
    public static void Check(in Fill primitive, ReadOnlySpan<Tensor?> operands) =>
        Operands.Expect(Name, operands, 1);

    /// <inheritdoc/>
    public static void RunOnCpu(in Fill primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (value, y) = (primitive.Value, operands[0]!);
        switch (y.DType)
        {
            case DType.Float32: Run(y, (float)value); break;
            case DType.Float64: Run(y, value); break;
            case DType.Int64: Run(y, (long)value); break;
            case DType.Bool: Run(y, value != 0); break;
            default: throw Operands.NoBody(Name, y.DType);
        }
    }

    private static unsafe void Run<T>(Tensor y, T value) where T : unmanaged
    {
        if (y.IsContiguous)
            y.Data<T>().Fill(value);
        else
            fixed (T* to = &y.Origin<T>()) Strided.Fill(value, to, y.Strides, y.Shape.Sizes);
    }
}
