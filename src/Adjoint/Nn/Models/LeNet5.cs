namespace Adjoint.Nn;

/// <summary>
/// LeNet-5 for 28×28 gray images (LeCun et al. 1998), in its modern form: padding 2 in place of the paper's 32×32
/// input, ReLU, max-pooling, a second convolution over all six maps, logits at the end.
/// </summary>
/// <param name="classes">The number of classes, 1 or more.</param>
/// <param name="generator">
/// The random stream for the initial values; <see cref="Generator.Default"/> by default.
/// </param>
public sealed class LeNet5(int classes = 10, Generator? generator = null)
    : Sequential(Layers(classes, generator ?? Generator.Default)), ISavableModule<LeNet5>
{
    private static Layer[] Layers(int classes, Generator random) =>
    [
        new Conv2d(1, 6, 5, new() { Padding = 2, Generator = random }), new Relu(), new MaxPool2d(2),
        new Conv2d(6, 16, 5, new() { Generator = random }), new Relu(), new MaxPool2d(2),
        new Flatten(), new Linear(400, 120, generator: random), new Relu(), new Linear(120, 84, generator: random),
            new Relu(), new Linear(84, classes, generator: random),
    ];

    static LeNet5 ISavableModule<LeNet5>.Create(ModuleSettings settings) => new(settings.Integer("classes"));

    void ISavableModule.Describe(ModuleSettings settings) =>
        settings.Set("classes", ((Linear)this[^1]).Outputs);
}
