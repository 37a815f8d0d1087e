namespace Adjoint.Nn;

/// <summary>What a feed-forward network has between its two linear layers.</summary>
public enum FeedForwardActivation
{
    /// <summary>max(0, x), as in the paper.</summary>
    Relu,

    /// <summary>x·Φ(x), with the normal distribution function Φ.</summary>
    Gelu,

    /// <summary>The approximation of <see cref="Gelu"/> by tanh, as in GPT-2.</summary>
    GeluTanh,

    /// <summary>x·σ(x), with the logistic function σ.</summary>
    Silu,
}

/// <summary>How the layers of a transformer normalize.</summary>
public enum NormKind
{
    /// <summary><see cref="LayerNorm"/>: by mean and variance.</summary>
    Layer,

    /// <summary><see cref="RmsNorm"/>: by the root mean square.</summary>
    Rms,
}

/// <summary>
/// The optional settings of <see cref="TransformerEncoderLayer"/>, <see cref="TransformerDecoderLayer"/> and stacks of
/// them; those left out are the paper's and PyTorch's.
/// </summary>
public sealed record TransformerOptions
{
    /// <summary>The width of the feed-forward network, 1 or more; null: 4 · width.</summary>
    public int? FeedForward { get; init; }

    /// <summary>
    /// The probability of dropping attention weights, hidden features of the feed-forward network, and features of what
    /// either of the two adds, in [0, 1); 0.1 by default.
    /// </summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>The activation of the feed-forward network; ReLU by default.</summary>
    public FeedForwardActivation Activation { get; init; }

    /// <summary>
    /// Whether each part normalizes its input, x + f(norm(x)), which trains deep stacks without a warm-up (Xiong et al.
    /// 2020), instead of the sum, norm(x + f(x)), as in the paper. PyTorch's <c>norm_first</c>.
    /// </summary>
    public bool IsPreNorm { get; init; }

    /// <summary>The kind of the norms; layer normalization by default.</summary>
    public NormKind Norm { get; init; }

    /// <summary>The number ε of the norms, above 0; null: theirs.</summary>
    public double? Epsilon { get; init; }

    /// <summary>
    /// Whether a stack ends with a norm, which it should where its layers are pre-norm. PyTorch's <c>norm</c>.
    /// </summary>
    public bool HasFinalNorm { get; init; }

    /// <summary>
    /// The number of heads of keys and values in self-attention; null: one for each head. See
    /// <see cref="MultiHeadAttentionOptions.KeyValueHeads"/>.
    /// </summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>
    /// The base θ of rotary positions in self-attention; null: none. See
    /// <see cref="MultiHeadAttentionOptions.RotaryTheta"/>.
    /// </summary>
    public double? RotaryTheta { get; init; }

    /// <summary>
    /// Whether self-attention has ALiBi's slopes. See <see cref="MultiHeadAttentionOptions.HasAlibi"/>.
    /// </summary>
    public bool HasAlibi { get; init; }

    /// <summary>
    /// The random stream for initial values and dropout; null: <see cref="Generator.Default"/>.
    /// </summary>
    public Generator? Generator { get; init; }

    internal MultiHeadAttentionOptions SelfAttention => CrossAttention with
    {
        KeyValueHeads = KeyValueHeads,
        RotaryTheta = RotaryTheta,
        HasAlibi = HasAlibi,
    };

    internal MultiHeadAttentionOptions CrossAttention => new() { Dropout = Dropout, Generator = Generator };

    // Of the feed-forward network.
    internal int InnerWidth(int width) => FeedForward ?? (int)Math.Min(int.MaxValue, 4L * width);

    internal Layer CreateNorm(int width) => Norm switch
    {
        NormKind.Layer => Epsilon is { } epsilon ? new LayerNorm([width], epsilon) : new LayerNorm([width]),
        NormKind.Rms => Epsilon is { } epsilon ? new RmsNorm([width], epsilon) : new RmsNorm([width]),
        _ => throw new AdjointException($"TransformerOptions: no kind of norm is {(int)Norm}"),
    };

    internal static TransformerOptions Read(ModuleSettings settings) => new()
    {
        FeedForward = settings.Integer("feedForward"),
        Dropout = settings.Number("dropout"),
        Activation = Named<FeedForwardActivation>(settings, "activation"),
        IsPreNorm = settings.Flag("preNorm"),
        Norm = Named<NormKind>(settings, "norm"),
        Epsilon = settings.Has("epsilon") ? settings.Number("epsilon") : null,
        HasFinalNorm = settings.Has("finalNorm") && settings.Flag("finalNorm"),
        KeyValueHeads = settings.Has("keyValueHeads") ? settings.Integer("keyValueHeads") : null,
        RotaryTheta = settings.Has("rotaryTheta") ? settings.Number("rotaryTheta") : null,
        HasAlibi = settings.Flag("alibi"),
    };

    internal void Describe(ModuleSettings settings, int width)
    {
        settings.Set("feedForward", InnerWidth(width));
        settings.Set("dropout", Dropout);
        settings.Set("activation", Activation.ToString());
        settings.Set("preNorm", IsPreNorm);
        settings.Set("norm", Norm.ToString());
        if (Epsilon is { } epsilon) settings.Set("epsilon", epsilon);
        if (HasFinalNorm) settings.Set("finalNorm", true);
        if (KeyValueHeads is { } heads) settings.Set("keyValueHeads", heads);
        if (RotaryTheta is { } theta) settings.Set("rotaryTheta", theta);
        settings.Set("alibi", HasAlibi);
    }

    internal static T Named<T>(ModuleSettings settings, string name) where T : struct, Enum =>
        Enum.TryParse<T>(settings.Text(name), out var value) && Enum.IsDefined(value)
            ? value
            : throw new AdjointException(
                $"{typeof(T).Name}: setting '{name}' must be one of {string.Join(", ", Enum.GetNames<T>())}: found "
                + $"'{settings.Text(name)}'");
}
