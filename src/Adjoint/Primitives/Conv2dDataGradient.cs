using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// ∂L/∂x of a convolution, from g = ∂L/∂y. Operands: g (n, f, …) and weights (f, c / groups, kh, kw), of any layout;
/// ∂L/∂x (n, c, h, w), contiguous; of one floating type.
/// </summary>
/// <param name="Shape">The sizes of the convolution.</param>
public readonly record struct Conv2dDataGradient(ConvShape Shape) : IFloatingPrimitive<Conv2dDataGradient>
{
    /// <inheritdoc/>
    public static string Name => "Conv2dDataGradient";

    /// <inheritdoc/>
    public static double Flops(in Conv2dDataGradient primitive, ReadOnlySpan<Tensor?> operands) =>
        ConvOperands.Flops(primitive.Shape, operands[0]!);

    /// <inheritdoc/>
    public static void Check(in Conv2dDataGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (g, w, dx) = (operands[0]!, operands[1]!, operands[2]!);
        ConvOperands.Check(Name, primitive.Shape, dx, w, null, g, Operands.Result(Name, dx));
        Operands.NoOverlap(Name, g, dx);
        Operands.NoOverlap(Name, w, dx);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in Conv2dDataGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (g, w, dx) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!), operands[2]!);
        var sizes = ConvOperands.Sizes(Name, primitive.Shape, dx, w);
        try
        {
            fixed (T* from = g.Data<T>(), weight = w.Data<T>(), to = dx.Data<T>())
                Convolution.DataGradient(sizes, from, weight, to);
        }
        catch (ScratchLimitException limit)
        {
            throw ConvOperands.TooLarge(Name, sizes, limit);
        }
        Copy.ReleaseCopy(g, operands[0]!);
        Copy.ReleaseCopy(w, operands[1]!);
    }
}
