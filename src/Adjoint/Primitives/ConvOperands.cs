using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>What a convolution and its two gradients check and say alike.</summary>
internal static class ConvOperands
{
    /// <summary>Two for each tap that meets each element of the output, or of its gradient.</summary>
    internal static double Flops(in ConvShape shape, Tensor y) =>
        2.0 * y.Length * (shape.Channels / shape.Groups) * shape.KernelHeight * shape.KernelWidth;

    /// <summary>The sizes of a convolution, worked out anew from its operands.</summary>
    internal static ConvShape Sizes(string primitive, in ConvShape shape, Tensor x, Tensor w) => new ConvGeometry(
        (shape.StrideHeight, shape.StrideWidth), (shape.PadHeight, shape.PadWidth),
        (shape.DilationHeight, shape.DilationWidth), shape.Groups).Shape(x.Shape, w.Shape, primitive);

    /// <exception cref="AdjointException">An operand is not as the sizes have it.</exception>
    internal static void Check(
        string primitive, in ConvShape shape, Tensor x, Tensor w, Tensor? bias, Tensor y, DType type)
    {
        var own = Sizes(primitive, shape, x, w);
        if (own with { StrideHeight = shape.StrideHeight, StrideWidth = shape.StrideWidth } != shape)
            throw new AdjointException(
                $"{primitive}: {shape} is not the shape of a convolution of {x.Shape} by {w.Shape}{Operands.Remedy}");
        Operands.Has(primitive, "x", x, type, own.Samples, own.Channels, own.Height, own.Width);
        Operands.Has(primitive, "w", w, type, own.Filters, own.Channels / own.Groups, own.KernelHeight,
            own.KernelWidth);
        Operands.Has(primitive, "y", y, type, own.Samples, own.Filters, own.OutHeight, own.OutWidth);
        if (bias is not null) Operands.Has(primitive, "bias", bias, type, own.Filters);
    }

    internal static AdjointException TooLarge(string primitive, in ConvShape shape, ScratchLimitException limit) =>
        new(
            $"{primitive}: for {shape.Samples} images of {shape.Channels} channels, {shape.Height}×{shape.Width} with "
                + $"padding {shape.PadHeight} and {shape.PadWidth}, {limit.Message}; take fewer images at a time or "
                + $"less padding",
            limit);
}
