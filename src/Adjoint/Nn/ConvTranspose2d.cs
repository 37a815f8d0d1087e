namespace Adjoint.Nn;

/// <summary>
/// 2-d transposed convolution, x (n, in, h, w) → y (n, out, (h − 1)·s − 2p + d·(k − 1) + outputPadding + 1, …). Weights
/// (in, out / groups, kh, kw) and bias begin as U(−a, a), a = 1/√((out / groups)·kh·kw), as in PyTorch's documentation
/// of <c>nn.ConvTranspose2d</c>, unless another initializer is given; then the bias begins as 0.
/// </summary>
public sealed class ConvTranspose2d : Layer, ISavableModule<ConvTranspose2d>
{
    private readonly ConvGeometry geometry;
    private readonly Size2 outputPadding;

    /// <summary>Creates a layer with the given numbers of channels.</summary>
    /// <param name="inputs">The number of input channels, 1 or more.</param>
    /// <param name="outputs">The number of output channels (filters), 1 or more.</param>
    /// <param name="kernel">The kernel's height and width, 1 or more.</param>
    /// <param name="options">Stride, padding and the like; null: the usual ones.</param>
    /// <exception cref="AdjointException">
    /// A number is not positive, the groups do not divide the channels, or the output padding is not from 0 to below
    /// the stride.
    /// </exception>
    public ConvTranspose2d(int inputs, int outputs, Size2 kernel, ConvTranspose2dOptions? options = null)
    {
        options ??= new();
        geometry = options.Geometry;
        geometry.Check("ConvTranspose2d", inputs, outputs, kernel);
        geometry.CheckOutputPadding("ConvTranspose2d", outputPadding = options.OutputPadding);
        (Inputs, Outputs, Kernel) = (inputs, outputs, kernel);
        Shape shape = (int[])[inputs, outputs / options.Groups, kernel.Height, kernel.Width];
        (Weight, var shift) =
            InitialValues.Of(shape, options.Bias ? outputs : 0, options.Initializer, options.Generator);
        AddParameter("weight", Weight);
        if (shift is not null) Bias = AddParameter("bias", shift);
    }

    /// <summary>The number of input channels.</summary>
    public int Inputs { get; }

    /// <summary>The number of output channels.</summary>
    public int Outputs { get; }

    /// <summary>The kernel's height and width.</summary>
    public Size2 Kernel { get; }

    /// <summary>The weights w (in, out / groups, kh, kw).</summary>
    public Tensor Weight { get; }

    /// <summary>The bias b (out); null without one.</summary>
    public Tensor? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) =>
        x.ConvTranspose2d(Weight, Bias, geometry.Stride, geometry.Padding, outputPadding, geometry.Dilation,
            geometry.Groups);

    /// <inheritdoc/>
    public override string ToString() => $"ConvTranspose2d({Inputs} → {Outputs}, {Kernel}{geometry})";

    static ConvTranspose2d ISavableModule<ConvTranspose2d>.Create(ModuleSettings settings) => new(
        settings.Integer("inputs"), settings.Integer("outputs"), settings.Size("kernel"), new()
        {
            Stride = settings.Size("stride"),
            Padding = settings.Size("padding"),
            Dilation = settings.Size("dilation"),
            Groups = settings.Integer("groups"),
            Bias = settings.Flag("bias"),
            OutputPadding = settings.Size("outputPadding"),
        });

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("inputs", Inputs);
        settings.Set("outputs", Outputs);
        settings.SetSize("kernel", Kernel);
        settings.SetSize("stride", geometry.Stride);
        settings.SetSize("padding", geometry.Padding);
        settings.SetSize("dilation", geometry.Dilation);
        settings.Set("groups", geometry.Groups);
        settings.Set("bias", Bias is not null);
        settings.SetSize("outputPadding", outputPadding);
    }
}
