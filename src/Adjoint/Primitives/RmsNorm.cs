using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = γ·x/√(mean(x²) + ε), the mean over the last axes of x, those of γ. Operands: x (…, d) and γ (d), of any layout;
/// the moments of each row (rows, 3), of the computing type, and y (…, d), contiguous; x and y of one floating type, γ
/// of that or its computing type. The moments are those of <see cref="LayerNorm"/>: 0, 1/√(mean(x²) + ε), 0.
/// </summary>
/// <param name="Epsilon">The number ε added to the mean square.</param>
public readonly record struct RmsNorm(double Epsilon) : IFloatingPrimitive<RmsNorm>
{
    /// <inheritdoc/>
    public static string Name => "RmsNorm";

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static void Check(in RmsNorm primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 4);
        var (x, y) = (operands[0]!, operands[3]!);
        Operands.Result(Name, y);
        Operands.SameTypeAndShape(Name, "x", x, y);
        NormRows.Check(Name, x, operands[1]!, operands[2]!);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in RmsNorm primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, gamma) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!));
        fixed (T* from = x.Data<T>(), scale = gamma.Data<T>(), moments = operands[2]!.Data<T>(),
            to = operands[3]!.Data<T>())
            RowNorm.Forward(from, scale, null, moments, to, NormRows.Count(x, gamma), gamma.Length, primitive.Epsilon,
                isCentered: false);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(gamma, operands[1]!);
    }
}
