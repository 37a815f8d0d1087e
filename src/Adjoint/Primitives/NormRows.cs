using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>Rows of a normalization over the last axes: those that γ has.</summary>
internal static class NormRows
{
    /// <summary>How many there are; 0 where they are empty.</summary>
    internal static int Count(Tensor x, Tensor gamma) => gamma.Length == 0 ? 0 : x.Length / gamma.Length;

    /// <summary>γ has the last axes of x, and there are moments for each row.</summary>
    internal static void Check(string primitive, Tensor x, Tensor gamma, Tensor moments)
    {
        var rank = Math.Min(x.Rank, gamma.Rank);
        CheckParameter(primitive, "gamma", gamma, x.DType, Shape.Create(x.Shape.Sizes[^rank..]));
        Operands.HasContiguous(
            primitive, "moments", moments, x.DType.Computing(), Count(x, gamma), RowNorm.Moments);
    }

    /// <summary>A scale, a shift, or the gradient of one.</summary>
    internal static void CheckParameter(string primitive, string name, Tensor parameter, DType type, Shape shape) =>
        Operands.Has(primitive, name, parameter,
            parameter.DType == type.Computing() ? parameter.DType : type, shape.Sizes);

    /// <summary>Operands x, g, moments, γ, ∂L/∂x, ∂L/∂γ, …: those that all gradients have.</summary>
    internal static void CheckGradient(string primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, gamma, dx, dgamma) = (operands[0]!, operands[3]!, operands[4]!, operands[5]!);
        Operands.Result(primitive, dx);
        Operands.SameTypeAndShape(primitive, "x", x, dx);
        Operands.SameTypeAndShape(primitive, "g", operands[1]!, dx);
        Check(primitive, x, gamma, operands[2]!);
        CheckParameter(primitive, "dgamma", dgamma, x.DType, gamma.Shape);
        Operands.Contiguous(primitive, "dgamma", dgamma);
    }

    /// <summary>Computes ∂L/∂x, ∂L/∂γ and, where it is wanted, ∂L/∂β.</summary>
    internal static unsafe void RunGradient<T>(ReadOnlySpan<Tensor?> operands, Tensor? dbeta, bool isCentered)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, g, gamma) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!),
            Copy.Contiguous(operands[3]!));
        fixed (T* from = x.Data<T>(), dy = g.Data<T>(), moments = operands[2]!.Data<T>(), scale = gamma.Data<T>(),
            dx = operands[4]!.Data<T>(), dscale = operands[5]!.Data<T>(),
            dshift = dbeta is null ? default : dbeta.Data<T>())
            RowNorm.Gradient(
                from, dy, moments, scale, dx, dscale, dshift, Count(x, gamma), gamma.Length, isCentered);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(g, operands[1]!);
        Copy.ReleaseCopy(gamma, operands[3]!);
    }
}
