namespace Adjoint.Nn;

/// <summary>
/// 2-d convolution, x (n, in, h, w) → y (n, out, …). Weights (out, in / groups, kh, kw) begin as
/// <see cref="Initializer.Default"/> with fan-in (in / groups)·kh·kw, and the bias as U(−1/√fan-in, 1/√fan-in), as in
/// PyTorch's documentation of <c>nn.Conv2d</c>, unless another initializer is given; then the bias begins as 0.
/// </summary>
public sealed class Conv2d : Layer
{
    private readonly ConvOptions options;

    /// <summary>Creates a layer with the given numbers of channels.</summary>
    /// <param name="inputs">The number of input channels, 1 or more.</param>
    /// <param name="outputs">The number of output channels (filters), 1 or more.</param>
    /// <param name="kernel">The kernel's height and width, 1 or more.</param>
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
    public Conv2d(int inputs, int outputs, Size2 kernel, Size2? stride = null, Size2? padding = null, Size2? dilation = null, int groups = 1, bool bias = true, Initializer? initializer = null, Generator? generator = null)
    {
        options = new(stride ?? 1, padding ?? 0, dilation ?? 1, groups);
        options.Check("Conv2d", inputs, outputs, kernel);
        (Inputs, Outputs, Kernel) = (inputs, outputs, kernel);
        Shape shape = (int[])[outputs, inputs / groups, kernel.Height, kernel.Width];
        (Weight, var shift) = FirstValues.Of(shape, bias ? outputs : 0, initializer, generator);
        AddParameter("weight", Weight);
        if (shift is not null) Bias = AddParameter("bias", shift);
    }

    /// <summary>The number of input channels.</summary>
    public int Inputs { get; }

    /// <summary>The number of output channels.</summary>
    public int Outputs { get; }

    /// <summary>The kernel's height and width.</summary>
    public Size2 Kernel { get; }

    /// <summary>The weights w (out, in / groups, kh, kw).</summary>
    public Tensor Weight { get; }

    /// <summary>The bias b (out); null without one.</summary>
    public Tensor? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Conv2d(Weight, Bias, options.Stride, options.Padding, options.Dilation, options.Groups);

    /// <inheritdoc/>
    public override string ToString() => $"Conv2d({Inputs} → {Outputs}, {Kernel}{options})";
}
