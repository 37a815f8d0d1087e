using Adjoint.Kernels;

namespace Adjoint;

/// <summary>A height and a width; an <c>int</c> stands for both.</summary>
/// <param name="Height">Along the second-last axis.</param>
/// <param name="Width">Along the last axis.</param>
public readonly record struct Size2(int Height, int Width)
{
    /// <summary>The same in both directions.</summary>
    public static implicit operator Size2(int size) => new(size, size);

    /// <summary>Height, then width.</summary>
    public static implicit operator Size2((int Height, int Width) size) => new(size.Height, size.Width);

    /// <inheritdoc/>
    public override string ToString() => Height == Width ? $"{Height}" : $"{Height}×{Width}";
}

/// <summary>How a convolution moves.</summary>
internal readonly record struct ConvOptions(Size2 Stride, Size2 Padding, Size2 Dilation, int Groups)
{
    /// <summary>The sizes of a convolution of x (n, c, h, w) with w (f, c / groups, kh, kw).</summary>
    /// <exception cref="AdjointException">They do not fit.</exception>
    internal ConvShape Shape(Shape x, Shape w, string op)
    {
        if (x.Rank != 4 || w.Rank != 4)
            throw new AdjointException($"{op}: input (n, channels, h, w) and weight (filters, channels / groups, kh, kw) are needed: found {x} and {w}");
        if (Stride.Height < 1 || Stride.Width < 1 || Dilation.Height < 1 || Dilation.Width < 1 || Padding.Height < 0 || Padding.Width < 0 || Groups < 1)
            throw new AdjointException($"{op}: stride, dilation and groups must be positive, padding not negative: found stride {Stride}, padding {Padding}, dilation {Dilation}, groups {Groups}");
        if (x[1] != w[1] * Groups || w[0] % Groups != 0)
            throw new AdjointException($"{op}: the input has {x[1]} channels, the weight {w} with {Groups} groups needs {w[1] * Groups}, and filters that {Groups} divides");
        var shape = new ConvShape(x[0], x[1], x[2], x[3], w[0], w[2], w[3], Stride.Height, Stride.Width, Padding.Height, Padding.Width, Dilation.Height, Dilation.Width, Groups);
        if (x[2] + 2 * Padding.Height < Dilation.Height * (w[2] - 1) + 1 || x[3] + 2 * Padding.Width < Dilation.Width * (w[3] - 1) + 1)
            throw new AdjointException($"{op}: a kernel {w[2]}×{w[3]} with dilation {Dilation} is larger than the input {x[2]}×{x[3]} with padding {Padding}; use a smaller kernel or more padding");
        return shape;
    }
}
