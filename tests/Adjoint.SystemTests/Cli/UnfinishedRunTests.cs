using System.Diagnostics;
using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.IO;

namespace Adjoint.SystemTests.Cli;

/// <summary>
/// A run is complete when its report is: whatever ends it before, also after its last epoch, loses nothing.
/// </summary>
public sealed partial class UnfinishedRunTests : IDisposable
{
    private const int Kills = 4;
    private static readonly string[] Options =
        ["--epochs", "2", "--hidden", "8", "--momentum", "0.9", "--data-share", "0.1", "--quiet"];
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_report_that_cannot_be_written_leaves_a_run_that_goes_on_from_its_end()
    {
        var (whole, part) = (Whole(), Interrupted());
        // In the report's place is what no file can replace.
        Directory.CreateDirectory(Path.Combine(part, "report.html", "taken"));
        Assert.Contains($"{Path.Combine(part, "report.html")}: cannot be written: ",
            Fails("train", "--resume", part, "--quiet"), StringComparison.Ordinal);
        Assert.True(Epochs(part) == 3 && Checkpoints(part).Length > 0, "the run is not kept");
        Directory.Delete(Path.Combine(part, "report.html"), recursive: true);
        // It goes on from after the last epoch: nothing is measured again.
        var metrics = File.ReadAllText(Path.Combine(part, "metrics.jsonl"));
        Assert.Equal((0, "", ""), ToolRun.Of("train", "--resume", part, "--quiet"));
        Assert.Equal(metrics, File.ReadAllText(Path.Combine(part, "metrics.jsonl")));
        AssertSame(whole, part);
        Assert.Contains("the run is complete", Fails("train", "--resume", part), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"momentum\": \"0.9\"", "\"momentun\": \"0.5\"",
        "momentun: no such setting; did you mean 'momentum'?")]
    [InlineData("\"momentum\": \"0.9\"", "\"momentum\": 0.5", "'momentum' is no text; write its value in quotes")]
    public void Settings_that_are_misspelled_are_refused_by_name(string was, string now, string message)
    {
        var part = Interrupted();
        var path = Path.Combine(part, "settings.json");
        File.WriteAllText(path, File.ReadAllText(path).Replace(was, now, StringComparison.Ordinal));
        var (code, _, error) = ToolRun.Of("train", "--resume", part);
        Assert.NotEqual(0, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains(path, error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_old_report_makes_no_run_complete()
    {
        var (whole, part) = (Whole(), Interrupted());
        File.WriteAllText(Path.Combine(part, "report.html"), "of two epochs ago");
        Assert.Equal(0, ToolRun.Of("train", "--resume", part, "--quiet").Code);
        Assert.DoesNotContain("of two epochs ago", File.ReadAllText(Path.Combine(part, "report.html")),
            StringComparison.Ordinal);
        AssertSame(whole, part);
    }

    [Fact]
    public void Killed_between_the_last_epoch_and_the_report()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: processes are killed as on Unix");
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var whole = Whole();
        for (var kill = 0; kill < Kills; kill++)
        {
            var part = Path.Combine(folder, $"killed-{kill}");
            using (var process = Start([.. Options, "--out", part, "--checkpoint-every", "3600"]))
            {
                while (Epochs(part) < 3 && !process.HasExited) Thread.Sleep(1);
                // Later kills come later: at once, and up to about as long as a report takes.
                Thread.Sleep(random.Next(1 + 150 * kill));
                process.Kill();
                process.WaitForExit();
            }
            var isComplete = Checkpoints(part).Length == 0 && File.Exists(Path.Combine(part, "report.html"));
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{(isComplete ? "complete" : Checkpoints(part).Length > 0 ? "with a checkpoint" : "before its first "
                + "checkpoint")}");
            if (isComplete)
                Assert.Contains("the run is complete", Fails("train", "--resume", part), StringComparison.Ordinal);
            else Assert.Equal(0, ToolRun.Of("train", "--resume", part, "--quiet").Code);
            AssertSame(whole, part);
        }
    }

    // Files grow no further than the checkpoint needs: what a full disk does, without the right to mount one.
    [Fact]
    public void A_full_disk_at_the_checkpoint_or_at_the_report_is_one_line_and_nothing_is_lost()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("skipped: the size of files is limited as on Linux");
        var whole = Whole();
        foreach (
            var (kilobytes, name) in ((int, string)[])[(12, "report.html"), (2, "checkpoint-00000001.safetensors")])
        {
            var part = Path.Combine(folder, $"full-{kilobytes}");
            var command =
                $"trap '' XFSZ; ulimit -f {kilobytes}; exec dotnet {typeof(Tool).Assembly.Location} train "
                + $"{string.Join(' ', Options)} --out {part}";
            var start =
                new ProcessStartInfo("bash", ["-c", command])
                {
                    RedirectStandardError = true,
                    Environment = { ["DOTNET_EnableDiagnostics"] = "0", ["DOTNET_EnableWriteXorExecute"] = "0" },
                };
            using (var process = Process.Start(start)!)
            {
                var error = process.StandardError.ReadToEnd();
                process.WaitForExit();
                Assert.Equal((1, 1), (process.ExitCode, error.TrimEnd().Split('\n').Length));
                Assert.StartsWith($"adjoint: {Path.Combine(part, name)}: cannot be written: ", error,
                    StringComparison.Ordinal);
            }
            Assert.Empty(Directory.GetFiles(part, "*.tmp"));
            Assert.Equal(0, ToolRun.Of("train", "--resume", part, "--quiet").Code);
            AssertSame(whole, part);
        }
    }

    [Theory]
    [InlineData("seed", "1", "2")]
    [InlineData("lr", "1", "0.5")]
    [InlineData("optimizer", "sgd", "adam")]
    [InlineData("hidden", "8", "16")]
    [InlineData("epochs", "2", "3")]
    public void Settings_edited_after_a_checkpoint_are_refused_with_both_values(string name, string was, string now)
    {
        var part = Interrupted(["--momentum", "0"]);
        var (path, before) =
            (Path.Combine(part, "settings.json"), File.ReadAllText(Path.Combine(part, "settings.json")));
        File.WriteAllText(path,
            before.Replace($"\"{name}\": \"{was}\"", $"\"{name}\": \"{now}\"", StringComparison.Ordinal));
        Assert.Contains(
            $"{part}: its checkpoints were made with other settings: {name} was {was}, is {now}; set them back",
            Fails("train", "--resume", part, "--quiet"), StringComparison.Ordinal);
        Assert.NotEmpty(Checkpoints(part));
        File.WriteAllText(path, before);
        Assert.Equal(0, ToolRun.Of("train", "--resume", part, "--quiet").Code);
    }

    [Fact]
    public void Fewer_samples_than_a_checkpoint_was_made_with_are_refused()
    {
        var part = Interrupted();
        var notes = Notes(part, out var tensors).ToDictionary();
        notes["setting.training samples"] = "100";
        new CheckpointStore(part).Write(tensors, notes);
        Assert.Contains("training samples was 100, is 6000", Fails("train", "--resume", part, "--quiet"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_of_version_0_1_which_carries_no_settings_is_read()
    {
        var (whole, part) = (Whole(), Interrupted());
        new CheckpointStore(part)
            .Write(Tensors(part), Notes(part, out _)
            .Where(note => !note.Key.StartsWith("setting.", StringComparison.Ordinal)).ToDictionary());
        Assert.Equal(0, ToolRun.Of("train", "--resume", part, "--quiet").Code);
        AssertSame(whole, part);
    }

    [Fact]
    public void A_trial_whose_report_cannot_be_written_goes_on_from_its_end_and_a_complete_one_keeps_no_checkpoints()
    {
        var (file, path) = (Path.Combine(folder, "sweep.json"), Path.Combine(folder, "sweep"));
        File.WriteAllText(file,
            """{ "settings": { "dataset": "synth", "hidden": "8", "epochs": 1, "data-share": 0.05 }, "seeds": 1 }""");
        Assert.Equal(0, ToolRun.Of("experiment", "run", file, "--out", path, "--quiet").Code);
        var trial = Directory.GetDirectories(Path.Combine(path, "trials")).Single();
        string[] Inside() => [.. Directory.GetFiles(trial).Select(one => Path.GetFileName(one)!).Order()];
        var (names, best) = (Inside(), File.ReadAllBytes(Path.Combine(trial, "best.safetensors")));
        Assert.Equal(["best.safetensors", "metrics.jsonl", "report.html", "result.json", "settings.json"], names);

        Directory.Delete(trial, recursive: true);
        Directory.CreateDirectory(Path.Combine(trial, "report.html", "taken"));
        Assert.Contains("report.html: cannot be written: ", Fails("experiment", "run", file, "--out", path, "--quiet"),
            StringComparison.Ordinal);
        Assert.NotEmpty(Checkpoints(trial));
        Directory.Delete(Path.Combine(trial, "report.html"), recursive: true);
        var metrics = File.ReadAllText(Path.Combine(trial, "metrics.jsonl"));
        Assert.Equal(0, ToolRun.Of("experiment", "run", file, "--out", path, "--quiet").Code);
        Assert.Equal(metrics, File.ReadAllText(Path.Combine(trial, "metrics.jsonl")));
        Assert.Equal(best, File.ReadAllBytes(Path.Combine(trial, "best.safetensors")));
        Assert.Equal(names, Inside());

        // Killed between its result and the end of its lock: the next run removes what is left.
        foreach (var left in (string[])["checkpoint-00000009.safetensors", "last.safetensors", ".holder", ".lock"])
            File.WriteAllText(Path.Combine(trial, left), "");
        Assert.Equal(0, ToolRun.Of("experiment", "run", file, "--out", path, "--quiet").Code);
        Assert.Equal(names, Inside());
    }

    private string Whole()
    {
        var whole = Path.Combine(folder, "whole");
        Assert.Equal(0, ToolRun.Of(["train", .. Options, "--out", whole]).Code);
        return whole;
    }

    // Stopped after its first step, as Ctrl-C does.
    private string Interrupted(params string[] changes)
    {
        var part = Path.Combine(folder, "part");
        Directory.CreateDirectory(part);
        var pairs = Options[..^1].Concat(changes).Chunk(2).GroupBy(pair => pair[0][2..])
            .Select(pairs => KeyValuePair.Create(pairs.Key, pairs.Last()[1]));
        var settings = TrainSettings.Table.Read(pairs);
        RunFolder.WriteSettings(part, settings);
        Assert.True(new TrainingRun(settings, settings.LoadData(), part, TimeSpan.FromHours(1))
            .Train(false, Assert.Fail, new CancellationToken(canceled: true)).WasCanceled);
        return part;
    }

    private static string[] Checkpoints(string of) =>
        Directory.Exists(of) ? [.. Directory.GetFiles(of, "checkpoint-*.safetensors").Order()] : [];

    private static IReadOnlyDictionary<string, Tensor> Tensors(string of) => SafeTensors.Load(Checkpoints(of)[^1]);

    private static IReadOnlyDictionary<string, string> Notes(string of, out IReadOnlyDictionary<string, Tensor> tensors)
    {
        tensors = SafeTensors.Load(Checkpoints(of)[^1], out var notes);
        return notes;
    }

    private static int Epochs(string of)
    {
        var path = Path.Combine(of, "metrics.jsonl");
        try
        {
            return File.Exists(path) ? File.ReadAllText(path).Count(letter => letter == '\n') : 0;
        }
        catch (IOException)
        {
            // It is being written.
            return 0;
        }
    }

    private static void AssertSame(string whole, string part)
    {
        Assert.Equal(Names(whole), Names(part));
        foreach (var name in (string[])["best.safetensors", "last.safetensors"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, name)), File.ReadAllBytes(Path.Combine(part, name)));
        Assert.Equal(Seconds().Replace(File.ReadAllText(Path.Combine(whole, "metrics.jsonl")), ""), Seconds()
            .Replace(File.ReadAllText(Path.Combine(part, "metrics.jsonl")), ""));
    }

    // Who is killed after all is written, and before the lock is given back, leaves its marks.
    private static string[] Names(string of) =>
        [.. Directory.GetFiles(of).Select(path => Path.GetFileName(path)).Except([".lock", ".holder"]).Order()];

    private static Process Start(string[] args)
    {
        string[] all = [typeof(Tool).Assembly.Location, "train", .. args];
        return Process.Start(new ProcessStartInfo("dotnet", all) { RedirectStandardError = true })!;
    }

    private static string Fails(params string[] args)
    {
        var (code, _, error) = ToolRun.Of(args);
        Assert.Equal((1, ""), (code, error.Contains("   at ", StringComparison.Ordinal) ? error : ""));
        return error;
    }

    [GeneratedRegex("\"seconds\": ?[0-9.eE-]+")]
    private static partial Regex Seconds();
}
