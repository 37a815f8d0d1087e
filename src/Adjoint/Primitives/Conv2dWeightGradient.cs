using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// ∂L/∂w of a convolution, from x and g = ∂L/∂y. Operands: x (n, c, h, w) and g (n, f, …), of any layout; ∂L/∂w
/// (f, c / groups, kh, kw), contiguous; of one floating type.
/// </summary>
/// <param name="Shape">The sizes of the convolution.</param>
public readonly record struct Conv2dWeightGradient(ConvShape Shape) : IFloatingPrimitive<Conv2dWeightGradient>
{
    /// <inheritdoc/>
    public static string Name => "Conv2dWeightGradient";

    /// <inheritdoc/>
    public static double Flops(in Conv2dWeightGradient primitive, ReadOnlySpan<Tensor?> operands) =>
        ConvOperands.Flops(primitive.Shape, operands[1]!);

    /// <inheritdoc/>
    public static void Check(in Conv2dWeightGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (x, g, dw) = (operands[0]!, operands[1]!, operands[2]!);
        ConvOperands.Check(Name, primitive.Shape, x, dw, null, g, Operands.Result(Name, dw));
        Operands.NoOverlap(Name, x, dw);
        Operands.NoOverlap(Name, g, dw);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in Conv2dWeightGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, g, dw) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!), operands[2]!);
        var sizes = ConvOperands.Sizes(Name, primitive.Shape, x, dw);
        try
        {
            fixed (T* from = x.Data<T>(), gradient = g.Data<T>(), to = dw.Data<T>())
                Convolution.WeightGradient(sizes, from, gradient, to);
        }
        catch (ScratchLimitException limit)
        {
            throw ConvOperands.TooLarge(Name, sizes, limit);
        }
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(g, operands[1]!);
    }
}
