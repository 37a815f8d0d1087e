using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// The gradients of batch normalization, from g = ∂L/∂y: ∂L/∂γ = Σ g·x̂, ∂L/∂β = Σ g, ∂L/∂x = γ·r·(g − mean(g) −
/// x̂·mean(g·x̂)). Operands: x and g (n, c, …) and γ (c), of any layout, μ (c) and r (c) as <see cref="BatchNorm"/>
/// wrote them, in the order x, g, μ, r, γ; ∂L/∂x, ∂L/∂γ, ∂L/∂β, contiguous; of one floating type.
/// </summary>
public readonly record struct BatchNormGradient : IFloatingPrimitive<BatchNormGradient>
{
    /// <inheritdoc/>
    public static string Name => "BatchNormGradient";

    /// <inheritdoc/>
    public static int Outputs => 3;

    /// <inheritdoc/>
    public static void Check(in BatchNormGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 8);
        var (x, dx) = (operands[0]!, operands[5]!);
        var type = Operands.Result(Name, dx);
        Operands.SameTypeAndShape(Name, "x", x, dx);
        Operands.SameTypeAndShape(Name, "g", operands[1]!, dx);
        var channels = Operands.Channels(Name, x);
        Operands.HasContiguous(Name, "mean", operands[2]!, type.Computing(), channels);
        Operands.HasContiguous(Name, "inverseDeviation", operands[3]!, type.Computing(), channels);
        Operands.Has(Name, "gamma", operands[4]!, type, channels);
        Operands.HasContiguous(Name, "dgamma", operands[6]!, type, channels);
        Operands.HasContiguous(Name, "dbeta", operands[7]!, type, channels);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in BatchNormGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, g, gamma) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!),
            Copy.Contiguous(operands[4]!));
        var (n, c) = (x.Shape[0], x.Shape[1]);
        fixed (T* from = x.Data<T>(), dy = g.Data<T>(), mean = operands[2]!.Data<T>(),
            inverse = operands[3]!.Data<T>(), factor = gamma.Data<T>(), dx = operands[5]!.Data<T>(),
            dgamma = operands[6]!.Data<T>(), dbeta = operands[7]!.Data<T>())
            Kernels.BatchNorm.Gradient(from, dy, mean, inverse, factor, dx, dgamma, dbeta, n, c,
                n * c == 0 ? 0 : x.Length / (n * c));
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(g, operands[1]!);
        Copy.ReleaseCopy(gamma, operands[4]!);
    }
}
