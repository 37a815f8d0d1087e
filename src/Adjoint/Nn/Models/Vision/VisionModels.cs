namespace Adjoint.Nn;

/// <summary>
/// Networks for images with the names, orders and initial distributions of torchvision's parameters, so that its state
/// dictionaries load strictly: <c>VisionModels.ResNet18().LoadWeights("resnet18.pth")</c>. Each factory is in the file
/// of its network.
/// </summary>
public static partial class VisionModels;
