namespace Adjoint.Nn;

/// <summary>
/// A small network that learns CIFAR-10 fast, after Jordan 2024 ("94% on CIFAR-10 in 3.29 Seconds on a Single GPU") and
/// Page 2018 ("How to Train Your ResNet"): a 2×2 whitening convolution whose filters are computed from the data and
/// stay fixed, GELU, three blocks of conv–pool–norm–GELU–conv–norm–GELU with 64, 256 and 256 channels, max-pooling of
/// the rest, one linear layer, logits divided by 9. Convolutions of the blocks begin as the identity in their first
/// channels and as PyTorch's default in the others; norms have no scale and follow their batches with momentum 0.4. For
/// images of 25 to 48 pixels a side.
/// </summary>
public sealed class SpeedNet : Sequential, ISavableModule<SpeedNet>
{
    /// <summary>
    /// Creates a network; <paramref name="images"/>, samples of the training data, decide the whitening filters.
    /// </summary>
    /// <param name="channels">The channels of the images, 1 or more.</param>
    /// <param name="classes">The number of classes, 1 or more.</param>
    /// <param name="generator">
    /// The random stream for the initial values; <see cref="Generator.Default"/> by default.
    /// </param>
    /// <param name="images">Samples (n, channels, h, w); null: random filters.</param>
    public SpeedNet(int channels = 3, int classes = 10, Generator? generator = null, Tensor? images = null)
        : base(Layers(channels, classes, generator ?? Generator.Default, images)) { }

    private static Layer[] Layers(int channels, int classes, Generator random, Tensor? images) =>
    [
        new WhiteningConv2d(channels, 2, images, random), new Gelu(),
        .. Block(8 * channels, 64, random), .. Block(64, 256, random), .. Block(256, 256, random),
        new MaxPool2d(3), new Flatten(), new Linear(256, classes, bias: false, generator: random), new Scale(1.0 / 9),
    ];

    private static Layer[] Block(int inputs, int outputs, Generator random) =>
    [
        Identity(inputs, outputs, random), new MaxPool2d(2), new BatchNorm(outputs, 0.4, 1e-12, scale: false),
            new Gelu(),
        Identity(outputs, outputs, random), new BatchNorm(outputs, 0.4, 1e-12, scale: false), new Gelu(),
    ];

    private static Conv2d Identity(int inputs, int outputs, Generator random)
    {
        var layer = new Conv2d(inputs, outputs, 3, new() { Padding = 1, Bias = false, Generator = random });
        var weight = layer.Weight.ToArray<float>();
        for (var o = 0; o < Math.Min(inputs, outputs); o++)
        {
            var filter = weight.AsSpan(o * inputs * 9, inputs * 9);
            filter.Clear();
            filter[o * 9 + 4] = 1;
        }
        layer.Weight.CopyFrom<float>(weight);
        return layer;
    }

    static SpeedNet ISavableModule<SpeedNet>.Create(ModuleSettings settings) =>
        new(settings.Integer("channels"), settings.Integer("classes"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("channels", ((WhiteningConv2d)this[0]).Weight.Shape[1]);
        settings.Set("classes", ((Linear)this[^2]).Outputs);
    }
}

/// <summary>Multiplies by a constant: y = factor · x.</summary>
/// <param name="factor">The factor of every element.</param>
public sealed class Scale(double factor) : Layer, ISavableModule<Scale>
{
    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x) => x * factor;

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"Scale({factor:0.###})");

    static Scale ISavableModule<Scale>.Create(ModuleSettings settings) => new(settings.Number("factor"));

    void ISavableModule.Describe(ModuleSettings settings) => settings.Set("factor", factor);
}
