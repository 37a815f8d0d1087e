namespace Adjoint.Nn;

/// <summary>The largest of each window, as a module.</summary>
public sealed class MaxPool2d : Layer
{
    private readonly Size2 kernel, stride, padding;
    private readonly bool ceil;

    /// <summary>Windows of a size; without a stride they lie side by side. See <c>Tensor.MaxPool2d</c>.</summary>
    /// <exception cref="AdjointException">A window holds none or over 256 elements, the stride is not positive, or the padding is more than half of the window.</exception>
    public MaxPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null, bool ceil = false)
    {
        (this.kernel, this.stride, this.padding, this.ceil) = (kernel, stride ?? kernel, padding ?? 0, ceil);
        PoolWindows.Check(this.kernel, this.stride, this.padding, "MaxPool2d");
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.MaxPool2d(kernel, stride, padding, ceil);

    /// <inheritdoc/>
    public override string ToString() => WindowText.Of("MaxPool2d", kernel, stride, padding);
}

/// <summary>The mean of each window, as a module.</summary>
public sealed class AvgPool2d : Layer
{
    private readonly Size2 kernel, stride, padding;
    private readonly bool ceil;

    /// <summary>Windows of a size; without a stride they lie side by side. See <c>Tensor.AvgPool2d</c>.</summary>
    /// <exception cref="AdjointException">Window or stride are not positive, or the padding is more than half of the window.</exception>
    public AvgPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null, bool ceil = false)
    {
        (this.kernel, this.stride, this.padding, this.ceil) = (kernel, stride ?? kernel, padding ?? 0, ceil);
        AveragingWindows.Check(this.kernel, this.stride, this.padding);
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.AvgPool2d(kernel, stride, padding, ceil);

    /// <inheritdoc/>
    public override string ToString() => WindowText.Of("AvgPool2d", kernel, stride, padding);
}

/// <summary>Means of windows chosen so that every image becomes one of a given size, as a module.</summary>
public sealed class AdaptiveAvgPool2d : Layer
{
    private readonly Size2 size;

    /// <summary>To a size.</summary>
    /// <exception cref="AdjointException">The size is not positive.</exception>
    public AdaptiveAvgPool2d(Size2 size)
    {
        if (size.Height < 1 || size.Width < 1) throw new AdjointException($"AdaptiveAvgPool2d: the size must be positive: found {size}");
        this.size = size;
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.AdaptiveAvgPool2d(size);

    /// <inheritdoc/>
    public override string ToString() => $"AdaptiveAvgPool2d({size})";
}

/// <summary>The mean over all positions: (n, c, h, w) → (n, c), as a module.</summary>
public sealed class GlobalAvgPool2d : Layer
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.GlobalAvgPool2d();
}

internal static class WindowText
{
    internal static string Of(string name, Size2 kernel, Size2 stride, Size2 padding) => $"{name}({kernel}{(stride == kernel ? "" : $", stride {stride}")}{(padding == 0 ? "" : $", padding {padding}")})";
}
