namespace Adjoint.Nn;

/// <summary>
/// BERT (Devlin et al. 2018), the bidirectional encoder: tokens (n, t) int64 → hidden states (n, t, width) and, of the
/// first token, a pooled state tanh(W·h₀ + b) (n, width). The vectors of tokens, positions and segments are added and
/// normalized; each layer adds attention, then a feed-forward network, and normalizes the sum after each. Parameters
/// have the published names: <c>embeddings.word_embeddings.weight</c>,
/// <c>encoder.layer.0.attention.self.query.weight</c>, <c>pooler.dense.weight</c>. Weights begin as N(0, 0.02²), biases
/// as 0.
/// </summary>
public sealed class Bert : Module, ISavableModule<Bert>
{
    private readonly BertOptions options;
    private readonly BertEmbeddings embeddings;
    private readonly ModuleList<BertLayer> layers;
    private readonly Linear? pooler;

    /// <summary>Creates a model.</summary>
    /// <param name="options">Vocabulary, sizes, dropout; null: those of BERT-Base.</param>
    /// <param name="generator">
    /// The random stream for initial values and dropout; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is out of range, or the heads do not divide the width.</exception>
    public Bert(BertOptions? options = null, Generator? generator = null)
    {
        this.options = options ??= new();
        options.Check();
        var random = generator ?? Generator.Default;
        embeddings = AddChild("embeddings", new BertEmbeddings(options, random));
        layers = new();
        for (var i = 0; i < options.Layers; i++) layers.Add(new(options, random));
        AddChild("encoder", new ModuleDict<Module>(("layer", layers)));
        if (options.HasPooler)
        {
            pooler = new(options.Width, options.Width, generator: random);
            AddChild("pooler", new ModuleDict<Linear>(("dense", pooler)));
        }
        Initialize(this, random);
    }

    /// <summary>What the model was made with.</summary>
    public BertOptions Options => options;

    /// <summary>Computes the hidden states of the last layer, and the pooled state of the first token.</summary>
    /// <param name="tokens">The tokens (n, t) int64, t from 1 to <see cref="BertOptions.Context"/>.</param>
    /// <param name="types">
    /// The segment of each token (n, t) int64, below <see cref="BertOptions.Types"/>; null: all 0.
    /// </param>
    /// <param name="mask">
    /// Which positions a position sees; <see cref="AttentionMask.Lengths"/> keeps padding out. Null: all.
    /// </param>
    /// <returns>
    /// Hidden states (n, t, width), and the pooled state (n, width); of a model without a pooler, the hidden state of
    /// the first token in its place.
    /// </returns>
    /// <exception cref="AdjointException">
    /// Tokens or segments have another shape or type, or one is out of range; or there are too many tokens.
    /// </exception>
    public (Tensor Hidden, Tensor Pooled) Forward(Tensor tokens, Tensor? types = null, AttentionMask? mask = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        Check(tokens, types);
        return Call([tokens, types, mask?.Mask, mask?.Lengths], () =>
        {
            var x = embeddings.Forward(tokens, types);
            foreach (var layer in layers) x = layer.Forward(x, mask);
            var first = x.Select(1, 0);
            return (x, pooler is null ? first : pooler.Forward(first).Tanh());
        });
    }

    /// <summary>Gives parameters the initial values of the published models.</summary>
    internal static void Initialize(Module module, Generator random)
    {
        if (Execution.Current.IsRestoring) return;
        using var _ = new NoGrad();
        foreach (var (name, value) in module.NamedParameters())
            if (value.Rank == 2) value.CopyFrom(Tensor.Randn(value.Shape, random) * 0.02);
            else if (name.EndsWith("bias", StringComparison.Ordinal)) value.Fill(0);
    }

    private void Check(Tensor tokens, Tensor? types)
    {
        if (tokens.Rank != 2 || tokens.DType != DType.Int64 || tokens.Shape[1] == 0)
            throw new AdjointException(
                $"Bert: tokens (n, t) int64 with t from 1 are needed: found {tokens.Shape} {tokens.DType.Label()}; one "
                + "sequence alone takes .Unsqueeze(0), other types .To(DType.Int64)");
        if (types is not null && (types.Shape != tokens.Shape || types.DType != DType.Int64))
            throw new AdjointException(
                $"Bert: segments int64 of the tokens' shape {tokens.Shape} are needed: found {types.Shape} "
                + $"{types.DType.Label()}; each token is in one");
        if (tokens.Shape[1] > options.Context)
            throw new AdjointException(
                $"Bert: {tokens.Shape[1]} tokens are more than its {options.Context} positions; use shorter sequences, "
                + "or a model with a longer context");
    }

    static Bert ISavableModule<Bert>.Create(ModuleSettings settings) => new(BertOptions.Read(settings));

    void ISavableModule.Describe(ModuleSettings settings) => options.Describe(settings);
}

/// <summary>
/// A classifier of texts: dropout and a linear layer on the pooled state of a <see cref="Nn.Bert"/>, tokens (n, t)
/// int64 → logits (n, classes), as it is fine-tuned in its paper. Parameters have the published names, <c>bert.…</c>
/// and <c>classifier.…</c>.
/// </summary>
public sealed class BertClassifier : Layer, ISavableModule<BertClassifier>
{
    private readonly Dropout dropout;
    private readonly Linear classifier;

    /// <summary>Creates a model.</summary>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="options">
    /// Those of the encoder, which needs a pooler; null: those of BERT-Base.
    /// </param>
    /// <param name="generator">
    /// The random stream for initial values and dropout; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is out of range, or the encoder has no pooler.</exception>
    public BertClassifier(int classes, BertOptions? options = null, Generator? generator = null)
    {
        options ??= new();
        if (!options.HasPooler)
            throw new AdjointException("BertClassifier: the encoder needs a pooler; set HasPooler");
        var random = generator ?? Generator.Default;
        Bert = AddChild("bert", new Bert(options, random));
        dropout = AddChild("dropout", new Dropout(options.Dropout, random));
        classifier = AddChild("classifier", new Linear(options.Width, classes, generator: random));
        Bert.Initialize(classifier, random);
    }

    /// <summary>The encoder, which can be used by itself, too.</summary>
    public Bert Bert { get; }

    /// <summary>The number of classes.</summary>
    public int Classes => classifier.Outputs;

    /// <summary>Computes the logits of the classes.</summary>
    /// <param name="tokens">The tokens (n, t) int64, t from 1.</param>
    /// <param name="types">The segment of each token (n, t) int64; null: all 0.</param>
    /// <param name="mask">
    /// Which positions a position sees; <see cref="AttentionMask.Lengths"/> keeps padding out. Null: all.
    /// </param>
    /// <returns>The logits (n, classes).</returns>
    /// <exception cref="AdjointException">As for <see cref="Nn.Bert.Forward"/>.</exception>
    public Tensor Forward(Tensor tokens, Tensor? types, AttentionMask? mask = null) =>
        Call([tokens, types, mask?.Mask, mask?.Lengths], () => Compute(tokens, types, mask));

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => Compute(x, null, null);

    private Tensor Compute(Tensor tokens, Tensor? types, AttentionMask? mask) =>
        classifier.Forward(dropout.Forward(Bert.Forward(tokens, types, mask).Pooled));

    static BertClassifier ISavableModule<BertClassifier>.Create(ModuleSettings settings) =>
        new(settings.Integer("classes"), BertOptions.Read(settings));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("classes", Classes);
        Bert.Options.Describe(settings);
    }
}
