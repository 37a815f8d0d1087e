namespace Adjoint.Nn;

/// <summary>
/// The networks for images, by name, as an explicit list; those of <see cref="VisionModels"/> have torchvision's names.
/// </summary>
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
        Vision("resnet18", (classes, channels, random) => VisionModels.ResNet18(classes, channels, generator: random)),
        Vision("resnet34", (classes, channels, random) => VisionModels.ResNet34(classes, channels, generator: random)),
        Vision("resnet50", (classes, channels, random) => VisionModels.ResNet50(classes, channels, generator: random)),
        Vision("resnet101",
            (classes, channels, random) => VisionModels.ResNet101(classes, channels, generator: random)),
        Vision("resnet152",
            (classes, channels, random) => VisionModels.ResNet152(classes, channels, generator: random)),
        Vision("vgg11", (classes, channels, random) => VisionModels.Vgg11(classes, channels, generator: random)),
        Vision("vgg11_bn", (classes, channels, random) => VisionModels.Vgg11Bn(classes, channels, generator: random)),
        Vision("vgg13", (classes, channels, random) => VisionModels.Vgg13(classes, channels, generator: random)),
        Vision("vgg13_bn", (classes, channels, random) => VisionModels.Vgg13Bn(classes, channels, generator: random)),
        Vision("vgg16", (classes, channels, random) => VisionModels.Vgg16(classes, channels, generator: random)),
        Vision("vgg16_bn", (classes, channels, random) => VisionModels.Vgg16Bn(classes, channels, generator: random)),
        Vision("vgg19", (classes, channels, random) => VisionModels.Vgg19(classes, channels, generator: random)),
        Vision("vgg19_bn", (classes, channels, random) => VisionModels.Vgg19Bn(classes, channels, generator: random)),
        Vision("squeezenet1_0",
            (classes, channels, random) => VisionModels.SqueezeNet10(classes, channels, generator: random)),
        Vision("squeezenet1_1",
            (classes, channels, random) => VisionModels.SqueezeNet11(classes, channels, generator: random)),
        Vision("shufflenet_v2_x0_5",
            (classes, channels, random) => VisionModels.ShuffleNetV2X05(classes, channels, generator: random)),
        Vision("shufflenet_v2_x1_0",
            (classes, channels, random) => VisionModels.ShuffleNetV2X10(classes, channels, generator: random)),
        Vision("shufflenet_v2_x1_5",
            (classes, channels, random) => VisionModels.ShuffleNetV2X15(classes, channels, generator: random)),
        Vision("shufflenet_v2_x2_0",
            (classes, channels, random) => VisionModels.ShuffleNetV2X20(classes, channels, generator: random)),
        Vision("mobilenet_v2",
            (classes, channels, random) => VisionModels.MobileNetV2(classes, channels, generator: random)),
        Vision("mobilenet_v3_small",
            (classes, channels, random) => VisionModels.MobileNetV3Small(classes, channels, generator: random)),
        Vision("mobilenet_v3_large",
            (classes, channels, random) => VisionModels.MobileNetV3Large(classes, channels, generator: random)),
        Vision("efficientnet_b0",
            (classes, channels, random) => VisionModels.EfficientNetB0(classes, channels, generator: random)),
        Vision("convnext_tiny", (classes, channels, random) => VisionModels.ConvNextTiny(classes, channels, random)),
        Vision("vit_b_16", (classes, channels, random) => VisionModels.VitB16(classes, channels, random)),
    ];

    private static (string, Func<int, int, Generator, Tensor?, Layer>) Vision(
        string name, Func<int, int, Generator, Layer> create) =>
        (name, (channels, classes, random, _) => create(classes, channels, random));
}
