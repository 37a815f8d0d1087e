#:project ../src/Adjoint/Adjoint.csproj
// A network that was trained on many images learns new classes from a few: weights from a file of PyTorch's, a new
// head, which learns first, and then everything. With torchvision's weights the file is resnet18.pth, the network
// VisionModels.ResNet18(classes: 2), and the images are photographs of 224 pixels a side.
using Adjoint;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Width = 8;
var random = new Generator(1);
var folder = Directory.CreateTempSubdirectory("adjoint-sample-").FullName;
var path = Path.Combine(folder, "resnet18.pth");

// What stands for the download: a narrow network that tells eight textures apart, as a state dictionary.
var trained = VisionModels.ResNet18(classes: 8, width: Width, generator: random);
Train(trained, Textures(first: 0, classes: 8, each: 40), epochs: 4, headFirst: 0);
PyTorchFile.Save(path, trained.StateDict());

// Two textures that it has not seen, sixteen images of each. The head has another shape and keeps its initial values.
var model = VisionModels.ResNet18(classes: 2, width: Width, generator: random);
var report = model.LoadWeights(path, new() { SkipOtherShapes = true });
Console.WriteLine(report);
var accuracy = Train(model, Textures(first: 8, classes: 2, each: 16), epochs: 6, headFirst: 2);
Console.WriteLine($"of new images, more than 9 of 10 are recognized: {accuracy > 0.9}");
Directory.Delete(folder, recursive: true);

double Train(ResNet model, TensorDataset images, int epochs, int headFirst)
{
    var loader = new DataLoader(images, batchSize: 16, new() { Shuffle = true, Seed = 1 });
    var unseen = new DataLoader(Textures(first: model.Classes == 2 ? 8 : 0, model.Classes, each: 30), batchSize: 60);
    var trainer = new Trainer(
        model, new AdamW(model.Parameters(), learningRate: 0.01), new ClassificationTask(), loader, unseen)
    {
        Schedule = Schedule.OneCycle(loader.StepsIn(epochs)),
    };
    foreach (var part in new[] { "conv1", "bn1", "layer1", "layer2", "layer3", "layer4" })
        trainer.Callbacks.Add(new Freezing(part, until: 1 + headFirst));
    return trainer.Fit(epochs).Final.ValidationAccuracy;
}

// Waves of a direction and a length of its own for each class, in noise.
TensorDataset Textures(int first, int classes, int each)
{
    var pixels = Tensor.Arange(32).To(DType.Float32);
    List<Tensor> drawn = [];
    List<long> labels = [];
    for (var i = 0; i < classes * each; i++)
    {
        var texture = first + i % classes;
        var (angle, length) = (texture * 0.65, 0.5 + 0.25 * (texture % 3));
        var phase = Tensor.Rand([1], random) * 6;
        var (x, y) = (pixels * (length * Math.Cos(angle)), pixels * (length * Math.Sin(angle)));
        drawn.Add((x + y.Unsqueeze(1) + phase).Sin() + Tensor.Randn([3, 32, 32], random) * 0.2);
        labels.Add(i % classes);
    }
    return new("textures", [(Field.Inputs, Tensor.Stack([.. drawn])), (Field.Targets, Tensor.From(labels.ToArray()))],
        [.. Enumerable.Range(first, classes).Select(i => $"texture {i}")]);
}
