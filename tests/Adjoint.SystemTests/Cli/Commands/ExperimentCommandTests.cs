using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.IO;

namespace Adjoint.SystemTests.Cli;

public sealed partial class ExperimentCommandTests : IDisposable
{
    private const string Sweep = """
        {
          "name": "small", "title": "Two <activations>",
          "settings": { "dataset": "synth", "hidden": "8", "epochs": 2, "data-share": 0.05 },
          "factors": { "activation": ["sigmoid", "relu"] },
          "seeds": 2,
          "claims": [{ "text": "ReLU is higher", "higher": "relu", "than": "sigmoid" }]
        }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_sweep_runs_once_reports_and_says_where_it_is()
    {
        var (file, path) = (Write(Sweep), Path.Combine(folder, "out"));
        Assert.Contains("nothing was begun there", Fails(1, "experiment", "resume", file, "--out", path),
            StringComparison.Ordinal);
        Assert.Equal(4, Regex.Count(ToolRun.Of("experiment", "status", file, "--out", path).Output, " waiting"));
        var (code, output, error) = ToolRun.Of("experiment", "run", file, "--out", path);
        Assert.Equal((0, Path.Combine(path, "report.html") + "\n"), (code, output));
        Assert.Matches(
            @"\[4/4\] (sigmoid|relu), seed [12] \(synth-mlp-seed[12]-[0-9a-f]{12}\): complete, epoch 2, accuracy "
            + @"0\.[0-9]{4}; 0:00 left", error);
        Assert.Equal(
            ["epochs.csv", "figures/figure-small.svg", "report.html", "results.json", "time.json", "verdicts.md"],
            Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Select(one => Path.GetRelativePath(path, one))
                .Where(one => !one.StartsWith("trials", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        var page = File.ReadAllText(Path.Combine(path, "report.html"));
        Assert.Contains("Two &lt;activations&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("src=\"http", page, StringComparison.Ordinal);
        var whole = JsonDocument.Parse(File.ReadAllText(Path.Combine(path, "results.json"))).RootElement;
        var time = whole.GetProperty("time");
        Assert.InRange(time.GetProperty("trainingSeconds").GetDouble(), 1e-3,
            time.GetProperty("jobSeconds").GetDouble());
        Assert.Matches("of the jobs' time was not spent training", page);
        var results = whole.GetProperty("experiments")[0];
        Assert.Equal(2, results.GetProperty("cases").GetArrayLength());
        Assert.Contains(results.GetProperty("claims")[0].GetProperty("verdict").GetString(),
            (string[])["holds", "does not hold", "undecided"]);
        // 2 cases, 2 seeds, 3 epochs with the one before training, and the heads.
        Assert.Equal(13, File.ReadAllLines(Path.Combine(path, "epochs.csv")).Length);
        Assert.Equal(4,
            Regex.Count(ToolRun.Of("experiment", "status", file, "--out", path).Output, " complete +epoch 2"));

        var written = Directory.GetFiles(path, "result.json", SearchOption.AllDirectories)
            .Select(File.GetLastWriteTimeUtc).ToArray();
        Assert.Equal(0, ToolRun.Of("experiment", "resume", file, "--out", path, "--quiet").Code);
        Assert.Equal(written, Directory.GetFiles(path, "result.json", SearchOption.AllDirectories)
            .Select(File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void Numbers_do_not_depend_on_how_many_run_side_by_side_and_the_command_repeats_a_trial()
    {
        var file = Write(Sweep);
        foreach (var (name, jobs) in ((string, string)[])[("one", "1"), ("two", "4")])
            Assert.Equal(0,
                ToolRun.Of("experiment", "run", file, "--out", Path.Combine(folder, name), "--quiet", "--jobs",
                jobs).Code);
        string Numbers(string name) =>
            string.Join('\n', File.ReadAllLines(Path.Combine(folder, name, "epochs.csv"))
                .Select(line => line[..line.LastIndexOf(',')]));
        Assert.Equal(Numbers("one"), Numbers("two"));

        var trial = Directory.GetDirectories(Path.Combine(folder, "one", "trials"))[0];
        var command = JsonDocument.Parse(File.ReadAllText(Path.Combine(trial, "result.json")))
            .RootElement.GetProperty("command").GetString()!;
        Assert.StartsWith("adjoint train --dataset synth", command, StringComparison.Ordinal);
        Assert.Equal(0,
            ToolRun.Of([.. command.Split(' ')[1..], "--quiet", "--out", Path.Combine(folder, "again")]).Code);
        Assert.Equal(File.ReadAllBytes(Path.Combine(trial, "best.safetensors")),
            File.ReadAllBytes(Path.Combine(folder, "again", "best.safetensors")));
    }

    [Fact]
    public void A_folder_in_use_is_refused_by_name_and_a_damaged_result_is_made_again()
    {
        var (file, path) = (Write(Sweep), Path.Combine(folder, "out"));
        using (FolderLock.Take(path))
            Assert.Contains($"{path}: in use by process {Environment.ProcessId} on ",
                Fails(1, "experiment", "run", file, "--out", path, "--quiet"), StringComparison.Ordinal);
        Assert.Equal(0, ToolRun.Of("experiment", "run", file, "--out", path, "--quiet").Code);
        var result = Directory.GetFiles(path, "result.json", SearchOption.AllDirectories)[0];
        var epochs = Time().Replace(File.ReadAllText(result), "");
        File.WriteAllText(result, "{ \"epochs\": [");
        // One that is damaged stops neither of these two: it is as if it were not complete.
        var (status, said, _) = ToolRun.Of("experiment", "status", file, "--out", path);
        Assert.Equal((0, 3), (status, Regex.Count(said, " complete +epoch 2")));
        Assert.Matches($"failed .*{Regex.Escape(result)}, offset 0: found what does not parse", said);
        var (code, _, error) = ToolRun.Of("experiment", "report", file, "--out", path);
        Assert.Equal(0, code);
        Assert.Contains($"adjoint: {result}, offset 0: found what does not parse", error, StringComparison.Ordinal);
        Assert.Contains("1 of 4 trials are not complete and left out", error, StringComparison.Ordinal);
        (code, _, error) = ToolRun.Of("experiment", "run", file, "--out", path);
        Assert.Equal(0, code);
        Assert.Contains("running the trial again", error, StringComparison.Ordinal);
        Assert.Equal(epochs, Time().Replace(File.ReadAllText(result), ""));
    }

    [Fact]
    public void A_trial_that_diverges_is_a_result()
    {
        var file = Write(
            """
            {
              "settings": { "dataset": "synth", "hidden": "8", "epochs": 2, "data-share": 0.05, "lr": 1e38 },
              "seeds": 1
            }
            """);
        var (code, _, error) = ToolRun.Of("experiment", "run", file, "--out", Path.Combine(folder, "out"));
        Assert.Equal(0, code);
        Assert.Contains("diverged, epoch 0", error, StringComparison.Ordinal);
        Assert.Contains("smaller learning rate", File.ReadAllText(Path.Combine(folder, "out", "report.html")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_of_what_is_complete_runs_nothing()
    {
        var file = Write(
            """
            {
              "name": "part",
              "settings": { "dataset": "synth", "hidden": "8", "epochs": 1, "data-share": 0.05 },
              "seeds": 2
            }
            """);
        var path = Path.Combine(folder, "out");
        Assert.Equal(0, ToolRun.Of("experiment", "run", file, "--out", path, "--quiet").Code);
        var trials = Path.Combine(path, "trials");
        Directory.Delete(Directory.GetDirectories(trials)[0], recursive: true);
        var (code, output, error) = ToolRun.Of("experiment", "report", file, "--out", path);
        Assert.Equal((0, Path.Combine(path, "report.html"), "1 of 2 trials are not complete and left out"),
            (code, output.TrimEnd(), error.TrimEnd()));
        Assert.Single(Directory.GetDirectories(trials));
        Assert.Contains("1 trials are not complete and left out", File.ReadAllText(Path.Combine(path, "report.html")),
            StringComparison.Ordinal);

        Directory.CreateDirectory(Path.Combine(folder, "none"));
        var paper = ToolRun.Of("paper", "--only", "text", "--report", "--out", Path.Combine(folder, "none"));
        Assert.Equal((0, "3 of 3 trials are not complete and left out" + Environment.NewLine),
            (paper.Code, paper.Error));
        Assert.Contains("no such folder; adjoint paper makes it",
            Fails(1, "paper", "--report", "--out", Path.Combine(folder, "nowhere")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "experiment run nowhere.json", "nowhere.json: no such file")]
    [InlineData(2, "experiment", "no command given; use one of run, resume, status, report, schema")]
    [InlineData(2, "paper --seeds 0", "--seeds: 0 is out of range; use 1 to 1000")]
    [InlineData(2, "paper --only 9", "--only: '9' is none of 1, 1b, 2, 2b, 3, 3b, 4, 4b, 5, 5b, 6, 7, 8, text")]
    [InlineData(2, "paper --only 1 --jobs 0 --data-dir DATA", "--jobs: 0 is out of range")]
    [InlineData(1, "paper --data-dir /nowhere", "data set mnist: no train-images-idx3-ubyte in /nowhere")]
    [InlineData(2, "train --data-share 0", "--data-share: 0 is out of range")]
    [InlineData(2, "train --resume here --epochs 3",
        "--epochs: --resume takes the settings of the run's folder; leave it out")]
    [InlineData(1, "train --resume nowhere", "--resume nowhere: no settings.json there")]
    [InlineData(2, "train --checkpoint-every -1", "--checkpoint-every: -1 is out of range")]
    public void Wrong_usage_is_one_line(int expected, string line, string message)
    {
        if (line.Contains("DATA", StringComparison.Ordinal))
        {
            foreach (var name in (string[])["train-images-idx3-ubyte"])
                File.WriteAllText(Path.Combine(folder, name), "");
            line = line.Replace("DATA", folder, StringComparison.Ordinal);
        }
        Assert.Contains(message, Fails(expected, line.Split(' ')), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_file_is_wrong_usage() =>
        Assert.Contains(":1:17: unknown setting 'epoch'; did you mean 'epochs'?",
            Fails(2, "experiment", "run", Write("{ \"settings\": { \"epoch\": 1 } }")), StringComparison.Ordinal);

    [Fact]
    public void A_run_goes_on_from_its_last_sound_checkpoint()
    {
        string[] settings = ["--epochs", "3", "--hidden", "8", "--momentum", "0.9", "--data-share", "0.1", "--quiet"];
        var (whole, part) = (Path.Combine(folder, "whole"), Path.Combine(folder, "part"));
        Assert.Equal(0, ToolRun.Of(["train", .. settings, "--out", whole]).Code);
        Assert.Contains("the run is complete", Fails(1, "train", "--resume", whole), StringComparison.Ordinal);
        // Every step keeps a checkpoint; the process is told to stop after the second epoch.
        string[] command =
            [typeof(Tool).Assembly.Location, "train", .. settings[..^1], "--out", part, "--checkpoint-every", "0"];
        using (var process = Process.Start(new ProcessStartInfo("dotnet", command) { RedirectStandardError = true })!)
        {
            while (process.StandardError.ReadLine() is { } line
                && !line.Contains("epoch   2/3", StringComparison.Ordinal)) { }
            process.Kill();
            process.WaitForExit();
        }
        var checkpoints = Directory.GetFiles(part, "checkpoint-*.safetensors").Order().ToArray();
        // Three are kept; a fourth is there when the process ended between writing the new one and removing the old.
        Assert.InRange(checkpoints.Length, 3, 4);
        var bytes = File.ReadAllBytes(checkpoints[^1]);
        bytes[^5] ^= 1;
        File.WriteAllBytes(checkpoints[^1], bytes);
        var (code, _, error) = ToolRun.Of("train", "--resume", part, "--quiet");
        Assert.Equal(0, code);
        Assert.Contains($"{checkpoints[^1]}, offset 0: found contents of digest", error, StringComparison.Ordinal);
        Assert.Contains("going back to the checkpoint before it", error, StringComparison.Ordinal);
        foreach (var name in (string[])["best.safetensors", "last.safetensors"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(whole, name)), File.ReadAllBytes(Path.Combine(part, name)));
        Assert.Equal(Time().Replace(File.ReadAllText(Path.Combine(whole, "metrics.jsonl")), ""),
            Time().Replace(File.ReadAllText(Path.Combine(part, "metrics.jsonl")), ""));
        Assert.Equal(Directory.GetFiles(whole).Select(Path.GetFileName).Order(),
            Directory.GetFiles(part).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void A_full_disk_stops_a_sweep_with_one_line_and_the_rest_is_done_when_there_is_room()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("skipped: a small file system is mounted as on Linux");
        var disk = Path.Combine(folder, "disk");
        Directory.CreateDirectory(disk);
        if (Shell($"mount -t tmpfs -o size=200k adjoint {disk}") != 0)
            Assert.Skip("skipped: mounting needs a privilege that this user lacks");
        try
        {
            var file = Write(Sweep.Replace("\"8\"", "\"4000\"", StringComparison.Ordinal));
            var error = Fails(1, "experiment", "run", file, "--out", Path.Combine(disk, "out"), "--quiet", "--jobs",
                "1");
            Assert.Contains("o space left", error, StringComparison.Ordinal);
            Assert.Contains("of 4 trials are complete; the same command goes on from here", error,
                StringComparison.Ordinal);
            Assert.Empty(Directory.GetFiles(disk, "*.tmp", SearchOption.AllDirectories));
            Assert.Equal(0, Shell($"mount -o remount,size=20m {disk}"));
            Assert.Equal(0, ToolRun.Of("experiment", "run", file, "--out", Path.Combine(disk, "out"), "--quiet").Code);
        }
        finally
        {
            Shell($"umount {disk}");
        }
    }

    private string Write(string text)
    {
        var path = Path.Combine(folder, "small.json");
        File.WriteAllText(path, text);
        return path;
    }

    private static string Fails(int expected, params string[] args)
    {
        var (code, _, error) = ToolRun.Of(args);
        Assert.Equal((expected, ""), (code, error.Contains("   at ", StringComparison.Ordinal) ? error : ""));
        return error;
    }

    private static int Shell(string command)
    {
        using var process =
            Process.Start(new ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }

    [GeneratedRegex("\"seconds\": ?[0-9.eE-]+")]
    private static partial Regex Time();
}
