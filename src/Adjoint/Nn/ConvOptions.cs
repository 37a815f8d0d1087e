namespace Adjoint.Nn;

/// <summary>The optional settings of a <see cref="Conv1d"/>; those left out are the usual ones.</summary>
public sealed record Conv1dOptions
{
    /// <summary>The step between windows, 1 or more; 1 by default.</summary>
    public int Stride { get; init; } = 1;

    /// <summary>The zeros added on each side, 0 or more; 0 by default.</summary>
    public int Padding { get; init; }

    /// <summary>The distance between the kernel's elements, 1 or more; 1 by default.</summary>
    public int Dilation { get; init; } = 1;

    /// <summary>
    /// The number of groups of channels that are convolved apart; it divides both numbers of channels. 1 by default.
    /// </summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether a bias is added to each output channel, as by default.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>The initializer of the weights; null: the default of PyTorch, for the bias too.</summary>
    public Initializer? Initializer { get; init; }

    /// <summary>The random stream for the initial values; null: <see cref="Generator.Default"/>.</summary>
    public Generator? Generator { get; init; }
}

/// <summary>The optional settings of a <see cref="Conv2d"/>; those left out are the usual ones.</summary>
public record Conv2dOptions
{
    /// <summary>The step between windows, 1 or more; 1 by default.</summary>
    public Size2 Stride { get; init; } = 1;

    /// <summary>
    /// The zeros added on each side, 0 or more; 0 by default. A <see cref="ConvTranspose2d"/> cuts as many rows and
    /// columns off its output.
    /// </summary>
    public Size2 Padding { get; init; }

    /// <summary>The distance between the kernel's elements, 1 or more; 1 by default.</summary>
    public Size2 Dilation { get; init; } = 1;

    /// <summary>
    /// The number of groups of channels that are convolved apart; it divides both numbers of channels. 1 by default.
    /// </summary>
    public int Groups { get; init; } = 1;

    /// <summary>Whether a bias is added to each output channel, as by default.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>The initializer of the weights; null: the default of PyTorch, for the bias too.</summary>
    public Initializer? Initializer { get; init; }

    /// <summary>The random stream for the initial values; null: <see cref="Generator.Default"/>.</summary>
    public Generator? Generator { get; init; }

    internal ConvGeometry Geometry => new(Stride, Padding, Dilation, Groups);
}

/// <summary>The optional settings of a <see cref="ConvTranspose2d"/>; those left out are the usual ones.</summary>
public sealed record ConvTranspose2dOptions : Conv2dOptions
{
    /// <summary>
    /// Rows and columns added at the end of each axis of the output, less than the stride; 0 by default.
    /// </summary>
    public Size2 OutputPadding { get; init; }
}
