namespace Adjoint.Nn;

/// <summary>
/// Convolution, x (n, in, h, w) → y (n, out, …). Weights (out, in / groups, k, k) begin as <see cref="Initializer.Default"/> with fan-in (in / groups)·k·k, and the bias as
/// U(−1/√fan-in, 1/√fan-in), as in PyTorch's documentation of <c>nn.Conv2d</c>, unless another initialiser is given; then the bias begins as 0.
/// </summary>
public sealed class Conv2d : Module
{
    private readonly Size2 stride, padding, dilation;
    private readonly int groups;

    /// <summary>A layer with the given numbers of channels.</summary>
    /// <exception cref="AdjointException">A number is not positive, or the groups do not divide the channels.</exception>
    public Conv2d(int inputs, int outputs, Size2 kernel, Size2? stride = null, Size2? padding = null, Size2? dilation = null, int groups = 1, bool bias = true, Initializer? initializer = null, Generator? generator = null)
    {
        (this.stride, this.padding, this.dilation, this.groups) = (stride ?? 1, padding ?? 0, dilation ?? 1, groups);
        if (inputs < 1 || outputs < 1 || kernel.Height < 1 || kernel.Width < 1)
            throw new AdjointException($"Conv2d: channels and kernel must be positive: found {inputs} → {outputs}, kernel {kernel}");
        if (groups < 1 || inputs % groups != 0 || outputs % groups != 0)
            throw new AdjointException($"Conv2d: the groups must divide the channels: found {groups} groups for {inputs} → {outputs}");
        if (this.stride.Height < 1 || this.stride.Width < 1 || this.dilation.Height < 1 || this.dilation.Width < 1 || this.padding.Height < 0 || this.padding.Width < 0)
            throw new AdjointException($"Conv2d: stride and dilation must be positive, padding not negative: found stride {this.stride}, dilation {this.dilation}, padding {this.padding}");
        var random = generator ?? Generator.Default;
        var fanIn = inputs / groups * kernel.Height * kernel.Width;
        (Inputs, Outputs, Kernel) = (inputs, outputs, kernel);
        using var _ = new NoGrad();
        Weight = AddParameter("weight", (initializer ?? Initializer.Default).Create(outputs, fanIn, random).Reshape(outputs, inputs / groups, kernel.Height, kernel.Width).Clone());
        if (!bias) return;
        var limit = initializer is null ? 1 / Math.Sqrt(fanIn) : 0;
        Bias = AddParameter("bias", limit == 0 ? Tensor.Zeros(outputs) : Tensor.Rand([outputs], random).Affine(2 * limit, -limit));
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
    protected override Tensor ForwardCore(Tensor x) => x.Conv2d(Weight, Bias, stride, padding, dilation, groups);

    /// <inheritdoc/>
    public override string ToString() => $"Conv2d({Inputs} → {Outputs}, {Kernel}{(stride == 1 ? "" : $", stride {stride}")}{(padding == 0 ? "" : $", padding {padding}")}{(groups == 1 ? "" : $", groups {groups}")})";
}
