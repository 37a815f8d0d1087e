namespace Adjoint.Nn;

/// <summary>
/// The residual networks for CIFAR (He et al. 2015, §4.2) of 6n + 2 layers: a 3×3 convolution to 16 channels, three
/// stages of n blocks with 16, 32 and 64 channels, global mean, one linear layer. Where a stage halves the image, the
/// shortcut skips every second position and fills new channels with zeros (the paper's option A). Convolutions and the
/// linear layer begin as Kaiming normal (He et al. 2015b), the bias as 0.
/// </summary>
public sealed class CifarResNet : Sequential, ISavableModule<CifarResNet>
{
    /// <summary>Creates a network of 20, 32, 44, 56, … layers.</summary>
    /// <param name="layers">The number of layers with weights, 6n + 2.</param>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="width">The channels of the first stage; the others have 2 and 4 times as many.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <exception cref="AdjointException">The number of layers is not 6n + 2.</exception>
    public CifarResNet(int layers, int channels = 3, int classes = 10, int width = 16, Generator? generator = null)
        : base(Layers(layers, channels, classes, width, generator ?? Generator.Default)) => Depth = layers;

    /// <summary>The number of layers with weights.</summary>
    public int Depth { get; }

    // Of each of its convolutions, which are 3×3 and followed by a norm.
    internal static Conv2dOptions Kaiming(Generator? generator) =>
        new() { Padding = 1, Bias = false, Initializer = Initializer.KaimingNormal, Generator = generator };

    private static Layer[] Layers(int layers, int channels, int classes, int width, Generator random)
    {
        if (layers < 8 || (layers - 2) % 6 != 0)
            throw new AdjointException(
                $"CifarResNet: the number of layers must be 6n + 2, such as 20, 32, 44, 56: found {layers}");
        List<Layer> modules =
        [
            new Conv2d(channels, width, 3, Kaiming(random)),
            new BatchNorm(width),
            new Relu(),
        ];
        var inputs = width;
        foreach (var outputs in (int[])[width, 2 * width, 4 * width])
            for (var block = 0; block < (layers - 2) / 6; block++)
            {
                modules.Add(new ResidualBlock(inputs, outputs, inputs == outputs ? 1 : 2, random));
                inputs = outputs;
            }
        return [.. modules, new GlobalAvgPool2d(),
            new Linear(inputs, classes, initializer: Initializer.KaimingNormal, generator: random)];
    }

    // Its name before the networks for ImageNet came.
    static string ISavableModule<CifarResNet>.TypeName => "ResNet";

    static CifarResNet ISavableModule<CifarResNet>.Create(ModuleSettings settings) => new(
        settings.Integer("layers"), settings.Integer("channels"), settings.Integer("classes"),
        settings.Integer("width", max: 1 << 20));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        var first = (Conv2d)this[0];
        settings.Set("layers", Depth);
        settings.Set("channels", first.Inputs);
        settings.Set("classes", ((Linear)this[^1]).Outputs);
        settings.Set("width", first.Outputs);
    }
}

/// <summary>
/// A residual block, y = ReLU(x + norm(conv(ReLU(norm(conv(x)))))), whose shortcut is subsampled where the block has a
/// stride.
/// </summary>
public sealed class ResidualBlock : Layer, ISavableModule<ResidualBlock>
{
    private readonly Sequential path;
    private readonly int inputs, outputs, stride;

    /// <summary>Creates a block with the given numbers of channels.</summary>
    /// <param name="inputs">The number of input channels, 1 or more.</param>
    /// <param name="outputs">The number of output channels, at least as many as inputs.</param>
    /// <param name="stride">The step of the first convolution: 2 halves the image.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    public ResidualBlock(int inputs, int outputs, int stride = 1, Generator? generator = null)
    {
        (this.inputs, this.outputs, this.stride) = (inputs, outputs, stride);
        var options = CifarResNet.Kaiming(generator);
        path = AddChild("path", new Sequential(
            new Conv2d(inputs, outputs, 3, options with { Stride = stride }), new BatchNorm(outputs), new Relu(),
            new Conv2d(outputs, outputs, 3, options), new BatchNorm(outputs)));
    }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        var shortcut = x;
        if (stride > 1)
            shortcut = shortcut.Slice(2, 0, (x.Shape[2] + stride - 1) / stride, stride)
                .Slice(3, 0, (x.Shape[3] + stride - 1) / stride, stride);
        var newChannels = outputs - inputs;
        if (newChannels > 0) shortcut = shortcut.PadAxis(1, newChannels / 2, newChannels - newChannels / 2);
        return (path.Forward(x) + shortcut).Relu();
    }

    static ResidualBlock ISavableModule<ResidualBlock>.Create(ModuleSettings settings) =>
        new(settings.Integer("inputs"), settings.Integer("outputs"), settings.Integer("stride"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("inputs", inputs);
        settings.Set("outputs", outputs);
        settings.Set("stride", stride);
    }
}
