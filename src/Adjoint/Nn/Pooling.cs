namespace Adjoint.Nn;

/// <summary>The largest of each window, as a module.</summary>
public sealed class MaxPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null, bool ceil = false) : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.MaxPool2d(kernel, stride, padding, ceil);

    /// <inheritdoc/>
    public override string ToString() => $"MaxPool2d({kernel})";
}

/// <summary>The mean of each window, as a module.</summary>
public sealed class AvgPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null) : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.AvgPool2d(kernel, stride, padding);

    /// <inheritdoc/>
    public override string ToString() => $"AvgPool2d({kernel})";
}

/// <summary>The mean over all positions: (n, c, h, w) → (n, c), as a module.</summary>
public sealed class GlobalAvgPool2d : Module
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.GlobalAvgPool2d();
}
