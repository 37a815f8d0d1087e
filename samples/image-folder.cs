#:project ../src/Adjoint.Formats/Adjoint.Formats.csproj
// A folder of images becomes a classifier: PNG files in a folder for each class, drawn on the spot; a network that is
// trained with random changes; one file, which then names the class of a new image.
using Adjoint;
using Adjoint.Data;
using Adjoint.Formats;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

const int Side = 28, Epochs = 12;
var folder = Directory.CreateTempSubdirectory("adjoint-sample-").FullName;
var random = new Generator(1);
foreach (var name in new[] { "disc", "ring" })
{
    Directory.CreateDirectory(Path.Combine(folder, "images", name));
    for (var i = 0; i < 150; i++) ImageFile.Write(Path.Combine(folder, "images", name, $"{i}.png"), Draw(name));
}

// Files are decoded and resized as they are needed.
var images = ImageFolder.Open(Path.Combine(folder, "images"), new() { Size = (Side, Side) });
Console.WriteLine($"{images.Count} images of {images.SampleShape}: {string.Join(", ", images.ClassNames)}");
var splits = images.Split(validation: 0.2, options: new() { Seed = 1, Stratify = Field.Targets });
var training = new DataLoader(splits.Train, batchSize: 16, new()
{
    Shuffle = true,
    Seed = 1,
    Transforms = [new RandomFlip(), new RandomCrop(3)],
});
var validation = new DataLoader(splits.Validation, batchSize: 60);

var model = new Sequential(
    new Conv2d(3, 8, kernel: 3, new() { Padding = 1, Generator = random }), new BatchNorm(8), new Relu(),
    new MaxPool2d(2),
    new Conv2d(8, 16, kernel: 3, new() { Padding = 1, Generator = random }), new BatchNorm(16), new Relu(),
    new MaxPool2d(2),
    new Conv2d(16, 32, kernel: 3, new() { Padding = 1, Generator = random }), new BatchNorm(32), new Relu(),
    new GlobalAvgPool2d(), new Linear(32, images.ClassNames.Count, generator: random));
var optimizer = new AdamW(model.Parameters(), learningRate: 0.005);
var task = new ClassificationTask();
var trainer = new Trainer(model, optimizer, task, training, validation)
{
    Schedule = Schedule.OneCycle(training.StepsIn(Epochs)),
};
var result = trainer.Fit(Epochs);
foreach (var epoch in result.Epochs.Where(epoch => epoch.Epoch is 4 or 8 or 12))
    Console.WriteLine($"epoch {epoch.Epoch}: accuracy {epoch.ValidationAccuracy:P0}");

// The file has the network, the names of the classes, and how images become inputs: another program needs no more.
var path = Path.Combine(folder, "model.safetensors");
model.Save(path, new()
{
    Task = task.Name,
    ClassNames = images.ClassNames,
    Preprocessing = images.Preprocessing,
    Fields = images.Fields,
});
var predictor = Predictor.Load(path);
var preprocessing = (ImagePreprocessing)predictor.Info.Preprocessing!;
foreach (var name in images.ClassNames)
{
    var file = Path.Combine(folder, "new.png");
    ImageFile.Write(file, Draw(name));
    var prediction = predictor.Predict(preprocessing.Apply(ImageFile.Read(file)).Unsqueeze(0));
    Console.WriteLine($"a new {name}: {prediction.Names[prediction.ClassOf(0)]}");
}
Directory.Delete(folder, recursive: true);

// A disc or a ring (3, h, w) of any color and size somewhere in noise.
Tensor Draw(string name)
{
    var place = Tensor.Rand([3], random).ToArray<float>();
    var (size, radius) = (30 + (int)(place[2] * 12), 5 + place[2] * 5);
    var (x, y) = (radius + 1 + place[0] * (size - 2 * radius - 2), radius + 1 + place[1] * (size - 2 * radius - 2));
    var pixels = Tensor.Arange(size).To(DType.Float32);
    var distance = ((pixels - x).Square() + (pixels - y).Square().Unsqueeze(1)).Sqrt();
    var isInside = distance.Less(radius).To(DType.Float32);
    if (name == "ring") isInside *= distance.Greater(radius * 0.5).To(DType.Float32);
    var color = Tensor.Rand([3, 1, 1], random) * 0.6 + 0.4;
    return isInside * color + Tensor.Rand([3, size, size], random) * 0.3;
}
