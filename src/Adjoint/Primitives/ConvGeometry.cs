using Adjoint.Kernels;

namespace Adjoint;

/// <summary>How the windows of a convolution lie: stride, padding, dilation and groups.</summary>
internal readonly record struct ConvGeometry(Size2 Stride, Size2 Padding, Size2 Dilation, int Groups)
{
    /// <summary>The sizes of a convolution of x (n, c, h, w) with w (f, c / groups, kh, kw).</summary>
    /// <exception cref="AdjointException">They do not fit.</exception>
    internal ConvShape Shape(Shape x, Shape w, string op)
    {
        if (x.Rank != 4 || w.Rank != 4)
            throw new AdjointException(
                $"{op}: input (n, channels, h, w) and weight (filters, channels / groups, kh, kw) are needed: found "
                    + $"{x} and {w}");
        Check(op);
        if (w[0] % Groups != 0)
            throw new AdjointException(
                $"{op}: the groups must divide the filters: found {Groups} groups for {w[0]} filters, weights {w}");
        if (x[1] != (long)w[1] * Groups)
            throw new AdjointException(
                $"{op}: an input (n, {(long)w[1] * Groups}, h, w) is needed: found {x} for weights {w}; the "
                    + $"channels must be the weights' second axis{(Groups == 1 ? "" : $" times the {Groups} groups")}");
        if (w[2] == 0 || w[3] == 0)
            throw new AdjointException($"{op}: a kernel of at least 1×1 is needed: found weights {w}");
        if (x[2] + 2L * Padding.Height <= (long)Dilation.Height * (w[2] - 1)
            || x[3] + 2L * Padding.Width <= (long)Dilation.Width * (w[3] - 1))
            throw new AdjointException(
                $"{op}: a kernel {w[2]}×{w[3]} with dilation {Dilation} is larger than the input {x} with padding "
                    + $"{Padding}; use a smaller kernel or more padding");
        var (height, width) = (x[2] + 2L * Padding.Height, x[3] + 2L * Padding.Width);
        if (height > int.MaxValue || width > int.MaxValue)
            throw new AdjointException(
                $"{op}: the input {x} would become {height}×{width} with padding {Padding}; the largest size is "
                    + $"{int.MaxValue}; use less padding");
        // A stride beyond the input takes one step, whatever its length; the layout of columns is as wide as a stride.
        return new ConvShape(x[0], x[1], x[2], x[3], w[0], w[2], w[3], (int)Math.Min(Stride.Height, height),
            (int)Math.Min(Stride.Width, width),
            Padding.Height, Padding.Width, Dilation.Height, Dilation.Width, Groups);
    }

    /// <summary>Refuses what fits no input.</summary>
    /// <exception cref="AdjointException">A number is out of range.</exception>
    internal void Check(string op)
    {
        if (Stride.Height < 1 || Stride.Width < 1 || Dilation.Height < 1 || Dilation.Width < 1 || Padding.Height < 0
            || Padding.Width < 0 || Groups < 1)
            throw new AdjointException(
                $"{op}: stride, dilation and groups must be positive, padding not negative: found stride {Stride}, "
                    + $"dilation {Dilation}, groups {Groups}, padding {Padding}");
    }

    /// <summary>Refuses a layer that could take no input at all.</summary>
    /// <exception cref="AdjointException">A number is not positive, or the groups do not divide the
    /// channels.</exception>
    internal void Check(string layer, int inputs, int outputs, Size2 kernel)
    {
        if (inputs < 1 || outputs < 1 || kernel.Height < 1 || kernel.Width < 1)
            throw new AdjointException(
                $"{layer}: channels and kernel must be positive: found {inputs} → {outputs}, kernel {kernel}");
        Check(layer);
        if (inputs % Groups != 0 || outputs % Groups != 0)
            throw new AdjointException(
                $"{layer}: the groups must divide the channels: found {Groups} groups for {inputs} → {outputs}");
    }

    /// <summary>Refuses rows and columns for which the convolution would have one output more.</summary>
    /// <exception cref="AdjointException">The output padding is not from 0 to below the stride.</exception>
    internal void CheckOutputPadding(string op, Size2 by)
    {
        if (by.Height < 0 || by.Width < 0 || by.Height >= Stride.Height || by.Width >= Stride.Width)
            throw new AdjointException(
                $"{op}: the output padding must be from 0 to below the stride {Stride}: found {by}");
    }

    /// <summary>The settings other than the defaults, for the name of a layer.</summary>
    public override string ToString() =>
        (Stride == 1 ? "" : $", stride {Stride}") + (Padding == 0 ? "" : $", padding {Padding}")
        + (Dilation == 1 ? "" : $", dilation {Dilation}") + (Groups == 1 ? "" : $", groups {Groups}");
}
