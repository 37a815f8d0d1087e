namespace Adjoint.Nn;

/// <summary>
/// Transposed convolution, x (n, in, h, w) → y (n, out, (h − 1)·s − 2p + d·(k − 1) + outputPadding + 1, …). Weights (in, out / groups, k, k) and bias begin as
/// U(−a, a), a = 1/√((out / groups)·k·k), as in PyTorch's documentation of <c>nn.ConvTranspose2d</c>, unless another initialiser is given; then the bias begins as 0.
/// </summary>
public sealed class ConvTranspose2d : Layer
{
    private readonly ConvOptions options;
    private readonly Size2 outputPadding;

    /// <summary>A layer with the given numbers of channels.</summary>
    /// <exception cref="AdjointException">A number is not positive, the groups do not divide the channels, or the output padding is not from 0 to below the stride.</exception>
    public ConvTranspose2d(int inputs, int outputs, Size2 kernel, Size2? stride = null, Size2? padding = null, Size2? outputPadding = null, Size2? dilation = null, int groups = 1, bool bias = true, Initializer? initializer = null, Generator? generator = null)
    {
        options = new(stride ?? 1, padding ?? 0, dilation ?? 1, groups);
        options.Check("ConvTranspose2d", inputs, outputs, kernel);
        options.CheckOutputPadding("ConvTranspose2d", this.outputPadding = outputPadding ?? 0);
        (Inputs, Outputs, Kernel) = (inputs, outputs, kernel);
        Shape shape = (int[])[inputs, outputs / groups, kernel.Height, kernel.Width];
        (Weight, var shift) = FirstValues.Of(shape, bias ? outputs : 0, initializer, generator);
        AddParameter("weight", Weight);
        if (shift is not null) Bias = AddParameter("bias", shift);
    }

    /// <summary>Channels of the input.</summary>
    public int Inputs { get; }

    /// <summary>Channels of the output.</summary>
    public int Outputs { get; }

    /// <summary>The kernel's height and width.</summary>
    public Size2 Kernel { get; }

    /// <summary>w (in, out / groups, kh, kw).</summary>
    public Tensor Weight { get; }

    /// <summary>b (out), or null.</summary>
    public Tensor? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.ConvTranspose2d(Weight, Bias, options.Stride, options.Padding, outputPadding, options.Dilation, options.Groups);

    /// <inheritdoc/>
    public override string ToString() => $"ConvTranspose2d({Inputs} → {Outputs}, {Kernel}{options})";
}
