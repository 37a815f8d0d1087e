namespace Adjoint.Nn;

/// <summary>Zeros around the last two axes, as a module.</summary>
public sealed class ZeroPad2d : Layer
{
    private readonly Size2 padding;

    /// <summary>So many rows above and below, columns left and right.</summary>
    /// <exception cref="AdjointException">The padding is negative.</exception>
    public ZeroPad2d(Size2 padding) => this.padding = padding.Height >= 0 && padding.Width >= 0 ? padding : throw new AdjointException($"ZeroPad2d: the padding must not be negative: found {padding}");

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.PadZero(padding);

    /// <inheritdoc/>
    public override string ToString() => $"ZeroPad2d({padding})";
}

/// <summary>The image mirrored at its edges, as a module.</summary>
public sealed class ReflectionPad2d : Layer
{
    private readonly Size2 padding;

    /// <summary>So many rows above and below, columns left and right.</summary>
    /// <exception cref="AdjointException">The padding is negative.</exception>
    public ReflectionPad2d(Size2 padding) => this.padding = padding.Height >= 0 && padding.Width >= 0 ? padding : throw new AdjointException($"ReflectionPad2d: the padding must not be negative: found {padding}");

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.PadReflect(padding);

    /// <inheritdoc/>
    public override string ToString() => $"ReflectionPad2d({padding})";
}
