namespace Adjoint.Nn;

/// <summary>
/// The small network of PyTorch's CIFAR-10 tutorial: conv 3→6 5×5, ReLU, max-pool 2, conv 6→16 5×5, ReLU, max-pool 2,
/// 400→120→84→10 with ReLU between. Layers begin as PyTorch's do.
/// </summary>
/// <param name="classes">The number of classes, 1 or more.</param>
/// <param name="generator">
/// The random stream for the initial values; <see cref="Generator.Default"/> by default.
/// </param>
public sealed class LeNetCifar(int classes = 10, Generator? generator = null)
    : Sequential(Layers(classes, generator ?? Generator.Default)), ISavableModule<LeNetCifar>
{
    private static Layer[] Layers(int classes, Generator random) =>
    [
        new Conv2d(3, 6, 5, new() { Generator = random }), new Relu(), new MaxPool2d(2),
        new Conv2d(6, 16, 5, new() { Generator = random }), new Relu(), new MaxPool2d(2),
        new Flatten(), new Linear(400, 120, generator: random), new Relu(), new Linear(120, 84, generator: random),
            new Relu(), new Linear(84, classes, generator: random),
    ];

    static LeNetCifar ISavableModule<LeNetCifar>.Create(ModuleSettings settings) => new(settings.Integer("classes"));

    void ISavableModule.Describe(ModuleSettings settings) =>
        settings.Set("classes", ((Linear)this[^1]).Outputs);
}
