namespace Adjoint.Nn;

/// <summary>
/// 1-d convolution, x (n, in, w) → y (n, out, …). Weights (out, in / groups, k) and bias begin as those of
/// <see cref="Conv2d"/>, with fan-in (in / groups)·k, as in PyTorch's documentation of <c>nn.Conv1d</c>.
/// </summary>
public sealed class Conv1d : Layer
{
    private readonly ConvOptions options;
    private readonly int kernel;

    /// <summary>Creates a layer with the given numbers of channels.</summary>
    /// <param name="inputs">The number of input channels, 1 or more.</param>
    /// <param name="outputs">The number of output channels (filters), 1 or more.</param>
    /// <param name="kernel">The width of the kernel, 1 or more.</param>
    /// <param name="stride">The step between windows, 1 or more; 1 by default.</param>
    /// <param name="padding">The zeros added on each side, 0 or more; 0 by default.</param>
    /// <param name="dilation">The distance between the kernel's elements, 1 or more; 1 by default.</param>
    /// <param name="groups">
    /// The number of groups of channels that are convolved apart; it divides both numbers of channels.
    /// </param>
    /// <param name="bias">Whether a bias is added to each output channel.</param>
    /// <param name="initializer">
    /// The initializer of the weights; null: the default of PyTorch, for the bias too.
    /// </param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">
    /// A number is not positive, or the groups do not divide the channels.
    /// </exception>
    public Conv1d(int inputs, int outputs, int kernel, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true, Initializer? initializer = null, Generator? generator = null)
    {
        options = new(stride, padding, dilation, groups);
        options.Check("Conv1d", inputs, outputs, kernel);
        (Inputs, Outputs, this.kernel) = (inputs, outputs, kernel);
        Shape shape = (int[])[outputs, inputs / groups, kernel];
        (Weight, var shift) = FirstValues.Of(shape, bias ? outputs : 0, initializer, generator);
        AddParameter("weight", Weight);
        if (shift is not null) Bias = AddParameter("bias", shift);
    }

    /// <summary>The number of input channels.</summary>
    public int Inputs { get; }

    /// <summary>The number of output channels.</summary>
    public int Outputs { get; }

    /// <summary>The weights w (out, in / groups, k).</summary>
    public Tensor Weight { get; }

    /// <summary>The bias b (out); null without one.</summary>
    public Tensor? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Conv1d(Weight, Bias, options.Stride.Width, options.Padding.Width, options.Dilation.Width, options.Groups);

    /// <inheritdoc/>
    public override string ToString() => $"Conv1d({Inputs} → {Outputs}, {kernel}{options})";
}
