namespace Adjoint.Nn;

/// <summary>
/// 1-d convolution, x (n, in, w) → y (n, out, …). Weights (out, in / groups, k) and bias begin as those of
/// <see cref="Conv2d"/>, with fan-in (in / groups)·k, as in PyTorch's documentation of <c>nn.Conv1d</c>.
/// </summary>
public sealed class Conv1d : Layer, ISavableModule<Conv1d>
{
    private readonly ConvGeometry geometry;
    private readonly int kernel;

    /// <summary>Creates a layer with the given numbers of channels.</summary>
    /// <param name="inputs">The number of input channels, 1 or more.</param>
    /// <param name="outputs">The number of output channels (filters), 1 or more.</param>
    /// <param name="kernel">The width of the kernel, 1 or more.</param>
    /// <param name="options">Stride, padding and the like; null: the usual ones.</param>
    /// <exception cref="AdjointException">
    /// A number is not positive, or the groups do not divide the channels.
    /// </exception>
    public Conv1d(int inputs, int outputs, int kernel, Conv1dOptions? options = null)
    {
        options ??= new();
        geometry = new(options.Stride, options.Padding, options.Dilation, options.Groups);
        geometry.Check("Conv1d", inputs, outputs, kernel);
        (Inputs, Outputs, this.kernel) = (inputs, outputs, kernel);
        Shape shape = (int[])[outputs, inputs / options.Groups, kernel];
        (Weight, var shift) =
            InitialValues.Of(shape, options.Bias ? outputs : 0, options.Initializer, options.Generator);
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
    protected override Tensor ForwardCore(Tensor x) =>
        x.Conv1d(Weight, Bias, geometry.Stride.Width, geometry.Padding.Width, geometry.Dilation.Width, geometry.Groups);

    /// <inheritdoc/>
    public override string ToString() => $"Conv1d({Inputs} → {Outputs}, {kernel}{geometry})";

    static Conv1d ISavableModule<Conv1d>.Create(ModuleSettings settings) => new(
        settings.Integer("inputs"), settings.Integer("outputs"), settings.Integer("kernel"), new()
        {
            Stride = settings.Integer("stride"),
            Padding = settings.Integer("padding"),
            Dilation = settings.Integer("dilation"),
            Groups = settings.Integer("groups"),
            Bias = settings.Flag("bias"),
        });

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("inputs", Inputs);
        settings.Set("outputs", Outputs);
        settings.Set("kernel", kernel);
        settings.Set("stride", geometry.Stride.Width);
        settings.Set("padding", geometry.Padding.Width);
        settings.Set("dilation", geometry.Dilation.Width);
        settings.Set("groups", geometry.Groups);
        settings.Set("bias", Bias is not null);
    }
}
