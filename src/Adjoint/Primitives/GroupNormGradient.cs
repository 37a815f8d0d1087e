using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// The gradients of group normalization, from g = ∂L/∂y and with h = γ·g: ∂L/∂x = r·(h − mean(h) − x̂·mean(h·x̂)), the
/// means over each group; ∂L/∂γ = Σ g·x̂ and ∂L/∂β = Σ g over samples and positions. Operands: x and g (n, c, …), of
/// any layout, the moments (n, groups, 3) as <see cref="GroupNorm"/> wrote them, γ (c), of any layout; ∂L/∂x, ∂L/∂γ and
/// ∂L/∂β, contiguous. x, g and ∂L/∂x are of one floating type, γ and the other gradients of that or its computing type.
/// </summary>
/// <param name="Groups">The number of groups; it divides c.</param>
public readonly record struct GroupNormGradient(int Groups) : IFloatingPrimitive<GroupNormGradient>
{
    /// <inheritdoc/>
    public static string Name => "GroupNormGradient";

    /// <inheritdoc/>
    public static int Outputs => 3;

    /// <inheritdoc/>
    public static void Check(in GroupNormGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 7);
        var (x, dx) = (operands[0]!, operands[4]!);
        Operands.Result(Name, dx);
        Operands.SameTypeAndShape(Name, "x", x, dx);
        Operands.SameTypeAndShape(Name, "g", operands[1]!, dx);
        GroupNorm.CheckGroups(Name, x, operands[3]!, operands[2]!, primitive.Groups);
        Check("dgamma", operands[5]!, x);
        Check("dbeta", operands[6]!, x);

        static void Check(string name, Tensor gradient, Tensor x)
        {
            NormRows.CheckParameter(Name, name, gradient, x.DType, [x.Shape[1]]);
            Operands.Contiguous(Name, name, gradient);
        }
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in GroupNormGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, g, gamma) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!),
            Copy.Contiguous(operands[3]!));
        fixed (T* from = x.Data<T>(), dy = g.Data<T>(), moments = operands[2]!.Data<T>(), scale = gamma.Data<T>(),
            dx = operands[4]!.Data<T>(), dgamma = operands[5]!.Data<T>(), dbeta = operands[6]!.Data<T>())
            Kernels.GroupNorm.Gradient(
                from, dy, moments, scale, dx, dgamma, dbeta, GroupNorm.ShapeOf(x, primitive.Groups));
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(g, operands[1]!);
        Copy.ReleaseCopy(gamma, operands[3]!);
    }
}
