namespace Adjoint.Nn;

/// <summary>Max pooling: the largest element of each window, as a layer.</summary>
public sealed class MaxPool2d : Layer, ISavableModule<MaxPool2d>
{
    private readonly Size2 kernel, stride, padding;
    private readonly bool ceilMode;

    /// <summary>Creates a layer with windows of the given size. See <c>Tensor.MaxPool2d</c>.</summary>
    /// <param name="kernel">The height and width of a window, at most 256 elements.</param>
    /// <param name="stride">The step between windows; the kernel's size by default.</param>
    /// <param name="padding">
    /// Rows and columns of −∞ added on each side, at most half of the kernel; 0 by default.
    /// </param>
    /// <param name="ceilMode">
    /// Whether a last window that reaches beyond the edge counts: ⌈⌉ instead of ⌊⌋ in the shape rule.
    /// </param>
    /// <exception cref="AdjointException">
    /// A window holds none or over 256 elements, the stride is not positive, or the padding is more than half of the
    /// window.
    /// </exception>
    public MaxPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null, bool ceilMode = false)
    {
        (this.kernel, this.stride, this.padding, this.ceilMode) = (kernel, stride ?? kernel, padding ?? 0, ceilMode);
        PoolWindows.Check(this.kernel, this.stride, this.padding, "MaxPool2d");
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.MaxPool2d(kernel, stride, padding, ceilMode);

    /// <inheritdoc/>
    public override string ToString() => WindowText.Of("MaxPool2d", kernel, stride, padding);

    static MaxPool2d ISavableModule<MaxPool2d>.Create(ModuleSettings settings) => new(
        settings.Size("kernel"), settings.Size("stride"), settings.Size("padding"), settings.Flag("ceilMode"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.SetSize("kernel", kernel);
        settings.SetSize("stride", stride);
        settings.SetSize("padding", padding);
        settings.Set("ceilMode", ceilMode);
    }
}

/// <summary>Average pooling: the mean of each window, as a layer.</summary>
public sealed class AvgPool2d : Layer, ISavableModule<AvgPool2d>
{
    private readonly Size2 kernel, stride, padding;
    private readonly bool ceilMode;

    /// <summary>Creates a layer with windows of the given size. See <c>Tensor.AvgPool2d</c>.</summary>
    /// <param name="kernel">The height and width of a window, 1 or more.</param>
    /// <param name="stride">The step between windows; the kernel's size by default.</param>
    /// <param name="padding">Zeros added on each side, at most half of the kernel; 0 by default.</param>
    /// <param name="ceilMode">
    /// Whether a last window that reaches beyond the edge counts: ⌈⌉ instead of ⌊⌋ in the shape rule.
    /// </param>
    /// <exception cref="AdjointException">
    /// Window or stride are not positive, or the padding is more than half of the window.
    /// </exception>
    public AvgPool2d(Size2 kernel, Size2? stride = null, Size2? padding = null, bool ceilMode = false)
    {
        (this.kernel, this.stride, this.padding, this.ceilMode) = (kernel, stride ?? kernel, padding ?? 0, ceilMode);
        AveragingWindows.Check(this.kernel, this.stride, this.padding);
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.AvgPool2d(kernel, stride, padding, ceilMode);

    /// <inheritdoc/>
    public override string ToString() => WindowText.Of("AvgPool2d", kernel, stride, padding);

    static AvgPool2d ISavableModule<AvgPool2d>.Create(ModuleSettings settings) => new(
        settings.Size("kernel"), settings.Size("stride"), settings.Size("padding"), settings.Flag("ceilMode"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.SetSize("kernel", kernel);
        settings.SetSize("stride", stride);
        settings.SetSize("padding", padding);
        settings.Set("ceilMode", ceilMode);
    }
}

/// <summary>
/// Average pooling with windows chosen so that every image becomes one of the given size, as a layer.
/// </summary>
public sealed class AdaptiveAvgPool2d : Layer, ISavableModule<AdaptiveAvgPool2d>
{
    private readonly Size2 size;

    /// <summary>Creates a layer with outputs of the given size.</summary>
    /// <param name="size">The height and width of the output, 1 or more.</param>
    /// <exception cref="AdjointException">The size is not positive.</exception>
    public AdaptiveAvgPool2d(Size2 size)
    {
        if (size.Height < 1 || size.Width < 1)
            throw new AdjointException($"AdaptiveAvgPool2d: the size must be positive: found {size}");
        this.size = size;
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.AdaptiveAvgPool2d(size);

    /// <inheritdoc/>
    public override string ToString() => $"AdaptiveAvgPool2d({size})";

    static AdaptiveAvgPool2d ISavableModule<AdaptiveAvgPool2d>.Create(ModuleSettings settings) =>
        new(settings.Size("size"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.SetSize("size", size);
}

/// <summary>The mean over all positions, (n, c, h, w) → (n, c), as a layer.</summary>
public sealed class GlobalAvgPool2d : Layer, ISavableModule<GlobalAvgPool2d>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.GlobalAvgPool2d();

    static GlobalAvgPool2d ISavableModule<GlobalAvgPool2d>.Create(ModuleSettings settings) => new();
}

internal static class WindowText
{
    internal static string Of(string name, Size2 kernel, Size2 stride, Size2 padding) =>
        $"{name}({kernel}{(stride == kernel ? "" : $", stride {stride}")}"
        + $"{(padding == 0 ? "" : $", padding {padding}")})";
}
