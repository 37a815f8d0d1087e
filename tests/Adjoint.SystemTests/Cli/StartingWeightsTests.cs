using System.Text.Json;
using Adjoint.IO;

namespace Adjoint.SystemTests.Cli;

/// <summary><c>adjoint train --weights</c>: a training that begins from a file.</summary>
public sealed class StartingWeightsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_run_begins_from_what_fits_and_records_it()
    {
        var first = PathOf("first");
        Run(first, "--epochs", "1");
        var best = SafeTensors.Load(Path.Combine(first, "best.safetensors"));
        // Another head, under names with a prefix, in half precision.
        var state = best.ToDictionary(entry => $"module.{entry.Key}", entry => entry.Value.To(DType.Float16));
        state["module.3.weight"] = Tensor.Zeros(5, 8);
        state["module.extra"] = Tensor.Zeros(1);
        state.Remove("module.3.bias");
        var path = PathOf("weights.npz");
        NpzFile.Save(path, state);
        var second = PathOf("second");
        // With a step of nothing the weights stay what they began as.
        var error = Run(second, "--epochs", "1", "--lr", "1e-30", "--weights", path, "--rename", "module.**=**");
        Assert.Contains(
            "weights: loaded 2 tensors; 2 renamed, such as module.1.weight to 1.weight\n"
            + "missing, so kept as they were: 3.bias\n"
            + "of another shape, so kept as they were: 3.weight (2, 8), there (5, 8)\n"
            + "converted: 1.weight f2 to float32, 1.bias f2 to float32\n"
            + "unknown to the model, so left out: module.extra\n", error, StringComparison.Ordinal);
        var found = SafeTensors.Load(Path.Combine(second, "best.safetensors"));
        Assert.Equal(best["1.weight"].To(DType.Float16).To(DType.Float32).ToArray<float>(),
            found["1.weight"].ToArray<float>());
        Assert.NotEqual(best["3.bias"].ToArray<float>(), found["3.bias"].ToArray<float>());
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(second, "weights.json")));
        Assert.Equal((path, "3.bias", "1.weight"), (json.RootElement.GetProperty("weights").GetString(),
            json.RootElement.GetProperty("missing")[0].GetString(),
            json.RootElement.GetProperty("renamed").GetProperty("module.1.weight").GetString()));
        Assert.Contains($"--weights {path} --rename ", File.ReadAllText(Path.Combine(second, "settings.json"))
            .Replace("\\u0027", "'", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("loaded weights", File.ReadAllText(Path.Combine(second, "report.html")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_can_be_the_weights_of_the_next()
    {
        var first = PathOf("first");
        Run(first, "--epochs", "1");
        var second = PathOf("second");
        Assert.Contains("weights: loaded 4 tensors\n",
            Run(second, "--epochs", "1", "--lr", "1e-30", "--weights", first), StringComparison.Ordinal);
        foreach (var (name, value) in SafeTensors.Load(Path.Combine(first, "best.safetensors")))
            Assert.Equal(value.ToArray<float>(), SafeTensors.Load(Path.Combine(second, "best.safetensors"))[name]
                .ToArray<float>());
        var shown = ToolRun.Of("train", "--weights", first, "--dry-run");
        Assert.Contains("weights: loaded 4 tensors\n", shown.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_is_refused_in_a_line_before_the_run()
    {
        var path = PathOf("w.npz");
        NpzFile.Save(path, new Dictionary<string, Tensor>
        {
            ["module.1.weight"] = Tensor.Zeros(8, 2),
            ["module.1.bias"] = Tensor.Zeros(8),
        });
        Assert.Equal(
            $"adjoint: --weights {path}: no tensor has the name of one of the network: found module.1.bias, "
            + "module.1.weight, expected 1.weight, 1.bias, 3.weight and 1 more; rename them: --rename "
            + "'module.**=**'", Refused(1, "--weights", path));
        Assert.Contains("did you mean 'module.1.bias'?",
            Refused(1, "--weights", path, "--rename", "module.1.bais=1.bias"), StringComparison.Ordinal);
        Assert.Contains("no such file or folder", Refused(1, "--weights", PathOf("none")), StringComparison.Ordinal);
        Assert.Contains("--rename: does nothing without --weights", Refused(2, "--rename", "a=b"),
            StringComparison.Ordinal);
        var run = PathOf("run");
        Run(run, "--epochs", "1");
        Assert.Equal("adjoint: --weights: --resume takes the settings of the run's folder; leave it out",
            ToolRun.Refused("train", "--resume", run, "--weights", path));
    }

    private static string Run(string path, params string[] options)
    {
        var (code, _, error) = ToolRun.Of(["train", "--out", path, "--threads", "1", "--data-share", "0.02",
            .. options]);
        Assert.True(code == 0, error);
        return error;
    }

    private string Refused(int expected, params string[] options)
    {
        var (code, _, error) = ToolRun.Of(["train", "--out", PathOf("refused"), .. options]);
        Assert.Equal(expected, code);
        Assert.False(Directory.Exists(PathOf("refused")));
        return Assert.Single(error.TrimEnd().Split('\n'));
    }

    private string PathOf(string name) => Path.Combine(folder, name);
}
