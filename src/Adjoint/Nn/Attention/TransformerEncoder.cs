namespace Adjoint.Nn;

/// <summary>
/// A stack of <see cref="TransformerEncoderLayer"/>, x (n, t, width) → (n, t, width), and a norm at the end by choice.
/// Parameters are named as those of PyTorch's <c>nn.TransformerEncoder</c>: <c>layers.0.…</c>, <c>norm.…</c>. Unlike
/// there, where all layers begin as copies of one, each has initial values of its own.
/// </summary>
public sealed class TransformerEncoder : Layer, ISavableModule<TransformerEncoder>
{
    private readonly TransformerOptions options;
    private readonly ModuleList<TransformerEncoderLayer> layers;
    private readonly Layer? norm;

    /// <summary>Creates a stack of layers of the given width and number of heads.</summary>
    /// <param name="width">The size of the last axis, a multiple of the heads.</param>
    /// <param name="heads">The number of heads, 1 or more.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="options">The settings of all layers, and the final norm; null: the paper's.</param>
    /// <exception cref="AdjointException">A number is out of range, or the heads do not divide the width.</exception>
    public TransformerEncoder(int width, int heads, int layers, TransformerOptions? options = null)
    {
        this.options = options ??= new();
        if (layers < 1) throw new AdjointException($"{TypeName}: at least one layer is needed: found {layers}");
        this.layers = AddChild("layers", new ModuleList<TransformerEncoderLayer>());
        for (var i = 0; i < layers; i++) this.layers.Add(new(width, heads, options));
        if (options.HasFinalNorm) norm = AddChild("norm", options.CreateNorm(width));
    }

    /// <summary>The layers, the first one first applied.</summary>
    public IReadOnlyList<TransformerEncoderLayer> Layers => layers;

    /// <summary>Computes the output of the last layer, or of the norm after it.</summary>
    /// <param name="x">The sequence (n, t, width).</param>
    /// <param name="mask">Which positions a position sees, in each layer; null: all.</param>
    /// <returns>The output (n, t, width).</returns>
    /// <exception cref="AdjointException">Shapes or types do not fit.</exception>
    public Tensor Forward(Tensor x, AttentionMask? mask) =>
        Call([x, mask?.Mask, mask?.Lengths], () => Compute(x, mask));

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => Compute(x, null);

    private Tensor Compute(Tensor x, AttentionMask? mask)
    {
        foreach (var layer in layers) x = layer.Forward(x, mask);
        return norm is null ? x : norm.Forward(x);
    }

    static TransformerEncoder ISavableModule<TransformerEncoder>.Create(ModuleSettings settings) => new(
        settings.Integer("width"), settings.Integer("heads"), settings.Integer("layers"),
        TransformerOptions.Read(settings));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("width", layers[0].SelfAttention.Width);
        settings.Set("heads", layers[0].SelfAttention.Heads);
        settings.Set("layers", layers.Count);
        options.Describe(settings, layers[0].SelfAttention.Width);
    }
}
