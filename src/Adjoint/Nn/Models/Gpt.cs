namespace Adjoint.Nn;

/// <summary>
/// A decoder-only transformer, the language model of GPT-2 (Radford et al. 2019): tokens (n, t) int64 → logits (n, t,
/// vocabulary). Vectors of tokens and positions, a stack of causal pre-norm layers, a norm, and the output layer, whose
/// weights are those of the tokens unless <see cref="GptOptions.IsTied"/> is false. Weights begin as in GPT-2: N(0,
/// 0.02²), those of the projections that add to the residual stream divided by √(2·layers); biases 0.
/// </summary>
public sealed class Gpt : LanguageModel, ISavableModule<Gpt>
{
    private const double Deviation = 0.02;

    private readonly GptOptions options;
    private readonly Embedding tokens;
    private readonly Layer? positions;
    private readonly Dropout dropout;
    private readonly ModuleList<TransformerEncoderLayer> layers;
    private readonly Layer norm;
    private readonly Linear? output;

    /// <summary>Creates a model.</summary>
    /// <param name="options">Vocabulary, sizes, positions.</param>
    /// <param name="generator">
    /// The random stream for initial values and dropout; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is out of range, or the heads do not divide the width.</exception>
    public Gpt(GptOptions options, Generator? generator = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        this.options = options;
        var (random, width) = (generator ?? Generator.Default, options.Width);
        if (options.Vocabulary < 1 || options.Context < 1 || options.Layers < 1)
            throw new AdjointException(
                $"Gpt: vocabulary, context and layers must be positive: found {options.Vocabulary}, "
                + $"{options.Context} and {options.Layers}");
        var layer = new TransformerOptions
        {
            FeedForward = options.FeedForward,
            Dropout = options.Dropout,
            Activation = options.Activation,
            IsPreNorm = true,
            Norm = options.Norm,
            Epsilon = options.Epsilon,
            KeyValueHeads = options.KeyValueHeads,
            RotaryTheta = options.Positions == PositionKind.Rotary ? options.RotaryTheta : null,
            HasAlibi = options.Positions == PositionKind.Alibi,
            Generator = random,
        };
        tokens = AddChild("tokens", new Embedding(options.Vocabulary, width, random));
        positions = options.Positions switch
        {
            PositionKind.Learned => AddChild("positions", new LearnedPositions(options.Context, width, random)),
            PositionKind.Sinusoidal => AddChild("positions", new SinusoidalPositions(options.Context, width)),
            PositionKind.Rotary or PositionKind.Alibi => null,
            _ => throw new AdjointException($"Gpt: no kind of positions is {(int)options.Positions}"),
        };
        dropout = AddChild("dropout", new Dropout(options.Dropout, random));
        layers = AddChild("layers", new ModuleList<TransformerEncoderLayer>());
        for (var i = 0; i < options.Layers; i++) layers.Add(new(width, options.Heads, layer));
        norm = AddChild("norm", layer.CreateNorm(width));
        if (!options.IsTied)
            output = AddChild("output", new Linear(width, options.Vocabulary, bias: false, generator: random));
        if (!Execution.Current.IsRestoring) Initialize(random);
    }

    /// <inheritdoc/>
    public override int VocabularySize => options.Vocabulary;

    /// <inheritdoc/>
    public override int? MaxLength => positions is null ? null : options.Context;

    /// <inheritdoc/>
    public override Tensor OutputWeight => output?.Weight ?? tokens.Weight;

    /// <summary>What the model was made with.</summary>
    public GptOptions Options => options;

    /// <summary>The layers, the first one first applied.</summary>
    public IReadOnlyList<TransformerEncoderLayer> Layers => layers;

    /// <inheritdoc/>
    public override DecodingState CreateState(int batch, int capacity)
    {
        if (capacity < 1 || capacity > (MaxLength ?? int.MaxValue))
            throw new AdjointException(
                $"Gpt: the capacity of a state must be from 1 to {MaxLength ?? int.MaxValue} tokens, its positions: "
                + $"found {capacity}");
        return new GptState(this, batch, capacity);
    }

    /// <inheritdoc/>
    protected override Tensor HiddenCore(Tensor tokens, DecodingState? state)
    {
        var caches = Caches(tokens, state);
        var start = state?.Length ?? 0;
        var x = this.tokens.Forward(tokens);
        x = positions switch
        {
            LearnedPositions learned => learned.Forward(x, start),
            SinusoidalPositions sinusoidal => sinusoidal.Forward(x, start),
            _ => x,
        };
        x = dropout.Forward(x);
        for (var i = 0; i < layers.Count; i++)
        {
            var (layer, cache) = (layers[i], caches?[i]);
            Tensor Apply(Tensor before) => layer.Forward(before, AttentionMask.Causal, cache);
            x = options.CheckpointLayers ? GradientCheckpoint.Run(Apply, x) : Apply(x);
        }
        return norm.Forward(x);
    }

    // Those of the state, without what a call that failed left in them.
    private KeyValueCache[]? Caches(Tensor tokens, DecodingState? state)
    {
        if (state is null) return null;
        if (state is not GptState own || own.Owner != this)
            throw new AdjointException("Gpt: the state is that of another model; make one with CreateState");
        var capacity = own.Caches[0].Capacity;
        if (tokens.Shape[1] > capacity - own.Length)
            throw new AdjointException(
                $"Gpt: {tokens.Shape[1]} more tokens do not fit the state: there are {own.Length} of its capacity of "
                + $"{capacity}; make one with a larger capacity, CreateState({own.Batch}, …)");
        foreach (var cache in own.Caches) cache.Truncate(own.Length);
        return own.Caches;
    }

    private void Initialize(Generator random)
    {
        using var _ = new NoGrad();
        var residual = Deviation / Math.Sqrt(2.0 * layers.Count);
        foreach (var (name, value) in NamedParameters())
            if (value.Rank == 2)
                value.CopyFrom(Tensor.Randn(value.Shape, random) * (AddsToResiduals(name) ? residual : Deviation));
            else if (name.EndsWith("bias", StringComparison.Ordinal)) value.Fill(0);

        static bool AddsToResiduals(string name) =>
            name.EndsWith("out_proj.weight", StringComparison.Ordinal)
            || name.EndsWith("linear2.weight", StringComparison.Ordinal);
    }

    static Gpt ISavableModule<Gpt>.Create(ModuleSettings settings) => new(new()
    {
        Vocabulary = settings.Integer("vocabulary"),
        Context = settings.Integer("context"),
        Width = settings.Integer("width"),
        Heads = settings.Integer("heads"),
        Layers = settings.Integer("layers"),
        KeyValueHeads = settings.Has("keyValueHeads") ? settings.Integer("keyValueHeads") : null,
        FeedForward = settings.Has("feedForward") ? settings.Integer("feedForward") : null,
        Activation = TransformerOptions.Named<FeedForwardActivation>(settings, "activation"),
        Dropout = settings.Number("dropout"),
        Positions = TransformerOptions.Named<PositionKind>(settings, "positions"),
        RotaryTheta = settings.Number("rotaryTheta"),
        Norm = TransformerOptions.Named<NormKind>(settings, "norm"),
        Epsilon = settings.Has("epsilon") ? settings.Number("epsilon") : null,
        IsTied = settings.Flag("tied"),
        CheckpointLayers = settings.Has("checkpointLayers") && settings.Flag("checkpointLayers"),
    });

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("vocabulary", options.Vocabulary);
        settings.Set("context", options.Context);
        settings.Set("width", options.Width);
        settings.Set("heads", options.Heads);
        settings.Set("layers", options.Layers);
        if (options.KeyValueHeads is { } heads) settings.Set("keyValueHeads", heads);
        if (options.FeedForward is { } width) settings.Set("feedForward", width);
        settings.Set("activation", options.Activation.ToString());
        settings.Set("dropout", options.Dropout);
        settings.Set("positions", options.Positions.ToString());
        settings.Set("rotaryTheta", options.RotaryTheta);
        settings.Set("norm", options.Norm.ToString());
        if (options.Epsilon is { } epsilon) settings.Set("epsilon", epsilon);
        settings.Set("tied", options.IsTied);
        if (options.CheckpointLayers) settings.Set("checkpointLayers", true);
    }

    private sealed class GptState : DecodingState
    {
        internal GptState(Gpt owner, int batch, int capacity) : base(batch)
        {
            Owner = owner;
            Caches = [.. owner.layers.Select(layer => layer.SelfAttention.CreateCache(batch, capacity))];
        }

        internal Gpt Owner { get; }

        internal KeyValueCache[] Caches { get; }
    }
}

/// <summary>How a model knows where in the sequence a token stands.</summary>
public enum PositionKind
{
    /// <summary>A learned vector for each position is added: <see cref="LearnedPositions"/>, as in GPT-2.</summary>
    Learned,

    /// <summary>Sines and cosines of the position are added: <see cref="SinusoidalPositions"/>.</summary>
    Sinusoidal,

    /// <summary>
    /// Queries and keys are rotated by angles of their position:
    /// <see cref="MultiHeadAttentionOptions.RotaryTheta"/>.
    /// </summary>
    Rotary,

    /// <summary>Scores fall with the distance: <see cref="MultiHeadAttentionOptions.HasAlibi"/>.</summary>
    Alibi,
}

/// <summary>The settings of a <see cref="Gpt"/>; all but the vocabulary have defaults, of a small model.</summary>
public sealed record GptOptions
{
    /// <summary>The number of different tokens, 1 or more.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>
    /// The number of positions, 1 or more: the longest sequence, where positions are learned or sinusoidal. Others have
    /// no limit, but a model is good at what it was trained with. 128 by default.
    /// </summary>
    public int Context { get; init; } = 128;

    /// <summary>The width of hidden states, a multiple of the heads; 128 by default.</summary>
    public int Width { get; init; } = 128;

    /// <summary>The number of heads of each attention, 1 or more; 4 by default.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>The number of layers, 1 or more; 4 by default.</summary>
    public int Layers { get; init; } = 4;

    /// <summary>
    /// The number of heads of keys and values, which divides the heads; null: one for each head. See
    /// <see cref="MultiHeadAttentionOptions.KeyValueHeads"/>.
    /// </summary>
    public int? KeyValueHeads { get; init; }

    /// <summary>The width of the feed-forward networks, 1 or more; null: 4 · width.</summary>
    public int? FeedForward { get; init; }

    /// <summary>The activation of the feed-forward networks; GELU by default.</summary>
    public FeedForwardActivation Activation { get; init; } = FeedForwardActivation.Gelu;

    /// <summary>
    /// The probability of dropping features and attention weights in training, in [0, 1); 0 by default.
    /// </summary>
    public double Dropout { get; init; }

    /// <summary>How positions enter; learned by default.</summary>
    public PositionKind Positions { get; init; }

    /// <summary>The base θ of rotary positions; 10000 by default.</summary>
    public double RotaryTheta { get; init; } = 10000;

    /// <summary>The kind of the norms; layer normalization by default.</summary>
    public NormKind Norm { get; init; }

    /// <summary>The number ε of the norms, above 0; null: theirs, 10⁻⁵ of layer normalization as in GPT-2.</summary>
    public double? Epsilon { get; init; }

    /// <summary>
    /// Whether the weights of the output layer are the vectors of the tokens (Press and Wolf 2017), as by default.
    /// </summary>
    public bool IsTied { get; init; } = true;

    /// <summary>
    /// Whether training computes each layer again in its backward pass, with <see cref="GradientCheckpoint"/>: the same
    /// bits with less memory, for more time.
    /// </summary>
    public bool CheckpointLayers { get; init; }
}
