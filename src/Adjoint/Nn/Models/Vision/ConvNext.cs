namespace Adjoint.Nn;

/// <summary>
/// ConvNeXt (Liu et al. 2022), images (n, channels, h, w) of 32 pixels a side and more → logits (n, classes): 4×4
/// patches, stages of blocks (a 7×7 convolution of each channel, a norm, and a feed-forward network at each pixel),
/// each stage but the first at half the size, global mean, a norm and a linear layer. Parameters have torchvision's
/// names and shapes, <c>features.1.0.block.0.weight</c>, <c>features.1.0.layer_scale</c>, <c>classifier.2.weight</c>,
/// and begin as there: weights N(0, 0.02²), biases 0.
/// </summary>
public sealed class ConvNext : Layer, ISavableModule<ConvNext>
{
    private readonly ConvNextOptions options;
    private readonly Sequential features, classifier;
    private readonly AdaptiveAvgPool2d pool;

    /// <summary>Creates a network.</summary>
    /// <param name="options">Depths and widths of the stages; null: those of ConvNeXt-T.</param>
    /// <param name="generator">
    /// The random stream for initial values and stochastic depth; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">
    /// A number is out of range, or there are not as many depths as widths, one or more.
    /// </exception>
    public ConvNext(ConvNextOptions? options = null, Generator? generator = null)
    {
        this.options = options ??= new();
        var (depths, widths, random) = (options.Depths, options.Widths, generator ?? Generator.Default);
        if (depths.Count < 1 || depths.Count != widths.Count || depths.Any(depth => depth < 1))
            throw new AdjointException(
                $"ConvNext: as many depths as widths, one stage or more of one block or more, are needed: found "
                + $"[{string.Join(", ", depths.Take(8))}] and [{string.Join(", ", widths.Take(8))}]");
        if (!double.IsFinite(options.LayerScale))
            throw new AdjointException($"ConvNext: the layer scale must be finite: found {options.LayerScale}");
        List<Layer> layers =
            [new Sequential(Convolution(options.Channels, widths[0], 4, random), new ChannelNorm(widths[0]))];
        var (block, last) = (0, Math.Max(1, depths.Sum(depth => (long)depth) - 1));
        for (var stage = 0; stage < depths.Count; stage++)
        {
            var (width, blocks) = (widths[stage], new List<Layer>());
            if (stage > 0)
                layers.Add(new Sequential(
                    new ChannelNorm(widths[stage - 1]), Convolution(widths[stage - 1], width, 2, random)));
            for (var i = 0; i < depths[stage]; i++, block++)
                blocks.Add(new ConvNextBlock(width, options, options.StochasticDepth * block / last, random));
            layers.Add(new Sequential([.. blocks]));
        }
        features = AddChild("features", new Sequential([.. layers]));
        pool = AddChild("avgpool", new AdaptiveAvgPool2d(1));
        classifier = AddChild("classifier", new Sequential(new ChannelNorm(widths[^1]), new Flatten(),
            new Linear(widths[^1], options.Classes, initializer: Initial, generator: random)));
    }

    /// <summary>What the network was made with.</summary>
    public ConvNextOptions Options => options;

    /// <summary>What weights begin as.</summary>
    internal static Initializer Initial { get; } = Initializer.Normal(0.02);

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => classifier.Forward(pool.Forward(features.Forward(x)));

    private static Conv2d Convolution(int inputs, int outputs, int stride, Generator random) =>
        new(inputs, outputs, stride, new() { Stride = stride, Initializer = Initial, Generator = random });

    static ConvNext ISavableModule<ConvNext>.Create(ModuleSettings settings) => new(new()
    {
        Depths = settings.Integers("depths"),
        Widths = settings.Integers("widths"),
        Channels = settings.Integer("channels"),
        Classes = settings.Integer("classes"),
        StochasticDepth = settings.Number("stochasticDepth"),
        LayerScale = settings.Number("layerScale"),
    });

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("depths", options.Depths);
        settings.Set("widths", options.Widths);
        settings.Set("channels", options.Channels);
        settings.Set("classes", options.Classes);
        settings.Set("stochasticDepth", options.StochasticDepth);
        settings.Set("layerScale", options.LayerScale);
    }
}

/// <summary>The settings of a <see cref="ConvNext"/>; those left out are those of ConvNeXt-T.</summary>
public sealed record ConvNextOptions
{
    /// <summary>The number of blocks of each stage, 1 or more; 3, 3, 9 and 3 by default.</summary>
    public IReadOnlyList<int> Depths { get; init; } = [3, 3, 9, 3];

    /// <summary>The number of channels of each stage, 1 or more; 96, 192, 384 and 768 by default.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [96, 192, 384, 768];

    /// <summary>The number of channels of images, 1 or more; 3 by default.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>The number of classes, 1 or more; 1000 by default.</summary>
    public int Classes { get; init; } = 1000;

    /// <summary>
    /// The probability that a sample leaves out the last block in training, in [0, 1); it rises from 0 at the first.
    /// 0.1 by default.
    /// </summary>
    public double StochasticDepth { get; init; } = 0.1;

    /// <summary>What the factors of the blocks' channels begin as; 10⁻⁶ by default.</summary>
    public double LayerScale { get; init; } = 1e-6;
}

/// <summary>
/// x (n, c, h, w) plus, scaled by channel, a 7×7 convolution of each channel, a norm and a feed-forward network.
/// </summary>
internal sealed class ConvNextBlock : Layer
{
    private readonly Tensor scale;
    private readonly Sequential block;
    private readonly StochasticDepth depth;

    internal ConvNextBlock(int width, ConvNextOptions options, double probability, Generator random)
    {
        var inner = (int)Math.Min(int.MaxValue, 4L * width);
        scale = AddParameter("layer_scale", Tensor.Full([width, 1, 1], options.LayerScale));
        block = AddChild("block", new Sequential(
            new Conv2d(width, width, 7,
                new() { Padding = 3, Groups = width, Initializer = ConvNext.Initial, Generator = random }),
            new PermuteAxes(0, 2, 3, 1),
            new LayerNorm([width], ChannelNorm.Epsilon),
            new Linear(width, inner, initializer: ConvNext.Initial, generator: random),
            new Gelu(),
            new Linear(inner, width, initializer: ConvNext.Initial, generator: random),
            new PermuteAxes(0, 3, 1, 2)));
        depth = AddChild("stochastic_depth", new StochasticDepth(probability, random));
    }

    protected override Tensor ForwardCore(Tensor x) => x + depth.Forward(scale * block.Forward(x));
}

/// <summary>Layer normalization over the channels of each pixel of x (n, c, h, w).</summary>
internal sealed class ChannelNorm : Layer
{
    internal const double Epsilon = 1e-6;

    private readonly Tensor gamma, beta;

    internal ChannelNorm(int channels) =>
        (gamma, beta) = (AddParameter("weight", Tensor.Ones(channels)), AddParameter("bias", Tensor.Zeros(channels)));

    protected override Tensor ForwardCore(Tensor x) =>
        x.Permute(0, 2, 3, 1).LayerNorm(gamma, beta, Epsilon).Permute(0, 3, 1, 2);
}

/// <summary>The axes in another order, as a layer.</summary>
internal sealed class PermuteAxes(params int[] order) : Layer
{
    protected override Tensor ForwardCore(Tensor x) => x.Permute(order);
}

public static partial class VisionModels
{
    /// <summary>
    /// ConvNeXt-T (Liu et al. 2022), torchvision's <c>convnext_tiny</c>: 28.6 million parameters at 1000 classes, for
    /// images of 32 pixels a side and more.
    /// </summary>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="generator">
    /// The random stream for initial values and stochastic depth; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <returns>The network, with initial weights, in training mode.</returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public static ConvNext ConvNextTiny(
        int classes = 1000, int channels = 3, Generator? generator = null) =>
        new(new() { Classes = classes, Channels = channels }, generator);
}
