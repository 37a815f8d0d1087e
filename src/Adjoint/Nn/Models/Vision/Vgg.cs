namespace Adjoint.Nn;

/// <summary>
/// The networks of Simonyan and Zisserman 2015, table 1: 3×3 convolutions alone, in five stages that end with
/// max-pooling, and three large linear layers with dropout between them. Whatever the size of the images, 7×7 means go
/// into the linear layers. Convolutions begin as N(0, 2 / fan-out), linear layers as N(0, 0.01²), biases as 0.
/// </summary>
public sealed class Vgg : ImageClassifier, ISavableModule<Vgg>
{
    // Convolutions in each of the five stages.
    private static readonly (int Depth, int[] Stages)[] Known =
        [(11, [1, 1, 2, 2, 2]), (13, [2, 2, 2, 2, 2]), (16, [2, 2, 3, 3, 3]), (19, [2, 2, 4, 4, 4])];

    private readonly int width;

    internal Vgg(int depth, bool isNormalized, int classes, int channels, int width, Generator? generator)
        : base(channels, classes,
            Parts(depth, isNormalized, classes, channels, width, Check("Vgg", classes, channels, width, generator))) =>
        (Depth, IsNormalized, this.width) = (depth, isNormalized, width);

    /// <summary>The number of layers with weights.</summary>
    public int Depth { get; }

    /// <summary>Whether a batch norm follows each convolution.</summary>
    public bool IsNormalized { get; }

    private static (string, Layer)[] Parts(
        int depth, bool isNormalized, int classes, int channels, int width, Generator random)
    {
        if (Known.FirstOrDefault(one => one.Depth == depth).Stages is not { } stages)
            throw new AdjointException(
                $"Vgg: the number of layers must be {string.Join(", ", Known.Select(one => one.Depth))}: found "
                + $"{depth}");
        List<Layer> features = [];
        var (inputs, hidden) = (channels, 64 * width);
        for (var stage = 0; stage < 5; stage++)
        {
            var outputs = width << Math.Min(3, stage);
            for (var i = 0; i < stages[stage]; i++)
            {
                features.Add(new Conv2d(inputs, outputs, 3, new()
                {
                    Padding = 1,
                    Initializer = Initializer.KaimingFanOut(9),
                    Generator = random,
                }));
                if (isNormalized) features.Add(new BatchNorm(outputs));
                features.Add(new Relu());
                inputs = outputs;
            }
            features.Add(new MaxPool2d(2));
        }
        return
        [
            ("features", new Sequential([.. features])),
            ("avgpool", new AdaptiveAvgPool2d(7)),
            ("flatten", new Flatten()),
            ("classifier", new Sequential(
                Map(49 * inputs, hidden), new Relu(), new Dropout(0.5, random),
                Map(hidden, hidden), new Relu(), new Dropout(0.5, random),
                Map(hidden, classes))),
        ];

        Linear Map(int from, int to) => new(from, to, initializer: Initializer.Normal(0.01), generator: random);
    }

    static Vgg ISavableModule<Vgg>.Create(ModuleSettings settings) => new(
        settings.Integer("depth"), settings.Flag("norm"), settings.Integer("classes"), settings.Integer("channels"),
        settings.Integer("width"), null);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("depth", Depth);
        settings.Set("norm", IsNormalized);
        settings.Set("width", width);
        DescribeEnds(settings);
    }
}

public static partial class VisionModels
{
    /// <summary>
    /// VGG-11 (Simonyan and Zisserman 2015), 132.9 million parameters: torchvision's <c>vgg11</c>, (n, channels, h, w)
    /// → logits (n, classes), h and w from 32 on.
    /// </summary>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="width">
    /// The channels of the first stage, from 1 to 4096; torchvision's have 64. The linear
    /// layers have 64 times as many units.
    /// </param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <returns>The network, with initial weights, in training mode.</returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public static Vgg Vgg11(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(11, isNormalized: false, classes, channels, width, generator);

    /// <summary>VGG-13, 133.0 million parameters: torchvision's <c>vgg13</c>.</summary>
    /// <inheritdoc cref="Vgg11"/>
    public static Vgg Vgg13(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(13, isNormalized: false, classes, channels, width, generator);

    /// <summary>VGG-16, 138.4 million parameters: torchvision's <c>vgg16</c>.</summary>
    /// <inheritdoc cref="Vgg11"/>
    public static Vgg Vgg16(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(16, isNormalized: false, classes, channels, width, generator);

    /// <summary>VGG-19, 143.7 million parameters: torchvision's <c>vgg19</c>.</summary>
    /// <inheritdoc cref="Vgg11"/>
    public static Vgg Vgg19(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(19, isNormalized: false, classes, channels, width, generator);

    /// <summary>VGG-11 with batch norms, 132.9 million parameters: torchvision's <c>vgg11_bn</c>.</summary>
    /// <inheritdoc cref="Vgg11"/>
    public static Vgg Vgg11Bn(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(11, isNormalized: true, classes, channels, width, generator);

    /// <summary>VGG-13 with batch norms, 133.1 million parameters: torchvision's <c>vgg13_bn</c>.</summary>
    /// <inheritdoc cref="Vgg11"/>
    public static Vgg Vgg13Bn(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(13, isNormalized: true, classes, channels, width, generator);

    /// <summary>VGG-16 with batch norms, 138.4 million parameters: torchvision's <c>vgg16_bn</c>.</summary>
    /// <inheritdoc cref="Vgg11"/>
    public static Vgg Vgg16Bn(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(16, isNormalized: true, classes, channels, width, generator);

    /// <summary>VGG-19 with batch norms, 143.7 million parameters: torchvision's <c>vgg19_bn</c>.</summary>
    /// <inheritdoc cref="Vgg11"/>
    public static Vgg Vgg19Bn(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(19, isNormalized: true, classes, channels, width, generator);
}
