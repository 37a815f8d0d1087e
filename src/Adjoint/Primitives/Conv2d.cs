using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = x ⋆ w + b, the cross-correlation that the field calls convolution. Operands: x (n, c, h, w), weights (f, c /
/// groups, kh, kw), bias (f) or null, all of any layout; y (n, f, …), contiguous; of one floating type.
/// </summary>
/// <param name="Shape">The sizes of the convolution.</param>
public readonly record struct Conv2d(ConvShape Shape) : IFloatingPrimitive<Conv2d>
{
    /// <inheritdoc/>
    public static string Name => "Conv2d";

    /// <inheritdoc/>
    public static double Flops(in Conv2d primitive, ReadOnlySpan<Tensor?> operands) =>
        ConvOperands.Flops(primitive.Shape, operands[3]!);

    /// <inheritdoc/>
    public static void Check(in Conv2d primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 4, optional: 2);
        var (x, w, y) = (operands[0]!, operands[1]!, operands[3]!);
        ConvOperands.Check(Name, primitive.Shape, x, w, operands[2], y, Operands.Result(Name, y));
        Operands.NoOverlap(Name, x, y);
        Operands.NoOverlap(Name, w, y);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in Conv2d primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, w, y) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!), operands[3]!);
        var bias = operands[2] is { } given ? Copy.Contiguous(given) : null;
        var sizes = ConvOperands.Sizes(Name, primitive.Shape, x, w);
        try
        {
            fixed (T* from = x.Data<T>(), weight = w.Data<T>(), add = bias is null ? default : bias.Data<T>(),
                to = y.Data<T>()) Convolution.Forward(sizes, from, weight, add, to);
        }
        catch (ScratchLimitException limit)
        {
            throw ConvOperands.TooLarge(Name, sizes, limit);
        }
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(w, operands[1]!);
        if (bias is not null) Copy.ReleaseCopy(bias, operands[2]!);
    }
}
