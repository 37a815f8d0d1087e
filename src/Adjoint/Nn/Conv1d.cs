namespace Adjoint.Nn;

/// <summary>
/// Convolution along one axis, x (n, in, w) → y (n, out, …). Weights (out, in / groups, k) and bias begin as those of <see cref="Conv2d"/>, with fan-in (in / groups)·k, as in PyTorch's
/// documentation of <c>nn.Conv1d</c>.
/// </summary>
public sealed class Conv1d : Layer
{
    private readonly ConvOptions options;
    private readonly int kernel;

    /// <summary>A layer with the given numbers of channels.</summary>
    /// <exception cref="AdjointException">A number is not positive, or the groups do not divide the channels.</exception>
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

    /// <summary>Channels of the input.</summary>
    public int Inputs { get; }

    /// <summary>Channels of the output.</summary>
    public int Outputs { get; }

    /// <summary>w (out, in / groups, k).</summary>
    public Tensor Weight { get; }

    /// <summary>b (out), or null.</summary>
    public Tensor? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x.Conv1d(Weight, Bias, options.Stride.Width, options.Padding.Width, options.Dilation.Width, options.Groups);

    /// <inheritdoc/>
    public override string ToString() => $"Conv1d({Inputs} → {Outputs}, {kernel}{options})";
}
