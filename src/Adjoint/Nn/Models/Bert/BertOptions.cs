namespace Adjoint.Nn;

/// <summary>The settings of a <see cref="Bert"/>; those left out are those of BERT-Base, uncased.</summary>
public sealed record BertOptions
{
    /// <summary>The number of different tokens, 1 or more; 30522 by default.</summary>
    public int Vocabulary { get; init; } = 30522;

    /// <summary>The number of positions, 1 or more: the longest sequence. 512 by default.</summary>
    public int Context { get; init; } = 512;

    /// <summary>The number of segments, 1 or more; 2 by default.</summary>
    public int Types { get; init; } = 2;

    /// <summary>The width of hidden states, a multiple of the heads; 768 by default.</summary>
    public int Width { get; init; } = 768;

    /// <summary>The number of heads of each attention, 1 or more; 12 by default.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>The number of layers, 1 or more; 12 by default.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>The width of the feed-forward networks, 1 or more; null: 4 · width.</summary>
    public int? FeedForward { get; init; }

    /// <summary>The activation of the feed-forward networks; GELU by default.</summary>
    public FeedForwardActivation Activation { get; init; } = FeedForwardActivation.Gelu;

    /// <summary>The probability of dropping features in training, in [0, 1); 0.1 by default.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <summary>The probability of dropping attention weights in training, in [0, 1); 0.1 by default.</summary>
    public double AttentionDropout { get; init; } = 0.1;

    /// <summary>The number ε of the norms, above 0; 10⁻¹² by default.</summary>
    public double Epsilon { get; init; } = 1e-12;

    /// <summary>
    /// Whether there is a pooler, as by default; models that were trained to fill in words alone have none.
    /// </summary>
    public bool HasPooler { get; init; } = true;

    internal int InnerWidth => FeedForward ?? (int)Math.Min(int.MaxValue, 4L * Width);

    internal void Check()
    {
        if (Vocabulary < 1 || Context < 1 || Types < 1 || Layers < 1)
            throw new AdjointException(
                $"Bert: vocabulary, context, types and layers must be positive: found {Vocabulary}, {Context}, {Types} "
                + $"and {Layers}");
        if (Width < 1 || Heads < 1 || Width % Heads != 0)
            throw new AdjointException(
                $"Bert: the heads must divide the width: found {Heads} heads of a width of {Width}");
        if (AttentionDropout is not (>= 0 and < 1))
            throw new AdjointException($"Bert: the dropout of attention must be in [0, 1): found {AttentionDropout}");
    }

    internal static BertOptions Read(ModuleSettings settings) => new()
    {
        Vocabulary = settings.Integer("vocabulary"),
        Context = settings.Integer("context"),
        Types = settings.Integer("types"),
        Width = settings.Integer("width"),
        Heads = settings.Integer("heads"),
        Layers = settings.Integer("layers"),
        FeedForward = settings.Has("feedForward") ? settings.Integer("feedForward") : null,
        Activation = TransformerOptions.Named<FeedForwardActivation>(settings, "activation"),
        Dropout = settings.Number("dropout"),
        AttentionDropout = settings.Number("attentionDropout"),
        Epsilon = settings.Number("epsilon"),
        HasPooler = settings.Flag("pooler"),
    };

    internal void Describe(ModuleSettings settings)
    {
        settings.Set("vocabulary", Vocabulary);
        settings.Set("context", Context);
        settings.Set("types", Types);
        settings.Set("width", Width);
        settings.Set("heads", Heads);
        settings.Set("layers", Layers);
        if (FeedForward is { } width) settings.Set("feedForward", width);
        settings.Set("activation", Activation.ToString());
        settings.Set("dropout", Dropout);
        settings.Set("attentionDropout", AttentionDropout);
        settings.Set("epsilon", Epsilon);
        settings.Set("pooler", HasPooler);
    }
}
