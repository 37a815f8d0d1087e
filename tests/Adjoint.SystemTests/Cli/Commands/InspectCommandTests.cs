using System.Text.Json;
using Adjoint.Cli.Commands;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.SystemTests.Cli;

public sealed class InspectCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Tensors_totals_and_the_model_are_listed()
    {
        var path = PathOf("model.safetensors");
        new Mlp(4, [8], 3, "relu", new Generator(1)).Save(path, new()
        {
            Task = "classification",
            ClassNames = ["a", "b", "c"],
            Epoch = 7,
            Score = "accuracy",
            Metrics = new Dictionary<string, double> { ["accuracy"] = 0.987654 },
        });
        Assert.Equal(
            """
            model.safetensors: safetensors, 4 tensors, 67 numbers, 268 B

            tensor     shape  type   size
            1.bias      (8,)   F32   32 B
            1.weight  (8, 4)   F32  128 B
            3.bias      (3,)   F32   12 B
            3.weight  (3, 8)   F32   96 B

            model    Mlp(inputs 4, hidden [8], classes 3, activation relu)
            task     classification, 3 classes
            trained  until epoch 7, accuracy 0.9877

            """, Output("inspect", path));
    }

    [Fact]
    public void Metadata_are_abbreviated_and_command_no_terminal()
    {
        var path = PathOf("x.safetensors");
        SafeTensors.Save(path, new Dictionary<string, Tensor> { ["a\u001b[31m"] = Tensor.Zeros(2) },
            new Dictionary<string, string> { ["no\u0007te"] = new('x', 10_000), [ModelFile.Key] = "{\"a\":1}" });
        var output = Output("inspect", path);
        Assert.DoesNotContain('\u001b', output);
        Assert.DoesNotContain('\u0007', output);
        Assert.Contains("a\\u001b[31m", output, StringComparison.Ordinal);
        Assert.Contains("xxx…\n", output, StringComparison.Ordinal);
        // What is no description of ours is a text like others.
        Assert.Contains("adjoint.model  {\"a\":1}", output, StringComparison.Ordinal);
        Assert.All(output.Split('\n'), line => Assert.InRange(line.Length, 0, 420));
    }

    [Theory, InlineData(80), InlineData(40), InlineData(24)]
    public void Lines_fit_narrow_terminals(int width)
    {
        var path = PathOf("x.safetensors");
        SafeTensors.Save(path, new Dictionary<string, Tensor>
        {
            ["encoder.layers.11.attention.output.projection.with.a.long.name.weight"] = Tensor.Zeros(3, 5, 7, 7),
            ["b"] = Tensor.Ones(2),
        }, new Dictionary<string, string> { ["note"] = string.Join(' ', Enumerable.Repeat("word", 60)) });
        using var file = TensorFile.Open(path);
        using var output = new StringWriter();
        var view = new InspectCommand.View(output, file, width - 1, isUnicode: true);
        view.All(hasHistograms: false);
        view.All(hasHistograms: true);
        view.One("b", asJson: false);
        Assert.All(output.ToString().Split('\n'), line => Assert.InRange(line.Length, 0, width - 1));
        Assert.Contains("(3, 5, 7, 7)", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("weight", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("2.9 kB", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_values_of_one_tensor_are_summarized()
    {
        var path = PathOf("x.npz");
        NpzFile.Save(path, new Dictionary<string, Tensor>
        {
            ["a"] = Tensor.From([0f, 1, 2, 3, float.NaN, float.PositiveInfinity, 3, 3, 3, 3]),
        });
        var lines = Output("inspect", path, "--tensor", "a").Split('\n');
        Assert.Equal(
            [
                "a  (10,)  f4  40 B", "", "elements   10", "min        0", "max        3.0000", "mean       2.2500",
                "std        1.0897", "zero       1", "NaN        1", "∞, −∞      1, 0",
                "first      0 1.0000 2.0000 3.0000 NaN ∞ 3.0000 3.0000 …", "",
            ], lines[..12]);
        Assert.Equal(TensorSummary.Bins, lines[12..].Count(line => line.Contains('│')));
        Assert.EndsWith("█ 5", lines[31], StringComparison.Ordinal);
        var error = ToolRun.Of("inspect", path, "--tensor", "aa");
        Assert.Equal(1, error.Code);
        Assert.Contains("found no tensor called 'aa', expected one of its 1", error.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Types_that_no_tensor_has_are_listed()
    {
        var path = PathOf("x.safetensors");
        const string header = """
            {"c":{"dtype":"C64","shape":[1],"data_offsets":[0,8]},
            "f":{"dtype":"F8_E5M2","shape":[2],"data_offsets":[8,10]}}
            """;
        File.WriteAllBytes(path,
            [.. BitConverter.GetBytes((long)header.Length), .. header.Select(letter => (byte)letter),
                .. new byte[8], 0x3C, 0xC0]);
        var output = Output("inspect", path, "--histogram");
        Assert.Contains("C64      1 tensor, can only be listed: no element type holds it", output,
            StringComparison.Ordinal);
        Assert.Contains("F8_E5M2  1 tensor, converted to float16 on request", output, StringComparison.Ordinal);
        Assert.Contains("C64: not read", output, StringComparison.Ordinal);
        Assert.Contains("read as float16, which holds its values", Output("inspect", path, "--tensor", "f"),
            StringComparison.Ordinal);
        Assert.Equal(1, ToolRun.Of("inspect", path, "--tensor", "c").Code);
    }

    [Fact]
    public void Json_has_a_line_for_the_file_and_one_for_each_tensor()
    {
        var path = PathOf("x.safetensors");
        SafeTensors.Save(path,
            new Dictionary<string, Tensor> { ["a"] = Tensor.From([1f, 2, 3]), ["b"] = Tensor.Zeros(2, 0) },
            new Dictionary<string, string> { ["note"] = "n" });
        var lines = Output("inspect", path, "--json", "--histogram").TrimEnd().Split('\n')
            .Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(3, lines.Length);
        Assert.Equal((2, 3, 12, "n"), (lines[0].GetProperty("tensors").GetInt32(),
            lines[0].GetProperty("elements").GetInt32(), lines[0].GetProperty("bytes").GetInt32(),
            lines[0].GetProperty("metadata").GetProperty("note").GetString()));
        var (a, b) = (lines.Single(line => NameOf(line) == "a"), lines.Single(line => NameOf(line) == "b"));
        Assert.Equal((2, 3, "float32"), (a.GetProperty("mean").GetDouble(),
            a.GetProperty("histogram").EnumerateArray().Sum(count => count.GetInt32()),
            a.GetProperty("dtype").GetString()));
        Assert.Equal(JsonValueKind.Null, b.GetProperty("mean").ValueKind);

        static string? NameOf(JsonElement line) => line.TryGetProperty("name", out var name) ? name.GetString() : null;
    }

    [Fact]
    public void Shards_and_runs_are_opened_by_their_folder()
    {
        var run = Directory.CreateDirectory(PathOf("run")).FullName;
        SafeTensors.Save(Path.Combine(run, "best.safetensors"),
            new Dictionary<string, Tensor> { ["w"] = Tensor.Zeros(2) });
        SafeTensors.Save(Path.Combine(run, "last.safetensors"),
            new Dictionary<string, Tensor> { ["v"] = Tensor.Zeros(2) });
        Assert.StartsWith("best.safetensors: safetensors, 1 tensor, 2 numbers, 8 B\n", Output("inspect", run),
            StringComparison.Ordinal);
        var index = SafeTensors.SaveShards(PathOf("model.safetensors"), new Dictionary<string, Tensor>
        {
            ["a"] = Tensor.Zeros(100),
            ["b"] = Tensor.Zeros(100),
        }, 500);
        var output = Output("inspect", index);
        Assert.Contains("  model-00001-of-00002.safetensors: 1 tensor, 400 B", output, StringComparison.Ordinal);
        Assert.Contains("  model-00002-of-00002.safetensors: 1 tensor, 400 B", output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_file_of_tensors_is_refused_in_a_line()
    {
        File.WriteAllText(PathOf("notes.txt"), "not tensors at all");
        foreach (var path in (string[])[PathOf("none"), PathOf("notes.txt"), folder])
        {
            var (code, output, error) = ToolRun.Of("inspect", path);
            Assert.Equal((1, ""), (code, output));
            Assert.StartsWith($"adjoint: {path}", Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
        Assert.Contains("--histogram: is for all tensors",
            ToolRun.Refused("inspect", folder, "--tensor", "a", "--histogram"), StringComparison.Ordinal);
    }

    private string PathOf(string name) => Path.Combine(folder, name);

    private static string Output(params string[] args)
    {
        var (code, output, error) = ToolRun.Of(args);
        Assert.True(code == 0, error);
        return output;
    }
}
