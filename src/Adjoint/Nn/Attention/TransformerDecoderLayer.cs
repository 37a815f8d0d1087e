namespace Adjoint.Nn;

/// <summary>
/// A layer of a transformer's decoder (Vaswani et al. 2017), x (n, t, width) → (n, t, width): self-attention, attention
/// to a memory (n, s, width), which is an encoder's output, then a feed-forward network at each position, each with a
/// residual connection, dropout and a norm. Parameters are named and laid out as those of PyTorch's
/// <c>nn.TransformerDecoderLayer</c>, and begin as them.
/// </summary>
public sealed class TransformerDecoderLayer : Module, ISavableModule<TransformerDecoderLayer>
{
    private readonly TransformerOptions options;
    private readonly FeedForward feedForward;
    private readonly Layer norm1, norm2, norm3;
    private readonly Dropout dropout1, dropout2;

    /// <summary>Creates a layer of the given width and number of heads.</summary>
    /// <param name="width">The size of the last axis, a multiple of the heads.</param>
    /// <param name="heads">The number of heads of both attentions, 1 or more.</param>
    /// <param name="options">Feed-forward network, norms, dropout, positions; null: the paper's.</param>
    /// <exception cref="AdjointException">A number is out of range, or the heads do not divide the width.</exception>
    public TransformerDecoderLayer(int width, int heads, TransformerOptions? options = null)
    {
        this.options = options ??= new();
        SelfAttention = AddChild("self_attn", new MultiHeadAttention(width, heads, options.SelfAttention));
        CrossAttention = AddChild("multihead_attn", new MultiHeadAttention(width, heads, options.CrossAttention));
        var inner = options.InnerWidth(width);
        var linear1 = AddChild("linear1", new Linear(width, inner, generator: options.Generator));
        var dropout = AddChild("dropout", new Dropout(options.Dropout, options.Generator));
        var linear2 = AddChild("linear2", new Linear(inner, width, generator: options.Generator));
        norm1 = AddChild("norm1", options.CreateNorm(width));
        norm2 = AddChild("norm2", options.CreateNorm(width));
        norm3 = AddChild("norm3", options.CreateNorm(width));
        dropout1 = AddChild("dropout1", new Dropout(options.Dropout, options.Generator));
        dropout2 = AddChild("dropout2", new Dropout(options.Dropout, options.Generator));
        var dropout3 = AddChild("dropout3", new Dropout(options.Dropout, options.Generator));
        feedForward = new(linear1, options.Activation, dropout, linear2, dropout3);
    }

    /// <summary>The attention of the sequence to itself.</summary>
    public MultiHeadAttention SelfAttention { get; }

    /// <summary>The attention of the sequence to the memory.</summary>
    public MultiHeadAttention CrossAttention { get; }

    /// <summary>Computes the layer's output.</summary>
    /// <param name="x">The sequence (n, t, width).</param>
    /// <param name="memory">What it attends to besides itself (n, s, width).</param>
    /// <param name="mask">
    /// Which positions of x a position sees, for a language <see cref="AttentionMask.Causal"/>; null: all.
    /// </param>
    /// <param name="memoryMask">Which positions of the memory a position of x sees; null: all.</param>
    /// <param name="cache">
    /// What was seen of the sequence before, to which keys and values of x are added. Null: x is all there is.
    /// </param>
    /// <returns>The output (n, t, width).</returns>
    /// <exception cref="AdjointException">Shapes or types do not fit, or the cache is full.</exception>
    public Tensor Forward(
        Tensor x, Tensor memory, AttentionMask? mask = null, AttentionMask? memoryMask = null,
        KeyValueCache? cache = null) =>
        Call([x, memory, mask?.Mask, mask?.Lengths, memoryMask?.Mask, memoryMask?.Lengths],
            () => Compute(x, memory, mask, memoryMask, cache));

    private Tensor Compute(
        Tensor x, Tensor memory, AttentionMask? mask, AttentionMask? memoryMask, KeyValueCache? cache)
    {
        if (options.IsPreNorm)
        {
            x += Attend(norm1.Forward(x));
            x += AttendToMemory(norm2.Forward(x));
            return x + feedForward.Forward(norm3.Forward(x));
        }
        x = norm1.Forward(x + Attend(x));
        x = norm2.Forward(x + AttendToMemory(x));
        return norm3.Forward(x + feedForward.Forward(x));

        Tensor Attend(Tensor y) => dropout1.Forward(SelfAttention.Forward(y, mask, cache));

        Tensor AttendToMemory(Tensor y) =>
            dropout2.Forward(CrossAttention.Forward(y, memory, memory, memoryMask));
    }

    static TransformerDecoderLayer ISavableModule<TransformerDecoderLayer>.Create(ModuleSettings settings) =>
        new(settings.Integer("width"), settings.Integer("heads"), TransformerOptions.Read(settings));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("width", SelfAttention.Width);
        settings.Set("heads", SelfAttention.Heads);
        options.Describe(settings, SelfAttention.Width);
    }
}
