namespace Adjoint.Nn;

/// <summary>
/// EfficientNet (Tan and Le 2019, table 1): inverted residuals with squeeze and excitation, SiLU, and stochastic depth,
/// whose probability grows to 0.2 along the network. Convolutions begin as N(0, 2 / fan-out), the linear layer as
/// U(−1/√classes, 1/√classes), biases as 0.
/// </summary>
public sealed class EfficientNet : ImageClassifier, ISavableModule<EfficientNet>
{
    private static readonly Stage[] B0 =
    [
        new(1, 3, 1, 16, 1), new(6, 3, 2, 24, 2), new(6, 5, 2, 40, 2), new(6, 3, 2, 80, 3), new(6, 5, 1, 112, 3),
        new(6, 5, 2, 192, 4), new(6, 3, 1, 320, 1),
    ];

    private readonly double width;

    internal EfficientNet(int classes, int channels, double width, Generator? generator)
        : base(channels, classes,
            Parts(classes, channels, width, Check("EfficientNet", classes, channels, width, generator))) =>
        this.width = width;

    private static (string, Layer)[] Parts(int classes, int channels, double width, Generator random)
    {
        var (inputs, before, all) = (ConvUnits.MultipleOf8(32 * width), 0, B0.Sum(stage => stage.Repeats));
        List<Layer> features = [ConvUnits.ConvNorm(channels, inputs, 3, random, new Silu(), stride: 2)];
        foreach (var stage in B0)
        {
            var (outputs, blocks) = (ConvUnits.MultipleOf8(stage.Outputs * width), new Layer[stage.Repeats]);
            for (var i = 0; i < blocks.Length; i++, before++)
            {
                blocks[i] = Block(inputs, outputs, stage, i == 0 ? stage.Stride : 1, 0.2 * before / all, random);
                inputs = outputs;
            }
            features.Add(new Sequential(blocks));
        }
        var last = 4 * inputs;
        features.Add(ConvUnits.ConvNorm(inputs, last, 1, random, new Silu()));
        return
        [
            ("features", new Sequential([.. features])),
            ("avgpool", new GlobalAvgPool2d()),
            ("classifier", new Sequential(
                new Dropout(0.2, random),
                new Linear(last, classes, initializer: Initializer.Uniform(1 / Math.Sqrt(classes)),
                    generator: random))),
        ];
    }

    private static InvertedResidual Block(
        int inputs, int outputs, Stage stage, int stride, double dropped, Generator random)
    {
        var expanded = stage.Factor * inputs;
        List<Layer> path = [];
        if (expanded != inputs) path.Add(ConvUnits.ConvNorm(inputs, expanded, 1, random, new Silu()));
        path.Add(ConvUnits.ConvNorm(expanded, expanded, stage.Kernel, random, new Silu(), stride, groups: expanded));
        path.Add(new SqueezeExcitation(
            expanded, inputs / 4, new Silu(), initializer: Initializer.KaimingFanOut(1), generator: random));
        path.Add(ConvUnits.ConvNorm(expanded, outputs, 1, random, null));
        return new(
            "block", new Sequential([.. path]), isResidual: stride == 1 && inputs == outputs,
            new StochasticDepth(dropped, random));
    }

    static EfficientNet ISavableModule<EfficientNet>.Create(ModuleSettings settings) =>
        new(settings.Integer("classes"), settings.Integer("channels"), settings.Number("width"), null);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("width", width);
        DescribeEnds(settings);
    }

    private readonly record struct Stage(int Factor, int Kernel, int Stride, int Outputs, int Repeats);
}

public static partial class VisionModels
{
    /// <summary>
    /// EfficientNet-B0 (Tan and Le 2019), 5.29 million parameters: torchvision's <c>efficientnet_b0</c>, (n, channels,
    /// h, w) → logits (n, classes).
    /// </summary>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="width">
    /// The factor of all channels, above 0 and at most 64; torchvision's weights need 1. Channels are rounded to
    /// multiples of 8.
    /// </param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <returns>The network, with initial weights, in training mode.</returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public static EfficientNet EfficientNetB0(
        int classes = 1000, int channels = 3, double width = 1, Generator? generator = null) =>
        new(classes, channels, width, generator);
}
