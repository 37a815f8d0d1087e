using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// y[i] = start + i·step in row-major order, computed in float64 and rounded to the type; int64 without the fraction
/// and within its range, a truth value whether it is not 0. Operand: y, contiguous, of any type.
/// </summary>
/// <param name="Start">The first element.</param>
/// <param name="Step">From one element to the next.</param>
public readonly record struct Arange(double Start, double Step) : IPrimitive<Arange>
{
    /// <inheritdoc/>
    public static string Name => "Arange";

    /// <inheritdoc/>
    public static void Check(in Arange primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 1);
        Operands.Dense(Name, "y", operands[0]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Arange primitive, ReadOnlySpan<Tensor?> operands)
    {
        var y = operands[0]!;
        switch (y.DType)
        {
            case DType.Float32: Count<float>(primitive, y); break;
            case DType.Float64: Count<double>(primitive, y); break;
            case DType.Int64: Count<long>(primitive, y); break;
            case DType.Bool:
                var truth = y.Data<bool>();
                for (var i = 0; i < truth.Length; i++) truth[i] = primitive.Start + i * primitive.Step != 0;
                break;
            default: throw Operands.NoBody(Name, y.DType);
        }
    }

    private static void Count<T>(in Arange primitive, Tensor y) where T : unmanaged, INumber<T>
    {
        var values = y.Data<T>();
        for (var i = 0; i < values.Length; i++) values[i] = T.CreateSaturating(primitive.Start + i * primitive.Step);
    }
}
