using Adjoint.Cli;
using Adjoint.Tests.TensorBoard;

namespace Adjoint.SystemTests.Cli;

public sealed class TensorBoardOptionTests : IDisposable
{
    private static readonly string[] Options = ["--epochs", "1", "--hidden", "3", "--data-share", "0.02"];

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Events_are_in_the_runs_folder_and_the_last_line_says_so()
    {
        var path = Path.Combine(folder, "run");
        var (code, _, error) = ToolRun.Of(["train", "--tensorboard", "--out", path, .. Options]);
        Assert.True(code == 0, error);
        var events = Path.Combine(path, "tensorboard");
        Assert.EndsWith($"; events: tensorboard --logdir {events}\n", error.ReplaceLineEndings("\n"),
            StringComparison.Ordinal);
        var values = EventFile.Read(Assert.Single(Directory.GetFiles(events)))
            .Where(one => one.Summary is not null).SelectMany(one => one.Summary.Value).ToArray();
        Assert.Contains(values, value => value.Tag == "loss/train");
        Assert.Contains(values, value => value.Tag == "parameters/1.weight" && value.Histo is not null);
        Assert.Contains("\n    hidden = 3\n", Assert.Single(values, value => value.Tag == "settings")
            .Tensor.StringVal[0].ToStringUtf8(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_of_many_runs_has_one_for_each()
    {
        foreach (var name in (string[])["one", "two"])
            Assert.Equal(0, ToolRun.Of(["train", "--tensorboard", Path.Combine(folder, "logs"), "--quiet", "--out",
                Path.Combine(folder, name), .. Options]).Code);
        Assert.Equal(["one", "two"],
            Directory.GetDirectories(Path.Combine(folder, "logs")).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_folder_that_cannot_be_made_is_told_before_anything_is_learned()
    {
        var file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        var (code, _, error) = ToolRun.Of(["train", "--tensorboard", file, "--quiet", "--out",
            Path.Combine(folder, "run"), .. Options]);
        Assert.Equal(Tool.Failure, code);
        Assert.Matches($"^adjoint: --tensorboard {file}: cannot be written to: .*; name another folder\r?\n$", error);
    }

    [Fact]
    public void A_run_that_goes_on_writes_another_file()
    {
        var path = Path.Combine(folder, "run");
        Assert.Equal(0, ToolRun.Of(["train", "--tensorboard", "--epochs", "0", "--quiet", "--out", path]).Code);
        File.Delete(Path.Combine(path, "report.html"));
        Assert.Equal(0, ToolRun.Of("train", "--resume", path, "--quiet").Code);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(path, "tensorboard")).Length);
    }

    [Fact]
    public void A_sweep_has_events_of_each_trial()
    {
        var file = Path.Combine(folder, "sweep.json");
        File.WriteAllText(file, """
            {
              "name": "sweep", "settings": { "epochs": 1, "hidden": "3", "data-share": 0.02 },
              "factors": { "lr": [0.1, 1] }, "seeds": 1
            }
            """);
        var (code, _, error) = ToolRun.Of("experiment", "run", file, "--tensorboard", "--quiet", "--out",
            Path.Combine(folder, "out"));
        Assert.True(code == 0, error);
        var trials = Directory.GetDirectories(Path.Combine(folder, "out", "trials"));
        Assert.Equal(2, trials.Length);
        Assert.All(trials, trial => Assert.Single(Directory.GetFiles(Path.Combine(trial, "tensorboard"))));
    }

    [Fact]
    public void Where_no_file_can_be_made_no_run_begins()
    {
        File.WriteAllText(Path.Combine(folder, "logs"), "");
        var (code, _, error) = ToolRun.Of(["train", "--tensorboard", Path.Combine(folder, "logs"), "--out",
            Path.Combine(folder, "run"), .. Options]);
        Assert.Equal(1, code);
        Assert.Contains("adjoint: ", error.TrimEnd().Split('\n')[^1], StringComparison.Ordinal);
    }
}
