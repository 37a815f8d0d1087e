using Adjoint.IO;

namespace Adjoint.Tests.Nn;

/// <summary>
/// State dictionaries that torch.save wrote of torchvision's networks, in the zip format and the one before it, with
/// channels last and first: the same bits and logits here, and what is written here is loaded there, strictly and
/// without code.
/// </summary>
public sealed class TorchvisionWeightsTests : IDisposable
{
    private static readonly string Script =
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Nn", "Goldens", "vision_models.py");

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-torchvision-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public Task Small_state_dictionaries_go_there_and_back() =>
        Check("shufflenet_v2_x0_5", "mobilenet_v2", "mobilenet_v3_small");

    [Fact]
    public Task All_kinds_of_state_dictionaries_go_there_and_back()
    {
        if (!VisionModelTests.IsLong)
            Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_LONG=1 to run it");
        return Check(
            "resnet18", "resnet34", "resnet50", "vgg11_bn", "squeezenet1_1", "shufflenet_v2_x1_0", "mobilenet_v2",
            "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "convnext_tiny", "vit_b_16");
    }

    private async Task Check(params string[] names)
    {
        var logits = await PyTorchScript.LinesOf(Script, ["--save", folder, .. names]);
        Assert.Equal(names.Length, logits.Length);
        foreach (var (name, line) in names.Zip(logits)) Check(name, line.Split(" | ")[1]);
        Assert.Equal(
            names.Select(name => $"{name}, back | equal"),
            await PyTorchScript.LinesOf(Script, ["--check", folder, .. names]));
    }

    private void Check(string name, string logits)
    {
        var model = VisionModelTests.Create(name);
        var report = model.LoadWeights(PathOf(name));
        var state = model.StateDict();
        Assert.Equal(state.Count, report.Loaded.Count);
        foreach (var (key, value) in state)
            Assert.True(value.HasBitsOf(FormulaWeights.Of(key, [.. value.Shape.Sizes])), $"{name}: {key}");
        using var _ = new NoGrad();
        var images = VisionModelTests.Images(name == "vit_b_16" ? 224 : 64);
        VisionModelTests.Compare(name, model.Eval().Forward(images), logits);
        PyTorchFile.Save(PathOf($"{name}.back"), state);
    }

    private string PathOf(string name) => Path.Combine(folder, $"{name}.pt");
}
