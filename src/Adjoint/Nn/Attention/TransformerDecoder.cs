namespace Adjoint.Nn;

/// <summary>
/// A stack of <see cref="TransformerDecoderLayer"/>, x (n, t, width) and memory (n, s, width) → (n, t, width), and a
/// norm at the end by choice. Parameters are named as those of PyTorch's <c>nn.TransformerDecoder</c>:
/// <c>layers.0.…</c>, <c>norm.…</c>. Unlike there, where all layers begin as copies of one, each has initial values of
/// its own.
/// </summary>
public sealed class TransformerDecoder : Module, ISavableModule<TransformerDecoder>
{
    private readonly TransformerOptions options;
    private readonly ModuleList<TransformerDecoderLayer> layers;
    private readonly Layer? norm;

    /// <summary>Creates a stack of layers of the given width and number of heads.</summary>
    /// <param name="width">The size of the last axis, a multiple of the heads.</param>
    /// <param name="heads">The number of heads of all attentions, 1 or more.</param>
    /// <param name="layers">The number of layers, 1 or more.</param>
    /// <param name="options">The settings of all layers, and the final norm; null: the paper's.</param>
    /// <exception cref="AdjointException">A number is out of range, or the heads do not divide the width.</exception>
    public TransformerDecoder(int width, int heads, int layers, TransformerOptions? options = null)
    {
        this.options = options ??= new();
        if (layers < 1) throw new AdjointException($"{TypeName}: at least one layer is needed: found {layers}");
        this.layers = AddChild("layers", new ModuleList<TransformerDecoderLayer>());
        for (var i = 0; i < layers; i++) this.layers.Add(new(width, heads, options));
        if (options.HasFinalNorm) norm = AddChild("norm", options.CreateNorm(width));
    }

    /// <summary>The layers, the first one first applied.</summary>
    public IReadOnlyList<TransformerDecoderLayer> Layers => layers;

    /// <summary>Computes the output of the last layer, or of the norm after it.</summary>
    /// <param name="x">The sequence (n, t, width).</param>
    /// <param name="memory">What it attends to besides itself (n, s, width).</param>
    /// <param name="mask">
    /// Which positions of x a position sees, for a language <see cref="AttentionMask.Causal"/>; null: all.
    /// </param>
    /// <param name="memoryMask">Which positions of the memory a position of x sees; null: all.</param>
    /// <param name="caches">
    /// One for each layer, made by <see cref="MultiHeadAttention.CreateCache"/> of its self-attention: x goes on from
    /// there. Null: x is all there is.
    /// </param>
    /// <returns>The output (n, t, width).</returns>
    /// <exception cref="AdjointException">
    /// Shapes or types do not fit, there is not one cache for each layer, or one is full.
    /// </exception>
    public Tensor Forward(
        Tensor x, Tensor memory, AttentionMask? mask = null, AttentionMask? memoryMask = null,
        IReadOnlyList<KeyValueCache>? caches = null) =>
        Call([x, memory, mask?.Mask, mask?.Lengths, memoryMask?.Mask, memoryMask?.Lengths],
            () => Compute(x, memory, mask, memoryMask, caches));

    private Tensor Compute(
        Tensor x, Tensor memory, AttentionMask? mask, AttentionMask? memoryMask,
        IReadOnlyList<KeyValueCache>? caches)
    {
        if (caches is not null && caches.Count != layers.Count)
            throw new AdjointException(
                $"{TypeName}: one cache for each of {layers.Count} layers is needed: found {caches.Count}");
        for (var i = 0; i < layers.Count; i++) x = layers[i].Forward(x, memory, mask, memoryMask, caches?[i]);
        return norm is null ? x : norm.Forward(x);
    }

    static TransformerDecoder ISavableModule<TransformerDecoder>.Create(ModuleSettings settings) => new(
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
