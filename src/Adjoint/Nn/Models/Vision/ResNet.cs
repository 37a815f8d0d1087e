namespace Adjoint.Nn;

/// <summary>
/// The residual networks for ImageNet (He et al. 2015, table 1): a 7×7 convolution, max-pooling, four stages of
/// residual blocks, the mean over all positions, one linear layer. Blocks of three convolutions, from 50 layers on,
/// have their stride at the 3×3 one, as torchvision has it. <see cref="CifarResNet"/> is the network for small images.
/// </summary>
public sealed class ResNet : ImageClassifier, ISavableModule<ResNet>
{
    private static readonly (int Depth, int[] Blocks)[] Known =
    [
        (18, [2, 2, 2, 2]), (34, [3, 4, 6, 3]), (50, [3, 4, 6, 3]), (101, [3, 4, 23, 3]), (152, [3, 8, 36, 3]),
    ];

    private readonly int width;

    internal ResNet(int depth, int classes, int channels, int width, Generator? generator)
        : base(channels, classes,
            Parts(depth, classes, channels, width, Check("ResNet", classes, channels, width, generator))) =>
        (Depth, this.width) = (depth, width);

    /// <summary>The number of layers with weights, those of shortcuts not counted.</summary>
    public int Depth { get; }

    private static (string, Layer)[] Parts(
        int depth, int classes, int channels, int width, Generator random)
    {
        if (Known.FirstOrDefault(one => one.Depth == depth).Blocks is not { } blocks)
            throw new AdjointException(
                $"ResNet: the number of layers must be {string.Join(", ", Known.Select(one => one.Depth))}: found "
                + $"{depth}");
        var inputs = width;
        List<(string, Layer)> parts =
        [
            ("conv1", ConvUnits.Conv(channels, inputs, 7, random, stride: 2)),
            ("bn1", new BatchNorm(inputs)),
            ("relu", new Relu()),
            ("maxpool", new MaxPool2d(3, 2, 1)),
        ];
        for (var stage = 0; stage < 4; stage++)
        {
            var layers = new Layer[blocks[stage]];
            for (var i = 0; i < layers.Length; i++)
            {
                var block = new ImageNetBlock(
                    inputs, width << stage, stage > 0 && i == 0 ? 2 : 1, isBottleneck: depth >= 50, random);
                (layers[i], inputs) = (block, block.Outputs);
            }
            parts.Add(($"layer{stage + 1}", new Sequential(layers)));
        }
        return [.. parts, ("avgpool", new GlobalAvgPool2d()), ("fc", new Linear(inputs, classes, generator: random))];
    }

    // The older name of the networks for CIFAR is ResNet.
    static string ISavableModule<ResNet>.TypeName => "ImageNetResNet";

    static ResNet ISavableModule<ResNet>.Create(ModuleSettings settings) => new(
        settings.Integer("depth"), settings.Integer("classes"), settings.Integer("channels"),
        settings.Integer("width"), null);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("depth", Depth);
        settings.Set("width", width);
        DescribeEnds(settings);
    }
}

/// <summary>
/// A residual block, y = ReLU(path(x) + shortcut(x)): two 3×3 convolutions, or a bottleneck of 1×1, 3×3 and 1×1, whose
/// last one has four times the channels. Where the shape changes, the shortcut is a 1×1 convolution (option B).
/// </summary>
internal sealed class ImageNetBlock : Layer
{
    private readonly Layer[] path;
    private readonly Sequential? shortcut;
    private readonly Relu relu = new();

    internal ImageNetBlock(int inputs, int width, int stride, bool isBottleneck, Generator random)
    {
        Outputs = isBottleneck ? 4 * width : width;
        (int Inputs, int Outputs, int Kernel, int Stride)[] convolutions = isBottleneck
            ? [(inputs, width, 1, 1), (width, width, 3, stride), (width, Outputs, 1, 1)]
            : [(inputs, width, 3, stride), (width, width, 3, 1)];
        List<Layer> layers = [];
        for (var i = 0; i < convolutions.Length; i++)
        {
            var (from, to, kernel, step) = convolutions[i];
            layers.Add(AddChild($"conv{i + 1}", ConvUnits.Conv(from, to, kernel, random, step)));
            layers.Add(AddChild($"bn{i + 1}", new BatchNorm(to)));
            if (i < convolutions.Length - 1) layers.Add(relu);
        }
        path = [.. layers];
        AddChild("relu", relu);
        if (stride == 1 && inputs == Outputs) return;
        shortcut = AddChild("downsample", ConvUnits.ConvNorm(inputs, Outputs, 1, random, null, stride));
    }

    internal int Outputs { get; }

    protected override Tensor ForwardCore(Tensor x)
    {
        var y = x;
        foreach (var layer in path) y = layer.Forward(y);
        return relu.Forward(y + (shortcut?.Forward(x) ?? x));
    }
}

public static partial class VisionModels
{
    /// <summary>
    /// ResNet-18 (He et al. 2015), 11.7 million parameters: torchvision's <c>resnet18</c>, (n, channels, h, w) →
    /// logits (n, classes).
    /// </summary>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="width">
    /// The channels of the first stage, from 1 to 4096; torchvision's have 64. A narrower network learns faster.
    /// </param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <returns>The network, with initial weights, in training mode.</returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public static ResNet ResNet18(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(18, classes, channels, width, generator);

    /// <summary>ResNet-34, 21.8 million parameters: torchvision's <c>resnet34</c>.</summary>
    /// <inheritdoc cref="ResNet18"/>
    public static ResNet ResNet34(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(34, classes, channels, width, generator);

    /// <summary>ResNet-50, 25.6 million parameters: torchvision's <c>resnet50</c>.</summary>
    /// <inheritdoc cref="ResNet18"/>
    public static ResNet ResNet50(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(50, classes, channels, width, generator);

    /// <summary>ResNet-101, 44.5 million parameters: torchvision's <c>resnet101</c>.</summary>
    /// <inheritdoc cref="ResNet18"/>
    public static ResNet ResNet101(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(101, classes, channels, width, generator);

    /// <summary>ResNet-152, 60.2 million parameters: torchvision's <c>resnet152</c>.</summary>
    /// <inheritdoc cref="ResNet18"/>
    public static ResNet ResNet152(
        int classes = 1000, int channels = 3, int width = 64, Generator? generator = null) =>
        new(152, classes, channels, width, generator);
}
