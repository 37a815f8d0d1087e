namespace Adjoint.Nn;

/// <summary>
/// A layer of a transformer's encoder (Vaswani et al. 2017), x (n, t, width) → (n, t, width): self-attention, then a
/// feed-forward network at each position, each with a residual connection, dropout and a norm. With a causal mask, a
/// layer of a decoder-only language model. Parameters are named and laid out as those of PyTorch's
/// <c>nn.TransformerEncoderLayer</c>, and begin as them.
/// </summary>
public sealed class TransformerEncoderLayer : Layer, ISavableModule<TransformerEncoderLayer>
{
    private readonly TransformerOptions options;
    private readonly FeedForward feedForward;
    private readonly Layer norm1, norm2;
    private readonly Dropout dropout1;

    /// <summary>Creates a layer of the given width and number of heads.</summary>
    /// <param name="width">The size of the last axis, a multiple of the heads.</param>
    /// <param name="heads">The number of heads, 1 or more.</param>
    /// <param name="options">Feed-forward network, norms, dropout, positions; null: the paper's.</param>
    /// <exception cref="AdjointException">A number is out of range, or the heads do not divide the width.</exception>
    public TransformerEncoderLayer(int width, int heads, TransformerOptions? options = null)
    {
        this.options = options ??= new();
        SelfAttention = AddChild("self_attn", new MultiHeadAttention(width, heads, options.SelfAttention));
        var inner = options.InnerWidth(width);
        var linear1 = AddChild("linear1", new Linear(width, inner, generator: options.Generator));
        var dropout = AddChild("dropout", new Dropout(options.Dropout, options.Generator));
        var linear2 = AddChild("linear2", new Linear(inner, width, generator: options.Generator));
        norm1 = AddChild("norm1", options.CreateNorm(width));
        norm2 = AddChild("norm2", options.CreateNorm(width));
        dropout1 = AddChild("dropout1", new Dropout(options.Dropout, options.Generator));
        var dropout2 = AddChild("dropout2", new Dropout(options.Dropout, options.Generator));
        feedForward = new(linear1, options.Activation, dropout, linear2, dropout2);
    }

    /// <summary>The attention of the sequence to itself.</summary>
    public MultiHeadAttention SelfAttention { get; }

    /// <summary>Computes the layer's output.</summary>
    /// <param name="x">The sequence (n, t, width).</param>
    /// <param name="mask">Which positions a position sees; null: all.</param>
    /// <param name="cache">
    /// What was seen before, to which keys and values of x are added: x goes on from there. Null: x is all there is.
    /// </param>
    /// <returns>The output (n, t, width).</returns>
    /// <exception cref="AdjointException">Shapes or types do not fit, or the cache is full.</exception>
    public Tensor Forward(Tensor x, AttentionMask? mask, KeyValueCache? cache = null) =>
        Call([x, mask?.Mask, mask?.Lengths], () => Compute(x, mask, cache));

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => Compute(x, null, null);

    private Tensor Compute(Tensor x, AttentionMask? mask, KeyValueCache? cache)
    {
        if (options.IsPreNorm)
        {
            x += Attend(norm1.Forward(x));
            return x + feedForward.Forward(norm2.Forward(x));
        }
        x = norm1.Forward(x + Attend(x));
        return norm2.Forward(x + feedForward.Forward(x));

        Tensor Attend(Tensor y) => dropout1.Forward(SelfAttention.Forward(y, mask, cache));
    }

    static TransformerEncoderLayer ISavableModule<TransformerEncoderLayer>.Create(ModuleSettings settings) =>
        new(settings.Integer("width"), settings.Integer("heads"), TransformerOptions.Read(settings));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("width", SelfAttention.Width);
        settings.Set("heads", SelfAttention.Heads);
        options.Describe(settings, SelfAttention.Width);
    }
}
