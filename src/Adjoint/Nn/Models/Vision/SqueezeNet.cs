namespace Adjoint.Nn;

/// <summary>
/// SqueezeNet (Iandola et al. 2016): fire modules, whose 1×1 convolution squeezes the channels before 1×1 and 3×3
/// convolutions expand them, and a 1×1 convolution to classes whose maps are averaged. Version 1.1 pools earlier, and
/// computes 2.4 times less. Convolutions begin as Kaiming uniform, the last one as N(0, 0.01²), biases as 0.
/// </summary>
public sealed class SqueezeNet : ImageClassifier, ISavableModule<SqueezeNet>
{
    internal SqueezeNet(string version, int classes, int channels, Generator? generator)
        : base(channels, classes,
            Parts(version, classes, channels, Check("SqueezeNet", classes, channels, generator))) => Version = version;

    /// <summary>Which of the authors' two versions it is: "1.0" or "1.1".</summary>
    public string Version { get; }

    private static (string, Layer)[] Parts(string version, int classes, int channels, Generator random)
    {
        Layer[] features = version switch
        {
            "1.0" =>
            [
                Conv(channels, 96, 7, 2), new Relu(), Pool(), Fire(96, 16), Fire(128, 16), Fire(128, 32), Pool(),
                Fire(256, 32), Fire(256, 48), Fire(384, 48), Fire(384, 64), Pool(), Fire(512, 64),
            ],
            "1.1" =>
            [
                Conv(channels, 64, 3, 2), new Relu(), Pool(), Fire(64, 16), Fire(128, 16), Pool(), Fire(128, 32),
                Fire(256, 32), Pool(), Fire(256, 48), Fire(384, 48), Fire(384, 64), Fire(512, 64),
            ],
            _ => throw new AdjointException($"SqueezeNet: the version must be 1.0 or 1.1: found '{version}'"),
        };
        var last = new Conv2d(
            512, classes, 1, new() { Initializer = Initializer.Normal(0.01), Generator = random });
        return
        [
            ("features", new Sequential(features)),
            ("classifier", new Sequential(new Dropout(0.5, random), last, new Relu(), new GlobalAvgPool2d())),
        ];

        Conv2d Conv(int from, int to, int kernel, int stride) => new(from, to, kernel, new()
        {
            Stride = stride,
            Initializer = Initializer.KaimingUniform,
            Generator = random,
        });

        MaxPool2d Pool() => new(3, 2, ceilMode: true);

        FireModule Fire(int inputs, int squeezed) => new(inputs, squeezed, 4 * squeezed, random);
    }

    static SqueezeNet ISavableModule<SqueezeNet>.Create(ModuleSettings settings) => new(
        settings.Text("version"), settings.Integer("classes"), settings.Integer("channels"), null);

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("version", Version);
        DescribeEnds(settings);
    }
}

/// <summary>
/// Squeezes the channels by a 1×1 convolution, and expands them by 1×1 and 3×3 convolutions, whose channels follow one
/// another; ReLU after each.
/// </summary>
internal sealed class FireModule : Layer
{
    private readonly Sequential squeeze, narrow, wide;

    internal FireModule(int inputs, int squeezed, int expanded, Generator random)
    {
        squeeze = Unit("squeeze", inputs, squeezed, 1);
        narrow = Unit("expand1x1", squeezed, expanded, 1);
        wide = Unit("expand3x3", squeezed, expanded, 3);

        Sequential Unit(string name, int from, int to, int kernel)
        {
            var conv = AddChild(name, new Conv2d(from, to, kernel, new()
            {
                Padding = kernel / 2,
                Initializer = Initializer.KaimingUniform,
                Generator = random,
            }));
            return new(conv, AddChild($"{name}_activation", new Relu()));
        }
    }

    protected override Tensor ForwardCore(Tensor x)
    {
        var y = squeeze.Forward(x);
        return Tensor.Concat([narrow.Forward(y), wide.Forward(y)], 1);
    }
}

public static partial class VisionModels
{
    /// <summary>
    /// SqueezeNet 1.0 (Iandola et al. 2016), 1.25 million parameters: torchvision's <c>squeezenet1_0</c>, (n, channels,
    /// h, w) → logits (n, classes), h and w from 21 on.
    /// </summary>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <returns>The network, with initial weights, in training mode.</returns>
    /// <exception cref="AdjointException">A number is not positive.</exception>
    public static SqueezeNet SqueezeNet10(int classes = 1000, int channels = 3, Generator? generator = null) =>
        new("1.0", classes, channels, generator);

    /// <summary>SqueezeNet 1.1, 1.24 million parameters: torchvision's <c>squeezenet1_1</c>.</summary>
    /// <inheritdoc cref="SqueezeNet10"/>
    public static SqueezeNet SqueezeNet11(int classes = 1000, int channels = 3, Generator? generator = null) =>
        new("1.1", classes, channels, generator);
}
