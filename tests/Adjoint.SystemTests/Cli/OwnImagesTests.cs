using System.Text.Json;
using Adjoint.Formats;

namespace Adjoint.SystemTests.Cli;

/// <summary>Folders of images of a user's own are trained on with one command.</summary>
public sealed class OwnImagesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_folder_for_each_class_is_learned()
    {
        var photos = Photos(side: 12, count: 40);
        File.WriteAllText(Path.Combine(photos, "bright", "notes.txt"), "not an image");
        var (code, output, error) = ToolRun.Of("train", "--data", photos, "--model", "mlp", "--epochs", "40", "--json",
            "--out", Path.Combine(folder, "run"));
        Assert.True(code == 0, error);
        Assert.Contains("64 training and 16 validation samples; classification into 2 classes", error,
            StringComparison.Ordinal);
        Assert.Contains("skipped: 1 .txt", error, StringComparison.Ordinal);
        var best = JsonDocument.Parse(output).RootElement.GetProperty("best");
        Assert.InRange(best.GetProperty("metrics").GetProperty("accuracy").GetDouble(), 0.9, 1);
        Assert.Contains("image-size\": \"12\"", File.ReadAllText(Path.Combine(folder, "run", "settings.json")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Size_and_channels_follow_from_network_and_images()
    {
        var photos = Photos(side: 12, count: 4);
        foreach (var (model, shape) in ((string, string)[])[("lenet5", "1×28×28"), ("lenet", "3×32×32"),
            ("mlp", "1×12×12"), ("resnet20", "1×12×12")])
            Assert.Contains($"brought to {shape}",
                ToolRun.Of("train", "--data", photos, "--model", model, "--dry-run").Output, StringComparison.Ordinal);
        Assert.Contains("lenet5 takes images of 1 channels and 28 pixels a side",
            ToolRun.Of("train", "--data", photos, "--model", "lenet5", "--image-size", "20", "--dry-run").Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_CSV_file_may_say_which_image_is_what()
    {
        var photos = Photos(side: 8, count: 6);
        var rows = Directory.GetFiles(photos, "*.png", SearchOption.AllDirectories).Order()
            .Select(path => $"{Path.GetRelativePath(photos, path)},{Path.GetFileName(Path.GetDirectoryName(path))}");
        var labels = Path.Combine(photos, "labels.csv");
        File.WriteAllText(labels, $"file,label\n{string.Join('\n', rows)}\n");
        var (code, output, error) = ToolRun.Of("train", "--data", labels, "--dataset", "images", "--model", "mlp",
            "--dry-run");
        Assert.True(code == 0, error);
        Assert.Contains("12 images in 2 classes", output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_learned_from_is_refused()
    {
        var photos = Photos(side: 8, count: 3);
        var broken = Path.Combine(photos, "dark", "0.png");
        File.WriteAllBytes(broken, File.ReadAllBytes(broken)[..40]);
        Refused(photos, broken);
        File.Delete(broken);
        Refused(photos, "regression is not for a folder of images", "--task", "regression");
        Refused(photos, "group:x is for tables", "--split", "group:x");
        Directory.Delete(Path.Combine(photos, "dark"), recursive: true);
        Refused(photos, "bright");
        var empty = Directory.CreateDirectory(Path.Combine(folder, "empty")).FullName;
        Refused(empty, "empty");
    }

    private static void Refused(string path, string message, params string[] settings)
    {
        var (code, _, error) = ToolRun.Of(["train", "--data", path, .. settings, "--dry-run"]);
        Assert.NotEqual(0, code);
        Assert.Contains(message, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    // Bright and dark images with noise.
    private string Photos(int side, int count)
    {
        var random = new Random(side);
        foreach (var (name, level) in ((string, int)[])[("dark", 60), ("bright", 180)])
        {
            var of = Directory.CreateDirectory(Path.Combine(folder, "photos", name)).FullName;
            for (var i = 0; i < count; i++)
            {
                var pixels = new byte[side * side];
                for (var p = 0; p < pixels.Length; p++) pixels[p] = (byte)(level + random.Next(-50, 51));
                ImageFile.Write(Path.Combine(of, $"{i}.png"), Tensor.From(pixels, 1, side, side));
            }
        }
        return Path.Combine(folder, "photos");
    }
}
