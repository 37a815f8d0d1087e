namespace Adjoint.Nn;

/// <summary>Adds zeros around the last two axes, as a layer.</summary>
public sealed class ZeroPad2d : Layer, ISavableModule<ZeroPad2d>
{
    private readonly Size2 padding;

    /// <summary>Creates a layer that pads both sides of each axis.</summary>
    /// <param name="padding">The rows above and below, and the columns left and right.</param>
    /// <exception cref="AdjointException">The padding is negative.</exception>
    public ZeroPad2d(Size2 padding) => this.padding = padding.Height >= 0 && padding.Width >= 0
        ? padding
        : throw new AdjointException($"ZeroPad2d: the padding must not be negative: found {padding}");

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.PadZero(padding);

    /// <inheritdoc/>
    public override string ToString() => $"ZeroPad2d({padding})";

    static ZeroPad2d ISavableModule<ZeroPad2d>.Create(ModuleSettings settings) => new(settings.Size("padding"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.SetSize("padding", padding);
}

/// <summary>Mirrors the last two axes at their edges, as a layer.</summary>
public sealed class ReflectionPad2d : Layer, ISavableModule<ReflectionPad2d>
{
    private readonly Size2 padding;

    /// <summary>Creates a layer that pads both sides of each axis.</summary>
    /// <param name="padding">The rows above and below, and the columns left and right; each less than its axis.</param>
    /// <exception cref="AdjointException">The padding is negative.</exception>
    public ReflectionPad2d(Size2 padding) => this.padding = padding.Height >= 0 && padding.Width >= 0
        ? padding
        : throw new AdjointException($"ReflectionPad2d: the padding must not be negative: found {padding}");

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.PadReflect(padding);

    /// <inheritdoc/>
    public override string ToString() => $"ReflectionPad2d({padding})";

    static ReflectionPad2d ISavableModule<ReflectionPad2d>.Create(ModuleSettings settings) =>
        new(settings.Size("padding"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.SetSize("padding", padding);
}
