namespace Adjoint.Nn;

/// <summary>
/// MobileNet v3 (Howard et al. 2019, tables 1 and 2): inverted residuals, some with squeeze and excitation, ReLU first
/// and hard swish later. Norms have ε = 0.001 and momentum 0.01. Convolutions begin as N(0, 2 / fan-out), linear layers
/// as N(0, 0.01²), biases as 0.
/// </summary>
public sealed class MobileNetV3 : ImageClassifier, ISavableModule<MobileNetV3>
{
    private static readonly Row[] Large =
    [
        new(3, 16, 16, false, false, 1), new(3, 64, 24, false, false, 2), new(3, 72, 24, false, false, 1),
        new(5, 72, 40, true, false, 2), new(5, 120, 40, true, false, 1), new(5, 120, 40, true, false, 1),
        new(3, 240, 80, false, true, 2), new(3, 200, 80, false, true, 1), new(3, 184, 80, false, true, 1),
        new(3, 184, 80, false, true, 1), new(3, 480, 112, true, true, 1), new(3, 672, 112, true, true, 1),
        new(5, 672, 160, true, true, 2), new(5, 960, 160, true, true, 1), new(5, 960, 160, true, true, 1),
    ];

    private static readonly Row[] Small =
    [
        new(3, 16, 16, true, false, 2), new(3, 72, 24, false, false, 2), new(3, 88, 24, false, false, 1),
        new(5, 96, 40, true, true, 2), new(5, 240, 40, true, true, 1), new(5, 240, 40, true, true, 1),
        new(5, 120, 48, true, true, 1), new(5, 144, 48, true, true, 1), new(5, 288, 96, true, true, 2),
        new(5, 576, 96, true, true, 1), new(5, 576, 96, true, true, 1),
    ];

    private readonly double width;

    internal MobileNetV3(bool isLarge, int classes, int channels, double width, Generator? generator)
        : base(channels, classes,
            Parts(isLarge, classes, channels, width, Check("MobileNetV3", classes, channels, width, generator))) =>
        (IsLarge, this.width) = (isLarge, width);

    /// <summary>Whether it is the large one of the two.</summary>
    public bool IsLarge { get; }

    private static (string, Layer)[] Parts(
        bool isLarge, int classes, int channels, double width, Generator random)
    {
        var inputs = ConvUnits.MultipleOf8(16 * width);
        List<Layer> features = [Unit(channels, inputs, 3, new HardSwish(), random, stride: 2)];
        foreach (var unscaled in isLarge ? Large : Small)
        {
            var row = unscaled with
            {
                Expanded = ConvUnits.MultipleOf8(unscaled.Expanded * width),
                Outputs = ConvUnits.MultipleOf8(unscaled.Outputs * width),
            };
            features.Add(Block(inputs, row, random));
            inputs = row.Outputs;
        }
        var (last, hidden) = (6 * inputs, ConvUnits.MultipleOf8((isLarge ? 1280 : 1024) * width));
        features.Add(Unit(inputs, last, 1, new HardSwish(), random));
        return
        [
            ("features", new Sequential([.. features])),
            ("avgpool", new GlobalAvgPool2d()),
            ("classifier", new Sequential(
                Map(last, hidden), new HardSwish(), new Dropout(0.2, random), Map(hidden, classes))),
        ];

        Linear Map(int from, int to) => new(from, to, initializer: Initializer.Normal(0.01), generator: random);
    }

    private static InvertedResidual Block(int inputs, Row row, Generator random)
    {
        List<Layer> path = [];
        if (row.Expanded != inputs) path.Add(Unit(inputs, row.Expanded, 1, Activation(), random));
        path.Add(Unit(row.Expanded, row.Expanded, row.Kernel, Activation(), random, row.Stride, row.Expanded));
        if (row.IsExcited)
            path.Add(new SqueezeExcitation(
                row.Expanded, ConvUnits.MultipleOf8(row.Expanded / 4), gate: new HardSigmoid(),
                initializer: Initializer.KaimingFanOut(1), generator: random));
        path.Add(Unit(row.Expanded, row.Outputs, 1, null, random));
        return new("block", new Sequential([.. path]), isResidual: row.Stride == 1 && inputs == row.Outputs);

        Layer Activation() => row.IsSwish ? new HardSwish() : new Relu();
    }

    private static Sequential Unit(int inputs, int outputs, int kernel, Layer? activation, Generator random,
        int stride = 1, int groups = 1) =>
        ConvUnits.ConvNorm(inputs, outputs, kernel, random, activation, stride, groups, momentum: 0.01, epsilon: 0.001);

    static MobileNetV3 ISavableModule<MobileNetV3>.Create(ModuleSettings settings) => new(
        settings.Flag("large"), settings.Integer("classes"), settings.Integer("channels"),
        settings.Number("width"), null);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("large", IsLarge);
        settings.Set("width", width);
        DescribeEnds(settings);
    }

    private readonly record struct Row(
        int Kernel, int Expanded, int Outputs, bool IsExcited, bool IsSwish, int Stride);
}

public static partial class VisionModels
{
    /// <summary>
    /// MobileNet v3, the large one (Howard et al. 2019), 5.48 million parameters: torchvision's
    /// <c>mobilenet_v3_large</c>, (n, channels, h, w) → logits (n, classes).
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
    public static MobileNetV3 MobileNetV3Large(
        int classes = 1000, int channels = 3, double width = 1, Generator? generator = null) =>
        new(isLarge: true, classes, channels, width, generator);

    /// <summary>
    /// MobileNet v3, the small one, 2.54 million parameters: torchvision's <c>mobilenet_v3_small</c>.
    /// </summary>
    /// <inheritdoc cref="MobileNetV3Large"/>
    public static MobileNetV3 MobileNetV3Small(
        int classes = 1000, int channels = 3, double width = 1, Generator? generator = null) =>
        new(isLarge: false, classes, channels, width, generator);
}
