using System.Text.RegularExpressions;
using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>Results that are damaged, in whatever way, stop neither status nor report, and are made again.</summary>
public sealed class DamagedResultTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Damage_of_every_kind_is_told_by_file_and_the_others_are_shown()
    {
        var (file, path) = (Path.Combine(folder, "sweep.json"), Path.Combine(folder, "out"));
        File.WriteAllText(file, """
            { "settings": { "dataset": "synth", "hidden": "8", "epochs": 1, "data-share": 0.05 }, "seeds": 2 }
            """);
        Assert.Equal(0, Run("experiment", "run", file, "--out", path, "--quiet").Code);
        var result = Directory.GetFiles(path, "result.json", SearchOption.AllDirectories)[0];
        var sound = File.ReadAllText(result);
        string Epochs(string to) =>
            Regex.Replace(sound, "\"epochs\": \\[.*\\]", $"\"epochs\": {to}", RegexOptions.Singleline);
        string[] damaged =
        [
            """{"command":"c","machine":"m","problem":"p","advice":["a"],"epochs":[]}""",
            "", "null", "[]", "{}", "{", sound + "}", sound + sound, "\0", "\ufeff",
            Epochs("{}"), Epochs("null"), Epochs("[1]"), Epochs("[{}]"),
            sound.Replace("\"epoch\": 1", "\"epoch\": 7", StringComparison.Ordinal),
            sound.Replace("\"epoch\": 1", "\"epoch\": 1e99", StringComparison.Ordinal),
            sound.Replace("\"epoch\": 1", "\"epoch\": \"1\"", StringComparison.Ordinal),
            Regex.Replace(sound, "\"seconds\": [^,}\\s]+", "\"seconds\": null"),
            Regex.Replace(sound, "\"seconds\": [^,}\\s]+", "\"seconds\": 1e999"),
            Regex.Replace(sound, "\"validationLoss\": [^,}\\s]+", "\"validationLoss\": \"low\""),
            Regex.Replace(sound, "\"command\": \"", "\"command\": \"\\ud800"),
            Regex.Replace(sound, "\"machine\": \"[^\"]*\"", "\"machine\": null"),
            Regex.Replace(sound, "\"advice\": \\[", "\"advice\": [null, "),
            Regex.Replace(sound, "\"command\"", "\"command\": \"twice\", \"command\""),
        ];
        foreach (var text in damaged)
        {
            Assert.NotEqual(sound, text);
            File.WriteAllText(result, text);
            var (code, output, error) = Run("experiment", "status", file, "--out", path);
            Assert.True(code == 0 && Regex.Count(output, " complete ") == 1 && error.Length == 0,
                $"{text}: {output}{error}");
            Assert.Contains(result, output, StringComparison.Ordinal);
            (code, _, error) = Run("experiment", "report", file, "--out", path);
            Assert.True(code == 0 && error.Contains($"adjoint: {result}, offset 0: ", StringComparison.Ordinal),
                $"{text}: {error}");
            Assert.Contains("1 of 2 trials are not complete and left out", error, StringComparison.Ordinal);
        }
        Assert.Equal(0, Run("experiment", "run", file, "--out", path, "--quiet").Code);
        Assert.Equal(2, Regex.Count(Run("experiment", "status", file, "--out", path).Output, " complete "));
    }

    [Theory]
    [InlineData("""{ "seconds": 1e999, "jobSeconds": 1, "trainingSeconds": 1 }""")]
    [InlineData("""{ "seconds": -1, "jobSeconds": 1, "trainingSeconds": 1 }""")]
    [InlineData("""{ "seconds": 1, "seconds": 2, "jobSeconds": 1, "trainingSeconds": 1 }""")]
    [InlineData("""{ "seconds": "1" }""")]
    [InlineData("")]
    public void A_time_that_cannot_be_read_is_none(string text)
    {
        var (file, path) = (Path.Combine(folder, "sweep.json"), Path.Combine(folder, "out"));
        File.WriteAllText(file, """
            { "settings": { "dataset": "synth", "hidden": "8", "epochs": 0, "data-share": 0.05 }, "seeds": 1 }
            """);
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "time.json"), text);
        Assert.Equal(0, Run("experiment", "run", file, "--out", path, "--quiet").Code);
    }

    [Theory]
    [InlineData("train --out|")]
    [InlineData("train --resume|")]
    [InlineData("train --dataset mnist --data-dir|")]
    [InlineData("experiment run|")]
    [InlineData("experiment status x.json --out|")]
    [InlineData("explore --checkpoint|")]
    [InlineData("ops --html|")]
    [InlineData("paper --out|")]
    [InlineData("data verify|")]
    public void An_empty_name_is_wrong_usage(string line)
    {
        var (code, _, error) = Run([.. line.TrimEnd('|').Split(' '), ""]);
        Assert.Equal(2, code);
        Assert.Contains(": is empty; give it a value", error, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        var result = ToolRun.Of(args);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("unexpected", result.Error, StringComparison.Ordinal);
        return result;
    }
}
