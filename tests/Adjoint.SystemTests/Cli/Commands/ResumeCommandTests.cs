using Adjoint.Cli;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.SystemTests.Cli;

/// <summary>
/// <c>--resume</c> of a folder into which somebody wrote: what is wrong is told with its file and the remedy, and never
/// passed over; and the commands that the tool offers can be typed as they stand.
/// </summary>
public sealed class ResumeCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("\"lr\": \"1\"", "\"lr\": \"0,5\"", "lr: '0,5' has a comma; with a decimal point write 0.5")]
    [InlineData("\"lr\": \"1\"", "\"lr\": \"\"", "lr: is empty; give it a value")]
    [InlineData("\"lr\": \"1\"", "\"lr\": \"1\", \"momentun\": \"0.9\"",
        "momentun: no such setting; did you mean 'momentum'?")]
    [InlineData("\"lr\": \"1\"", "\"lr\": \"1\", \"no-shuffle\": \"maybe\"",
        "no-shuffle: 'maybe' is neither true nor false")]
    [InlineData("\"model\": \"mlp\"", "\"model\": \"lenet\"", "model: lenet does not take the images of synth")]
    public void Settings_that_are_none_are_told_with_their_file(string was, string now, string expected)
    {
        var run = Written("run");
        var path = Path.Combine(run, "settings.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace(was, now, StringComparison.Ordinal));
        var (code, output, error) = ToolRun.Of("train", "--resume", run);
        Assert.Equal((Tool.Failure, ""), (code, output));
        Assert.StartsWith($"adjoint: {path}: {expected}", Assert.Single(error.TrimEnd().Split('\n')),
            StringComparison.Ordinal);
        Assert.EndsWith("set it back to go on, or begin a new run", error.TrimEnd(), StringComparison.Ordinal);
    }

    // What a process leaves that was killed between its first acts: the lock, its holder, the settings.
    [Theory]
    [InlineData(".lock")]
    [InlineData(".lock", ".holder")]
    [InlineData(".lock", ".holder", ".adjoint-1-1-there.tmp")]
    [InlineData(".lock", ".holder", "settings.json")]
    public void A_run_that_was_killed_at_its_beginning_begins_anew(params string[] left)
    {
        var run = Path.Combine(folder, "run");
        Directory.CreateDirectory(run);
        foreach (var name in left) File.WriteAllText(Path.Combine(run, name), "");
        if (!left.Contains("settings.json"))
        {
            var (code, _, error) = ToolRun.Of("train", "--resume", run);
            Assert.Equal((Tool.Failure, $"adjoint: --resume {run}: its run was ended before it began; begin it anew "
                + "with --out and its settings"), (code, error.TrimEnd()));
        }
        var (lists, _, listed) = ToolRun.Of("runs", folder);
        Assert.True(lists == 0, listed);
        Assert.Equal((0, "", ""),
            ToolRun.Of("train", "--data-share", "0.01", "--epochs", "1", "--quiet", "--out", run));
    }

    [Fact]
    public void A_run_whose_checkpoints_are_gone_is_not_just_called_complete()
    {
        var run = Written("run");
        File.WriteAllText(Path.Combine(run, "report.html"), "of a run that was interrupted");
        var (code, _, error) = ToolRun.Of("train", "--resume", run);
        Assert.Equal(Tool.Failure, code);
        Assert.Contains("whose checkpoints are gone, has to begin anew", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Offered_commands_hold_paths_and_lists_with_spaces_in_quotes()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: quotes of other shells");
        foreach (var (text, word) in ((string, string)[])[
            ("runs/a-1", "runs/a-1"), ("my run", "'my run'"), ("", "''"), ("a'b", @"'a'\''b'"), ("$HOME", "'$HOME'"),
            ("a;b", "'a;b'"), ("größe", "größe"), (@"a\b", @"'a\b'")])
            Assert.Equal(word, ShellWord.Quote(text));

        var none = Path.Combine(folder, "no such");
        var (_, _, error) = ToolRun.Of("train", "--dataset", "mnist", "--data-dir", none);
        Assert.Contains($"adjoint data fetch mnist --data-dir '{none}'", error, StringComparison.Ordinal);

        var run = Written("my run", KeyValuePair.Create("dataset", "cifar10"),
            KeyValuePair.Create("augment", "flip, crop"));
        Assert.Contains("--augment 'flip, crop' ", Text(run), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2000x", "use 1x to 1000x, and sizes from 1 to 1000000")]
    [InlineData("0", "use 1x to 1000x, and sizes from 1 to 1000000")]
    public void Layers_out_of_range_are_told_with_the_range(string hidden, string expected) =>
        Assert.Contains(expected, ToolRun.Refused("train", "--hidden", hidden, "--quiet", "--out",
            Path.Combine(folder, "wide")), StringComparison.Ordinal);

    [Fact]
    public void A_layer_of_more_weights_than_a_tensor_holds_names_its_option()
    {
        var (code, _, error) = ToolRun.Of("train", "--hidden", "99999,99999", "--quiet", "--out",
            Path.Combine(folder, "wide"));
        Assert.Equal(Tool.Failure, code);
        Assert.Contains("--hidden: 99999,99999 makes a layer of 99999 times 99999 weights, and a tensor holds at most "
            + "2147483647; use fewer", error, StringComparison.Ordinal);
    }

    // As it is before the first checkpoint.
    private string Written(string name, params KeyValuePair<string, string>[] settings)
    {
        var run = Path.Combine(folder, name);
        Directory.CreateDirectory(run);
        RunFolder.WriteSettings(
            run, TrainSettings.Table.Read([KeyValuePair.Create("data-share", "0.01"), .. settings]));
        return run;
    }

    private static string Text(string run)
    {
        var path = Path.Combine(run, "settings.json");
        return JsonFile.Read(path, "settings", json => json.GetProperty("command").GetString()!);
    }
}
