namespace Adjoint.Nn;

/// <summary>
/// ShuffleNet v2 (Ma et al. 2018, table 5): units that leave half of the channels alone, convolve the others, and
/// shuffle both. Weights begin as PyTorch's defaults.
/// </summary>
public sealed class ShuffleNetV2 : ImageClassifier, ISavableModule<ShuffleNetV2>
{
    private static readonly (double Width, int[] Channels)[] Known =
    [
        (0.5, [48, 96, 192, 1024]), (1, [116, 232, 464, 1024]), (1.5, [176, 352, 704, 1024]),
        (2, [244, 488, 976, 2048]),
    ];

    internal ShuffleNetV2(double width, int classes, int channels, Generator? generator)
        : base(channels, classes,
            Parts(width, classes, channels, Check("ShuffleNetV2", classes, channels, generator))) => Width = width;

    /// <summary>The factor of the channels: 0.5, 1, 1.5 or 2.</summary>
    public double Width { get; }

    private static (string, Layer)[] Parts(double width, int classes, int channels, Generator random)
    {
        if (Known.FirstOrDefault(one => one.Width == width).Channels is not { } stages)
            throw new AdjointException(FormattableString.Invariant(
                $"ShuffleNetV2: the factor of the channels must be 0.5, 1, 1.5 or 2: found {width}"));
        var inputs = 24;
        List<(string, Layer)> parts =
        [
            ("conv1", new Sequential(
                new Conv2d(channels, inputs, 3, new() { Stride = 2, Padding = 1, Bias = false, Generator = random }),
                new BatchNorm(inputs), new Relu())),
            ("maxpool", new MaxPool2d(3, 2, 1)),
        ];
        foreach (var (stage, repeats) in ((int, int)[])[(0, 4), (1, 8), (2, 4)])
        {
            var units = new Layer[repeats];
            for (var i = 0; i < repeats; i++)
            {
                units[i] = new ShuffleUnit(inputs, stages[stage], i == 0, random);
                inputs = stages[stage];
            }
            parts.Add(($"stage{stage + 2}", new Sequential(units)));
        }
        return
        [
            .. parts,
            ("conv5", new Sequential(
                new Conv2d(inputs, stages[3], 1, new() { Bias = false, Generator = random }),
                new BatchNorm(stages[3]), new Relu())),
            ("avgpool", new GlobalAvgPool2d()), ("fc", new Linear(stages[3], classes, generator: random)),
        ];
    }

    static ShuffleNetV2 ISavableModule<ShuffleNetV2>.Create(ModuleSettings settings) => new(
        settings.Number("width"), settings.Integer("classes"), settings.Integer("channels"), null);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("width", Width);
        DescribeEnds(settings);
    }
}

/// <summary>
/// A unit of ShuffleNet v2: one half of the channels passes, the other goes through 1×1, depthwise 3×3 and 1×1
/// convolutions, and both are shuffled. A unit that halves the image sends all channels through both branches.
/// </summary>
internal sealed class ShuffleUnit : Layer
{
    private readonly Sequential? first;
    private readonly Sequential second;

    internal ShuffleUnit(int inputs, int outputs, bool isHalving, Generator random)
    {
        var (width, stride) = (outputs / 2, isHalving ? 2 : 1);
        if (isHalving)
            first = new Sequential(
                Conv(inputs, inputs, 3, stride, inputs), new BatchNorm(inputs),
                Conv(inputs, width, 1), new BatchNorm(width), new Relu());
        AddChild("branch1", first ?? new Sequential());
        second = AddChild("branch2", new Sequential(
            Conv(isHalving ? inputs : width, width, 1), new BatchNorm(width), new Relu(),
            Conv(width, width, 3, stride, width), new BatchNorm(width),
            Conv(width, width, 1), new BatchNorm(width), new Relu()));

        Conv2d Conv(int from, int to, int kernel, int stride = 1, int groups = 1) => new(from, to, kernel, new()
        {
            Stride = stride,
            Padding = kernel / 2,
            Groups = groups,
            Bias = false,
            Generator = random,
        });
    }

    protected override Tensor ForwardCore(Tensor x)
    {
        var halves = first is null ? x.Chunk(2, 1) : [x, x];
        var left = first is null ? halves[0] : first.Forward(halves[0]);
        return Tensor.Concat([left, second.Forward(halves[1])], 1).ChannelShuffle(2);
    }
}

public static partial class VisionModels
{
    /// <summary>
    /// ShuffleNet v2 with half of the channels (Ma et al. 2018), 1.37 million parameters: torchvision's
    /// <c>shufflenet_v2_x0_5</c>, (n, channels, h, w) → logits (n, classes).
    /// </summary>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <returns>The network, with initial weights, in training mode.</returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public static ShuffleNetV2 ShuffleNetV2X05(int classes = 1000, int channels = 3, Generator? generator = null) =>
        new(0.5, classes, channels, generator);

    /// <summary>ShuffleNet v2, 2.28 million parameters: torchvision's <c>shufflenet_v2_x1_0</c>.</summary>
    /// <inheritdoc cref="ShuffleNetV2X05"/>
    public static ShuffleNetV2 ShuffleNetV2X10(int classes = 1000, int channels = 3, Generator? generator = null) =>
        new(1, classes, channels, generator);

    /// <summary>
    /// ShuffleNet v2, 1.5 times as wide, 3.50 million parameters: torchvision's <c>shufflenet_v2_x1_5</c>.
    /// </summary>
    /// <inheritdoc cref="ShuffleNetV2X05"/>
    public static ShuffleNetV2 ShuffleNetV2X15(int classes = 1000, int channels = 3, Generator? generator = null) =>
        new(1.5, classes, channels, generator);

    /// <summary>
    /// ShuffleNet v2, twice as wide, 7.39 million parameters: torchvision's <c>shufflenet_v2_x2_0</c>.
    /// </summary>
    /// <inheritdoc cref="ShuffleNetV2X05"/>
    public static ShuffleNetV2 ShuffleNetV2X20(int classes = 1000, int channels = 3, Generator? generator = null) =>
        new(2, classes, channels, generator);
}
