using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The gradients of layer normalization, from g = ∂L/∂y and with h = γ·g: ∂L/∂x = r·(h − mean(h) − x̂·mean(h·x̂)),
/// ∂L/∂γ = Σ g·x̂ and ∂L/∂β = Σ g over the rows. Operands: x and g (…, d), of any layout, the moments (rows, 3) as
/// <see cref="LayerNorm"/> wrote them, γ (d), of any layout; ∂L/∂x, ∂L/∂γ and, where it is wanted, ∂L/∂β, contiguous.
/// x, g and ∂L/∂x are of one floating type, γ and its gradients of that or its computing type.
/// </summary>
public readonly record struct LayerNormGradient : IFloatingPrimitive<LayerNormGradient>
{
    /// <inheritdoc/>
    public static string Name => "LayerNormGradient";

    /// <inheritdoc/>
    public static int Outputs => 3;

    /// <inheritdoc/>
    public static void Check(in LayerNormGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 7, optional: 6);
        NormRows.CheckGradient(Name, operands);
        if (operands[6] is not { } dbeta) return;
        NormRows.CheckParameter(Name, "dbeta", dbeta, operands[0]!.DType, operands[3]!.Shape);
        Operands.Contiguous(Name, "dbeta", dbeta);
    }

    /// <inheritdoc/>
    public static void Run<T>(in LayerNormGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        NormRows.RunGradient<T>(operands, operands[6], isCentered: true);
}
