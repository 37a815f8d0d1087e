using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = γ·x̂ + β with x̂ = (x − μ)/√(σ² + ε), where μ is the mean and σ² the variance (divided by the count) over the
/// last axes of x, those of γ. Operands: x (…, d), γ (d), β (d) or null, of any layout; the moments of each row (rows,
/// 3), of the computing type, and y (…, d), contiguous; x and y of one floating type, γ and β of that or its computing
/// type. The moments are m, r, c with x̂ = (x − m)·r + c: the rounded mean, 1/√(σ² + ε), and what makes up for the
/// rounding.
/// </summary>
/// <param name="Epsilon">The number ε added to the variance.</param>
public readonly record struct LayerNorm(double Epsilon) : IFloatingPrimitive<LayerNorm>
{
    /// <inheritdoc/>
    public static string Name => "LayerNorm";

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static void Check(in LayerNorm primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 5, optional: 2);
        var (x, gamma, y) = (operands[0]!, operands[1]!, operands[4]!);
        Operands.Result(Name, y);
        Operands.SameTypeAndShape(Name, "x", x, y);
        NormRows.Check(Name, x, gamma, operands[3]!);
        if (operands[2] is { } beta) NormRows.CheckParameter(Name, "beta", beta, x.DType, gamma.Shape);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in LayerNorm primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, gamma) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!));
        var beta = operands[2] is { } shift ? Copy.Contiguous(shift) : null;
        fixed (T* from = x.Data<T>(), scale = gamma.Data<T>(), add = beta is null ? default : beta.Data<T>(),
            moments = operands[3]!.Data<T>(), to = operands[4]!.Data<T>())
            RowNorm.Forward(from, scale, add, moments, to, NormRows.Count(x, gamma), gamma.Length, primitive.Epsilon,
                isCentered: true);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(gamma, operands[1]!);
        if (beta is not null) Copy.ReleaseCopy(beta, operands[2]!);
    }
}
