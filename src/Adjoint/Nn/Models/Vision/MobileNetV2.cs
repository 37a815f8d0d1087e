namespace Adjoint.Nn;

/// <summary>
/// MobileNet v2 (Sandler et al. 2018, table 2): inverted residuals, whose middle is a depthwise convolution, ReLU6
/// between, nothing after the projection. Convolutions begin as N(0, 2 / fan-out), the linear layer as N(0, 0.01²).
/// </summary>
public sealed class MobileNetV2 : ImageClassifier, ISavableModule<MobileNetV2>
{
    private readonly double width;

    internal MobileNetV2(int classes, int channels, double width, Generator? generator)
        : base(channels, classes,
            Parts(classes, channels, width, Check("MobileNetV2", classes, channels, width, generator))) =>
        this.width = width;

    private static (string, Layer)[] Parts(int classes, int channels, double width, Generator random)
    {
        var (inputs, last) = (ConvUnits.MultipleOf8(32 * width), ConvUnits.MultipleOf8(1280 * Math.Max(1, width)));
        List<Layer> features = [ConvUnits.ConvNorm(channels, inputs, 3, random, new Relu6(), stride: 2)];
        foreach (var (factor, wide, repeats, stride) in ((int, int, int, int)[])
            [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)])
            for (var (i, outputs) = (0, ConvUnits.MultipleOf8(wide * width)); i < repeats; i++)
            {
                features.Add(Block(inputs, factor * inputs, outputs, i == 0 ? stride : 1, random));
                inputs = outputs;
            }
        features.Add(ConvUnits.ConvNorm(inputs, last, 1, random, new Relu6()));
        return
        [
            ("features", new Sequential([.. features])),
            ("avgpool", new GlobalAvgPool2d()),
            ("classifier", new Sequential(
                new Dropout(0.2, random),
                new Linear(last, classes, initializer: Initializer.Normal(0.01), generator: random))),
        ];
    }

    private static InvertedResidual Block(int inputs, int expanded, int outputs, int stride, Generator random)
    {
        List<Layer> path = [];
        if (expanded != inputs) path.Add(ConvUnits.ConvNorm(inputs, expanded, 1, random, new Relu6()));
        path.Add(ConvUnits.ConvNorm(expanded, expanded, 3, random, new Relu6(), stride, groups: expanded));
        path.Add(ConvUnits.Conv(expanded, outputs, 1, random));
        path.Add(new BatchNorm(outputs));
        return new("conv", new Sequential([.. path]), isResidual: stride == 1 && inputs == outputs);
    }

    static MobileNetV2 ISavableModule<MobileNetV2>.Create(ModuleSettings settings) =>
        new(settings.Integer("classes"), settings.Integer("channels"), settings.Number("width"), null);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("width", width);
        DescribeEnds(settings);
    }
}

public static partial class VisionModels
{
    /// <summary>
    /// MobileNet v2 (Sandler et al. 2018), 3.50 million parameters: torchvision's <c>mobilenet_v2</c>, (n, channels, h,
    /// w) → logits (n, classes).
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
    public static MobileNetV2 MobileNetV2(
        int classes = 1000, int channels = 3, double width = 1, Generator? generator = null) =>
        new(classes, channels, width, generator);
}
