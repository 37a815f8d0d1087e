using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Tests.IO;

/// <summary>
/// Model files that earlier versions wrote, in <c>models</c>, are read by every later one to the same bits. Their
/// weights and inputs are small whole numbers and powers of two, so that nothing is rounded, on any processor. A file
/// here is never written again: a new format gets a new one.
/// </summary>
public sealed class OlderModelFileTests
{
    // What the files of format 1 were written from.
    private static readonly Sequential Images = new(
        new Standardize(([1, 2], [2, 4])), new Conv2d(2, 4, 3, new() { Padding = 1, Groups = 2 }),
        new BatchNorm(4, 0.25, 0.25), new Relu(), new MaxPool2d(2), new Dropout(0.25),
        new Conv2d(4, 8, 3, new() { Padding = 1, Stride = 2 }), new ReflectionPad2d(0), new Relu(),
        new AvgPool2d((1, 2)), new Flatten(),
        new Linear(16, 4, bias: false), new Scale(0.5), new Mlp(4, [5], 3, "relu"));

    private static readonly ModelInfo ImagesInfo = new()
    {
        Task = "classification",
        ClassNames = ["cat", "dog", "\"other\""],
        Score = "accuracy",
        Epoch = 7,
        Metrics = new Dictionary<string, double> { ["accuracy"] = 0.75 },
        Statistics = ([0.5], [0.25]),
        Fields =
        [
            new(Field.Inputs, (int[])[2, 8, 8], DType.Float32), new(Field.Targets, (int[])[], DType.Int64),
        ],
    };

    [Fact]
    public void Format_1_is_read_to_the_same_bits()
    {
        var file = ModelFile.Read(PathOf("format-1-images.safetensors"));
        Assert.Equal("0.1.0", file.Info.Version);
        Assert.Equal(
            (ImagesInfo.Task, ImagesInfo.Score, ImagesInfo.Epoch), (file.Info.Task, file.Info.Score, file.Info.Epoch));
        Assert.Equal(ImagesInfo.ClassNames, file.Info.ClassNames);
        Assert.Equal(ImagesInfo.Metrics, file.Info.Metrics);
        Assert.Equal(ImagesInfo.Fields, file.Info.Fields);
        Assert.Equal([0.5], file.Info.Statistics!.Value.Mean);
        Assert.Equal([0.25], file.Info.Statistics!.Value.Deviation);
        Assert.Equal(
            Images.Select(layer => layer.ToString()), ((Sequential)file.Model).Select(layer => layer.ToString()));
        var prediction = new Predictor(file).Predict(Inputs());
        Assert.Equal(Expected, prediction.Outputs.ToArray<float>());
        Assert.Equal([1, 1], [prediction.ClassOf(0), prediction.ClassOf(1)]);
        // Nothing was rounded.
        var wide = (Sequential)file.Model.To(DType.Float64);
        Assert.Equal(
            Expected.Select(value => (double)value), wide.Forward(Inputs().To(DType.Float64)).ToArray<double>());
    }

    [Fact]
    public void Format_1_of_a_table_is_read_to_the_same_bits()
    {
        var predictor = Predictor.Load(PathOf("format-1-table.safetensors"));
        Assert.Equal(["price"], predictor.Info.TargetNames);
        var prices = predictor.Predict(new Table("new",
        [
            new NumberColumn("km", [1, 5, double.NaN]), new TextColumn("maker", ["BMW", "Opel", "Trabant"]),
        ]));
        Assert.Equal([0.75f, -0.5f, -1.25f], prices.Values.ToArray<float>());
    }

    private static float[] Expected { get; } =
        [-86.927734375f, 89.876953125f, -41.8515625f, -111.763671875f, 108.845703125f, -55.736328125f];

    private static Tensor Inputs() =>
        Tensor.From([.. Enumerable.Range(0, 256).Select(i => (float)(i * 7 % 11 - 3))], 2, 2, 8, 8);

    private static string PathOf(string name) =>
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "IO", "models", name);
}
