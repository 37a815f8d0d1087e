namespace Adjoint.Nn;

/// <summary>
/// The vision transformer (Dosovitskiy et al. 2021), images (n, channels, size, size) → logits (n, classes). An image
/// is cut into patches, each of which becomes a vector; with a learned class token before them and learned positions,
/// they go through pre-norm layers of a transformer, and the class token's result through a norm and a linear layer.
/// Parameters have torchvision's names and shapes, <c>conv_proj.weight</c>,
/// <c>encoder.layers.encoder_layer_0.self_attention.in_proj_weight</c>, <c>heads.head.weight</c>, and begin as there.
/// </summary>
public sealed class VisionTransformer : Layer, ISavableModule<VisionTransformer>
{
    private readonly VisionTransformerOptions options;
    private readonly Tensor classToken;
    private readonly Conv2d patches;
    private readonly VisionTransformerEncoder encoder;
    private readonly Linear head;

    /// <summary>Creates a network.</summary>
    /// <param name="options">Sizes of images, patches and layers; null: those of ViT-B/16.</param>
    /// <param name="generator">
    /// The random stream for initial values and dropout; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">
    /// A number is out of range, or the patches do not divide the image, or the heads the width.
    /// </exception>
    public VisionTransformer(VisionTransformerOptions? options = null, Generator? generator = null)
    {
        this.options = options ??= new();
        if (options.Layers < 1)
            throw new AdjointException($"VisionTransformer: at least one layer is needed: found {options.Layers}");
        if (options.Patch < 1 || options.ImageSize < 1 || options.ImageSize % options.Patch != 0)
            throw new AdjointException(
                $"VisionTransformer: the size of patches must divide that of images: found {options.Patch} and "
                + $"{options.ImageSize}");
        var (random, width, side) = (generator ?? Generator.Default, options.Width, options.ImageSize / options.Patch);
        classToken = AddParameter("class_token", Tensor.Zeros(1, 1, width));
        patches = AddChild("conv_proj", new Conv2d(options.Channels, width, options.Patch, new()
        {
            Stride = options.Patch,
            Initializer = Initializer.Normal(1.0 / options.Patch / Math.Sqrt(options.Channels)),
            Generator = random,
        }));
        encoder = AddChild("encoder", new VisionTransformerEncoder(options, (long)side * side + 1, random));
        head = new(width, options.Classes, initializer: Initializer.Normal(0), generator: random);
        head.Weight.Fill(0);
        AddChild("heads", new ModuleDict<Linear>(("head", head)));
    }

    /// <summary>What the network was made with.</summary>
    public VisionTransformerOptions Options => options;

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        var (channels, size) = (options.Channels, options.ImageSize);
        if (x.Rank != 4 || x.Shape[1] != channels || x.Shape[2] != size || x.Shape[3] != size)
            throw new AdjointException(
                $"VisionTransformer: images (n, {channels}, {size}, {size}) are needed, of as many patches as it has "
                + $"positions: found {x.Shape}; resize them");
        var tokens = patches.Forward(x).Flatten(2).Transpose(1, 2);
        tokens = Tensor.Concat([classToken.Expand(x.Shape[0], 1, options.Width), tokens], 1);
        return head.Forward(encoder.Forward(tokens).Select(1, 0));
    }

    static VisionTransformer ISavableModule<VisionTransformer>.Create(ModuleSettings settings) => new(new()
    {
        ImageSize = settings.Integer("imageSize"),
        Patch = settings.Integer("patch"),
        Layers = settings.Integer("layers"),
        Heads = settings.Integer("heads"),
        Width = settings.Integer("width"),
        FeedForward = settings.Has("feedForward") ? settings.Integer("feedForward") : null,
        Channels = settings.Integer("channels"),
        Classes = settings.Integer("classes"),
        Dropout = settings.Number("dropout"),
        AttentionDropout = settings.Number("attentionDropout"),
    });

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("imageSize", options.ImageSize);
        settings.Set("patch", options.Patch);
        settings.Set("layers", options.Layers);
        settings.Set("heads", options.Heads);
        settings.Set("width", options.Width);
        if (options.FeedForward is { } width) settings.Set("feedForward", width);
        settings.Set("channels", options.Channels);
        settings.Set("classes", options.Classes);
        settings.Set("dropout", options.Dropout);
        settings.Set("attentionDropout", options.AttentionDropout);
    }
}

/// <summary>The settings of a <see cref="VisionTransformer"/>; those left out are those of ViT-B/16.</summary>
public sealed record VisionTransformerOptions
{
    /// <summary>The height and width of images, a multiple of the patches'; 224 by default.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>The height and width of patches, 1 or more; 16 by default.</summary>
    public int Patch { get; init; } = 16;

    /// <summary>The number of layers, 1 or more; 12 by default.</summary>
    public int Layers { get; init; } = 12;

    /// <summary>The number of heads of each attention, 1 or more; 12 by default.</summary>
    public int Heads { get; init; } = 12;

    /// <summary>The width of hidden states, a multiple of the heads; 768 by default.</summary>
    public int Width { get; init; } = 768;

    /// <summary>The width of the feed-forward networks, 1 or more; null: 4 · width.</summary>
    public int? FeedForward { get; init; }

    /// <summary>The number of channels of images, 1 or more; 3 by default.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>The number of classes, 1 or more; 1000 by default.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>The probability of dropping features in training, in [0, 1); 0 by default.</summary>
    public double Dropout { get; init; }

    /// <summary>The probability of dropping attention weights in training, in [0, 1); 0 by default.</summary>
    public double AttentionDropout { get; init; }
}

/// <summary>Positions, layers and the norm after them: tokens (n, t, width) → (n, t, width).</summary>
internal sealed class VisionTransformerEncoder : Layer
{
    internal const double Epsilon = 1e-6;

    private readonly Tensor positions;
    private readonly Dropout dropout;
    private readonly ModuleDict<VisionTransformerLayer> layers;
    private readonly LayerNorm norm;

    internal VisionTransformerEncoder(VisionTransformerOptions options, long length, Generator random)
    {
        using var _ = new NoGrad();
        var count = Shape.Size(length, "VisionTransformer");
        positions = AddParameter("pos_embedding",
            (InitialValues.Normal((int[])[1, count, options.Width], random) * 0.02).Detach());
        dropout = AddChild("dropout", new Dropout(options.Dropout, random));
        layers = AddChild("layers", new ModuleDict<VisionTransformerLayer>());
        for (var i = 0; i < options.Layers; i++) layers.Add($"encoder_layer_{i}", new(options, random));
        norm = AddChild("ln", new LayerNorm([options.Width], Epsilon));
    }

    protected override Tensor ForwardCore(Tensor x)
    {
        x = dropout.Forward(x + positions);
        foreach (var layer in layers.Values) x = layer.Forward(x);
        return norm.Forward(x);
    }
}

/// <summary>A pre-norm layer, x (n, t, width) → (n, t, width), with torchvision's names.</summary>
internal sealed class VisionTransformerLayer : Layer
{
    private readonly LayerNorm norm1, norm2;
    private readonly MultiHeadAttention attention;
    private readonly Dropout dropout;
    private readonly Sequential feedForward;

    internal VisionTransformerLayer(VisionTransformerOptions options, Generator random)
    {
        var (width, epsilon) = (options.Width, VisionTransformerEncoder.Epsilon);
        var inner = options.FeedForward ?? (int)Math.Min(int.MaxValue, 4L * width);
        norm1 = AddChild("ln_1", new LayerNorm([width], epsilon));
        attention = AddChild("self_attention", new MultiHeadAttention(width, options.Heads,
            new() { Dropout = options.AttentionDropout, Generator = random }));
        dropout = AddChild("dropout", new Dropout(options.Dropout, random));
        norm2 = AddChild("ln_2", new LayerNorm([width], epsilon));
        feedForward = AddChild("mlp", new Sequential(
            Projection(width, inner, random), new Gelu(), new Dropout(options.Dropout, random),
            Projection(inner, width, random), new Dropout(options.Dropout, random)));
    }

    // The weights that torchvision published are older than its names.
    internal override IReadOnlyList<(string Older, string Name)> OlderNames =>
    [
        ("mlp.linear_1.weight", "mlp.0.weight"), ("mlp.linear_1.bias", "mlp.0.bias"),
        ("mlp.linear_2.weight", "mlp.3.weight"), ("mlp.linear_2.bias", "mlp.3.bias"),
    ];

    protected override Tensor ForwardCore(Tensor x)
    {
        x += dropout.Forward(attention.Forward(norm1.Forward(x)));
        return x + feedForward.Forward(norm2.Forward(x));
    }

    private static Linear Projection(int inputs, int outputs, Generator random)
    {
        var linear = new Linear(inputs, outputs, initializer: Initializer.XavierUniform, generator: random);
        if (Execution.Current.IsRestoring) return linear;
        using var _ = new NoGrad();
        linear.Bias!.CopyFrom(Tensor.Randn([outputs], random) * 1e-6);
        return linear;
    }
}

public static partial class VisionModels
{
    /// <summary>
    /// ViT-B/16 (Dosovitskiy et al. 2021), torchvision's <c>vit_b_16</c>: 86.6 million parameters at 1000 classes, for
    /// images of 224 × 224.
    /// </summary>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <returns>The network, with initial weights, in training mode.</returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public static VisionTransformer VitB16(
        int classes = 1000, int channels = 3, Generator? generator = null) =>
        new(new() { Classes = classes, Channels = channels }, generator);
}
