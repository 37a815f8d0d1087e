using System.Text.Json;
using Adjoint.Cli;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Formats;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.SystemTests.Cli;

/// <summary>A trained model measured on other data: by hand-made models, whose metrics are counted here.</summary>
public sealed class EvaluateCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-evaluate-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_run_on_a_data_set_has_the_measures_of_its_best_epoch()
    {
        var run = Path.Combine(folder, "run");
        TinyMnist.Write(folder);
        var (code, output, error) = ToolRun.Of("train", "--dataset", "mnist", "--data-dir", folder, "--hidden", "8",
            "--epochs", "2", "--pixels", "standard", "--out", run, "--json", "--quiet");
        Assert.True(code == 0, error);
        var result = JsonDocument.Parse(output).RootElement;
        var best = result.GetProperty("epochs")[result.GetProperty("best").GetProperty("epoch").GetInt32()];
        var found = Metrics("evaluate", run, "--data", "mnist", "--data-dir", folder, "--json");
        Assert.Equal(best.GetProperty("validationAccuracy").GetDouble(), found.GetProperty("accuracy").GetDouble());
        Assert.Equal(best.GetProperty("validationLoss").GetDouble(), found.GetProperty("loss").GetDouble(), 1e-6);
        Assert.Equal(0, ToolRun.Of("evaluate", run, "--data", "mnist", "--part", "test", "--data-dir", folder).Code);
        // And an image of it is predicted as the data set's sample is.
        var data = Mnist.Load(folder);
        var model = Adjoint.Training.Predictor.Load(Path.Combine(run, "best.safetensors"));
        var sample = data.Validation.Load(0).Inputs;
        ImageFile.Write(Path.Combine(folder, "digit.png"), (sample[0] * 255).To(DType.UInt8));
        var expected = model.Predict(data.Standardize().Validation.Load(0).Inputs);
        var line = ToolRun.Of("predict", run, Path.Combine(folder, "digit.png")).Output.Split('\n')[1];
        Assert.Equal(expected.Names[expected.ClassOf(0)], line.Split(',')[1]);
    }

    [Fact]
    public void Rows_of_a_file_and_what_was_unusual_in_them()
    {
        var table = new Table("cars",
        [
            new NumberColumn("power", [10, 20, 30, 40]), new NumberColumn("price", [1, 2, 3, 4]),
            new TextColumn("maker", ["a", "b", "a", "b"]),
        ]);
        var encoder = TableEncoder.Fit(table, "price");
        // Whatever comes in, the mean.
        var model = new Sequential(
            new Linear(encoder.InputCount, 1), new Scale(0), new Rescale(encoder.TargetStatistics));
        model.Save(Path.Combine(folder, "best.safetensors"), new()
        {
            Task = "regression",
            TargetNames = ["price"],
            Preprocessing = encoder,
        });
        var path = Path.Combine(folder, "new.csv");
        File.WriteAllText(path, "price,maker,power\n0.5,a,1\n,a,2\n4.5,c,3\n");
        var (code, output, error) = ToolRun.Of("evaluate", folder, "--data", path, "--json");
        Assert.True(code == 0, error);
        Assert.Contains("1 row without a target: left out", error, StringComparison.Ordinal);
        Assert.Contains("1 row with a category that training did not have", error, StringComparison.Ordinal);
        var json = JsonDocument.Parse(output).RootElement;
        Assert.Equal(("regression", 2),
            (json.GetProperty("task").GetString(), json.GetProperty("samples").GetInt32()));
        // Targets 0.5 and 4.5 about the mean 2.5 of training.
        Assert.Equal(2, json.GetProperty("metrics").GetProperty("mae").GetDouble(), 1e-6);
        Assert.Equal(0, json.GetProperty("metrics").GetProperty("r2").GetDouble(), 1e-6);
        Assert.False(json.GetProperty("metrics").TryGetProperty("loss", out _));

        Refuse("found no column \"price\"", Written("price", "maker,power\na,1\n"));
        Refuse("no such file", Path.Combine(folder, "none.csv"));
        Refuse("the model learned from a table", folder);
    }

    [Fact]
    public void Classes_of_a_folder_are_those_of_the_model_by_name()
    {
        // Bright or dark, in the order in which the model knows them.
        var model = new Sequential(new Flatten(), new Linear(12, 2), new Scale(1));
        var linear = (Linear)model[1];
        linear.Weight.CopyFrom<float>([.. Enumerable.Repeat(1f, 12), .. Enumerable.Repeat(-1f, 12)]);
        linear.Bias!.CopyFrom<float>([-6, 6]);
        model.Save(Path.Combine(folder, "best.safetensors"), new()
        {
            Task = "classification",
            ClassNames = ["bright", "dark"],
            Preprocessing = new ImagePreprocessing(3, 2, 2),
        });
        // Folders in another order: a third class is not there, and one bright image is called dark.
        Image("dark", 0, 10);
        Image("dark", 1, 240);
        Image("bright", 0, 250);
        Image("bright", 1, 200);
        var found = Metrics("evaluate", folder, "--data", Path.Combine(folder, "images"), "--json");
        Assert.Equal(0.75, found.GetProperty("accuracy").GetDouble());
        var (code, output, error) = ToolRun.Of("predict", folder, Path.Combine(folder, "images"));
        Assert.True(code == 0, error);
        Assert.Equal(["class", "bright", "bright", "dark", "bright"],
            output.TrimEnd().ReplaceLineEndings("\n").Split('\n').Select(line => line.Split(',')[1]));
        var broken = Path.Combine(folder, "images", "dark", "broken.png");
        File.WriteAllBytes(broken, [1, 2, 3]);
        (code, _, error) = ToolRun.Of("predict", folder, Path.Combine(folder, "images"));
        Assert.Equal(Tool.Failure, code);
        Assert.Contains("broken.png", Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        File.Delete(broken);
        Image("odd", 0, 3);
        Refuse("class 'odd' is none of the model's: bright, dark", Path.Combine(folder, "images"));
        Directory.CreateDirectory(Path.Combine(folder, "empty"));
        (code, _, error) = ToolRun.Of("predict", folder, Path.Combine(folder, "empty"));
        Assert.Equal(Tool.Failure, code);
        Assert.Contains("holds no images", error, StringComparison.Ordinal);

        void Image(string name, int number, byte value)
        {
            var path = Path.Combine(folder, "images", name);
            Directory.CreateDirectory(path);
            ImageFile.Write(Path.Combine(path, $"{number}.png"), Tensor.Full([3, 4, 4], value, DType.UInt8));
        }
    }

    private static JsonElement Metrics(params string[] args)
    {
        var (code, output, error) = ToolRun.Of(args);
        Assert.True(code == 0, error);
        return JsonDocument.Parse(output).RootElement.GetProperty("metrics");
    }

    private void Refuse(string part, string data)
    {
        var (code, output, error) = ToolRun.Of("evaluate", folder, "--data", data);
        Assert.Equal((Tool.Failure, ""), (code, output));
        var line = Assert.Single(error.TrimEnd().Split('\n'));
        Assert.True(line.Contains(part, StringComparison.Ordinal), line);
    }

    private string Written(string name, string text)
    {
        var path = Path.Combine(folder, name + ".csv");
        File.WriteAllText(path, text);
        return path;
    }
}
