namespace Adjoint.Nn;

/// <summary>
/// Convolution, x (n, in, h, w) → y (n, out, …). Weights (out, in / groups, k, k) begin as <see cref="Initializer.Default"/> with fan-in (in / groups)·k·k, and the bias as
/// U(−1/√fan-in, 1/√fan-in), as in PyTorch's documentation of <c>nn.Conv2d</c>, unless another initialiser is given; then the bias begins as 0.
/// </summary>
public sealed class Conv2d : Layer
{
    private readonly ConvOptions options;

    /// <summary>A layer with the given numbers of channels.</summary>
    /// <exception cref="AdjointException">A number is not positive, or the groups do not divide the channels.</exception>
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

    /// <summary>Channels of the input.</summary>
    public int Inputs { get; }

    /// <summary>Channels of the output.</summary>
    public int Outputs { get; }

    /// <summary>The kernel's height and width.</summary>
    public Size2 Kernel { get; }

    /// <summary>w (out, in / groups, kh, kw).</summary>
    public Tensor Weight { get; }

    /// <summary>b (out), or null.</summary>
    public Tensor? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Conv2d(Weight, Bias, options.Stride, options.Padding, options.Dilation, options.Groups);

    /// <inheritdoc/>
    public override string ToString() => $"Conv2d({Inputs} → {Outputs}, {Kernel}{options})";
}
