namespace Adjoint.Nn;

/// <summary>
/// A language model of LSTM layers (Zaremba et al. 2014): tokens (n, t) int64 → logits (n, t, vocabulary). Vectors of
/// tokens, dropout, the layers with dropout between them, dropout, and the output layer. It takes sequences of any
/// length, and its memory of them does not grow.
/// </summary>
public sealed class LstmLanguageModel : LanguageModel, ISavableModule<LstmLanguageModel>
{
    private readonly Embedding tokens;
    private readonly Dropout dropout;
    private readonly Lstm layers;
    private readonly Linear output;

    /// <summary>Creates a model.</summary>
    /// <param name="vocabulary">The number of different tokens, 1 or more.</param>
    /// <param name="width">The size of a token's vector and the number of units of each layer, 1 or more.</param>
    /// <param name="layers">The number of LSTM layers, 1 or more.</param>
    /// <param name="dropout">The probability of dropout, in [0, 1).</param>
    /// <param name="generator">
    /// The random stream for initial values and dropout; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">A number is out of range.</exception>
    public LstmLanguageModel(
        int vocabulary, int width, int layers = 2, double dropout = 0, Generator? generator = null)
    {
        if (vocabulary < 1 || width < 1)
            throw new AdjointException(
                $"LstmLanguageModel: vocabulary and width must be positive: found {vocabulary} and {width}");
        var random = generator ?? Generator.Default;
        tokens = AddChild("tokens", new Embedding(vocabulary, width, random));
        this.dropout = AddChild("dropout", new Dropout(dropout, random));
        this.layers = AddChild("layers", new Lstm(width, width, new() { Layers = layers, Dropout = dropout }, random));
        output = AddChild("output", new Linear(width, vocabulary, generator: random));
    }

    /// <inheritdoc/>
    public override int VocabularySize => output.Outputs;

    /// <inheritdoc/>
    public override int? MaxLength => null;

    /// <inheritdoc/>
    public override Tensor OutputWeight => output.Weight;

    /// <inheritdoc/>
    public override Tensor? OutputBias => output.Bias;

    /// <inheritdoc/>
    public override DecodingState CreateState(int batch, int capacity)
    {
        if (capacity < 1)
            throw new AdjointException(
                $"LstmLanguageModel: the capacity of a state must be 1 or more: found {capacity}");
        return new LstmDecodingState(this, batch);
    }

    /// <inheritdoc/>
    protected override Tensor HiddenCore(Tensor tokens, DecodingState? state)
    {
        var own = state as LstmDecodingState;
        if (state is not null && own?.Owner != this)
            throw new AdjointException(
                "LstmLanguageModel: the state is that of another model; make one with CreateState");
        var x = dropout.Forward(this.tokens.Forward(tokens));
        if (own is null) return dropout.Forward(layers.Forward(x));
        var (outputs, last) = layers.Forward(x, own.Memory);
        // What a call makes is handed back at its end, unless kept.
        own.Memory = new(last.Hidden.Keep(), last.Cell.Keep());
        return dropout.Forward(outputs);
    }

    /// <inheritdoc/>
    public override string ToString() =>
        $"LstmLanguageModel({VocabularySize} tokens, {layers.Options.Layers} × {layers.Width})";

    static LstmLanguageModel ISavableModule<LstmLanguageModel>.Create(ModuleSettings settings) =>
        new(settings.Integer("vocabulary"), settings.Integer("width"), settings.Integer("layers"),
            settings.Number("dropout"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("vocabulary", VocabularySize);
        settings.Set("width", layers.Width);
        settings.Set("layers", layers.Options.Layers);
        settings.Set("dropout", dropout.Probability);
    }

    private sealed class LstmDecodingState(LstmLanguageModel owner, int batch) : DecodingState(batch)
    {
        internal LstmLanguageModel Owner => owner;

        internal LstmState? Memory { get; set; }
    }
}
