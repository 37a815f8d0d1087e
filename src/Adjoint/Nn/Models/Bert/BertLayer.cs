namespace Adjoint.Nn;

/// <summary>The sum of the vectors of tokens, positions and segments, normalized.</summary>
internal sealed class BertEmbeddings : Module
{
    private readonly Embedding words, types;
    private readonly LearnedPositions positions;
    private readonly LayerNorm norm;
    private readonly Dropout dropout;

    internal BertEmbeddings(BertOptions options, Generator random)
    {
        words = AddChild("word_embeddings", new Embedding(options.Vocabulary, options.Width, random));
        positions = AddChild("position_embeddings", new LearnedPositions(options.Context, options.Width, random));
        types = AddChild("token_type_embeddings", new Embedding(options.Types, options.Width, random));
        norm = AddChild("LayerNorm", new LayerNorm([options.Width], options.Epsilon));
        dropout = AddChild("dropout", new Dropout(options.Dropout, random));
    }

    internal Tensor Forward(Tensor tokens, Tensor? types) => Call([tokens, types], () =>
    {
        // Without segments, all are the first: one row, added everywhere.
        var segments = types is null ? this.types.Weight.Slice(0, 0, 1) : this.types.Forward(types);
        return dropout.Forward(norm.Forward(positions.Forward(words.Forward(tokens) + segments)));
    });
}

/// <summary>A layer of the encoder: attention and a feed-forward network, each normalized after its sum.</summary>
internal sealed class BertLayer : Module
{
    private readonly BertAttention attention;
    private readonly BertAddition attended, output;
    private readonly Linear intermediate;
    private readonly FeedForwardActivation activation;

    internal BertLayer(BertOptions options, Generator random)
    {
        var (width, inner) = (options.Width, options.InnerWidth);
        activation = options.Activation;
        attention = new(options, random);
        attended = new(width, options, random);
        AddChild("attention", new ModuleDict<Module>(("self", attention), ("output", attended)));
        intermediate = new(width, inner, generator: random);
        AddChild("intermediate", new ModuleDict<Linear>(("dense", intermediate)));
        output = AddChild("output", new BertAddition(inner, options, random));
    }

    internal Tensor Forward(Tensor x, AttentionMask? mask) => Call([x, mask?.Mask, mask?.Lengths], () =>
    {
        x = attended.Forward(attention.Forward(x, mask), x);
        return output.Forward(FeedForward.Activate(intermediate.Forward(x), activation), x);
    });
}

/// <summary>Multi-head attention of a sequence to itself, without the projection that follows it.</summary>
internal sealed class BertAttention : Module
{
    private readonly int heads;
    private readonly double probability;
    private readonly Linear query, key, value;
    private readonly Generator generator;

    internal BertAttention(BertOptions options, Generator random)
    {
        (heads, probability) = (options.Heads, options.AttentionDropout);
        generator = AddGenerator("dropout", random);
        query = AddChild("query", new Linear(options.Width, options.Width, generator: random));
        key = AddChild("key", new Linear(options.Width, options.Width, generator: random));
        value = AddChild("value", new Linear(options.Width, options.Width, generator: random));
    }

    internal Tensor Forward(Tensor x, AttentionMask? mask) => Call([x, mask?.Mask, mask?.Lengths], () =>
        Split(query, x).ScaledDotProductAttention(Split(key, x), Split(value, x), new()
        {
            IsCausal = mask?.IsCausal ?? false,
            Mask = mask?.Mask,
            KeyLengths = mask?.Lengths,
            Dropout = IsTraining ? probability : 0,
            Generator = generator,
        }).Transpose(1, 2).Reshape(x.Shape.Sizes));

    // To heads (n, h, t, d).
    private Tensor Split(Linear linear, Tensor x) =>
        linear.Forward(x).Reshape(x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads).Transpose(1, 2);
}

/// <summary>What a part computed is projected to the width and added to what came in; the sum is normalized.</summary>
internal sealed class BertAddition : Module
{
    private readonly Linear dense;
    private readonly LayerNorm norm;
    private readonly Dropout dropout;

    internal BertAddition(int inputs, BertOptions options, Generator random)
    {
        dense = AddChild("dense", new Linear(inputs, options.Width, generator: random));
        norm = AddChild("LayerNorm", new LayerNorm([options.Width], options.Epsilon));
        dropout = AddChild("dropout", new Dropout(options.Dropout, random));
    }

    internal Tensor Forward(Tensor x, Tensor before) => Call([x, before], () =>
        norm.Forward(before + dropout.Forward(dense.Forward(x))));
}
