using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// The gradients of RMS normalization, from g = ∂L/∂y, with h = γ·g and x̂ = x·r: ∂L/∂x = r·(h − x̂·mean(h·x̂)), ∂L/∂γ
/// = Σ g·x̂ over the rows. Operands: x and g (…, d), of any layout, the moments (rows, 3) as <see cref="RmsNorm"/>
/// wrote them, γ (d), of any layout; ∂L/∂x and ∂L/∂γ, contiguous. x, g and ∂L/∂x are of one floating type, γ and its
/// gradient of that or its computing type.
/// </summary>
public readonly record struct RmsNormGradient : IFloatingPrimitive<RmsNormGradient>
{
    /// <inheritdoc/>
    public static string Name => "RmsNormGradient";

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static void Check(in RmsNormGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 6);
        NormRows.CheckGradient(Name, operands);
    }

    /// <inheritdoc/>
    public static void Run<T>(in RmsNormGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        NormRows.RunGradient<T>(operands, null, isCentered: false);
}
