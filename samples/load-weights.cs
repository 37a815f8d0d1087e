#:project ../src/Adjoint/Adjoint.csproj
// Weights of others in a network of one's own: a file whose names have a prefix and whose head has other classes, as
// fine-tuning begins. What was loaded, and what was not, is in the report.
using Adjoint;
using Adjoint.IO;
using Adjoint.Nn;

// What somebody else trained with PyTorch's DataParallel on 10 classes, and saved in half precision.
var path = Path.Combine(Directory.CreateTempSubdirectory("adjoint-sample-").FullName, "trained.pt");
var trained = new Mlp(8, [16], 10, generator: new Generator(1));
PyTorchFile.Save(path, trained.StateDict().ToDictionary(
    entry => $"module.{entry.Key}", entry => entry.Value.To(DType.Float16)));

// What is in the file? Only its beginning is read.
using (var file = TensorFile.Open(path))
    foreach (var entry in file.Entries)
        Console.WriteLine($"{entry.Name} ({string.Join(", ", entry.Sizes)}) {entry.Type}");

// Loading is strict: names, shapes and types are the same, or nothing is changed and the error has the remedy.
var model = new Mlp(8, [16], 3, generator: new Generator(2));
try
{
    model.LoadWeights(path);
}
catch (AdjointException error)
{
    Console.WriteLine($"refused: {error.Message[(path.Length + 2)..]}");
}

var report = model.LoadWeights(path, new LoadOptions
{
    Names = new NameMap().Add("module.**", "**"),
    ConvertTypes = true,
    SkipOtherShapes = true,
});
Console.WriteLine(report);

// The body has the values of the file, the head its own.
var same = trained.StateDict()["1.weight"].To(DType.Float16).To(DType.Float32).ToArray<float>()
    .SequenceEqual(model.StateDict()["1.weight"].ToArray<float>());
Console.WriteLine(same ? "the body has the bits of the file" : "the body differs");
File.Delete(path);
