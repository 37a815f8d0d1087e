namespace Adjoint.Nn;

/// <summary>The networks for images, by name, as an explicit list.</summary>
public static class ModelZoo
{
    /// <summary>
    /// Names, and functions that create the network for (channels, classes, generator, images of the training data).
    /// </summary>
    public static IReadOnlyList<(string Name, Func<int, int, Generator, Tensor?, Layer> Create)> All { get; } =
    [
        ("lenet", (_, classes, random, _) => new LeNetCifar(classes, random)),
        ("lenet5", (_, classes, random, _) => new LeNet5(classes, random)),
        ("resnet20", (channels, classes, random, _) => new CifarResNet(20, channels, classes, generator: random)),
        ("resnet32", (channels, classes, random, _) => new CifarResNet(32, channels, classes, generator: random)),
        ("resnet44", (channels, classes, random, _) => new CifarResNet(44, channels, classes, generator: random)),
        ("resnet56", (channels, classes, random, _) => new CifarResNet(56, channels, classes, generator: random)),
        ("speednet", (channels, classes, random, images) => new SpeedNet(channels, classes, random, images)),
    ];
}
