using System.Diagnostics;
using System.Text.RegularExpressions;
using Adjoint.Cli;

namespace Adjoint.Tests.Cli;

/// <summary>A sweep that is killed again and again ends with the bits of one that never was.</summary>
public sealed partial class KilledSweepTests : IDisposable
{
    private const int Kills = 50;

    private const string Sweep = """
        {
          "name": "killed",
          "settings": { "dataset": "synth", "hidden": "64", "epochs": 8, "data-share": 0.5, "batch-size": 64, "momentum": 0.9, "lr": 0.05, "schedule": "one-cycle", "ema": 0.9 },
          "factors": { "activation": ["sigmoid", "relu"] },
          "seeds": 2
        }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Killed_fifty_times_at_random_moments()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("processes are killed as on Unix");
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var file = Path.Combine(folder, "killed.json");
        File.WriteAllText(file, Sweep);
        var (whole, killed) = (Path.Combine(folder, "whole"), Path.Combine(folder, "killed"));
        using (var process = Start(file, whole)) Assert.Equal((0, ""), (Wait(process), process.StandardError.ReadToEnd()));

        var (kills, inTraining) = (0, 0);
        while (kills < Kills)
        {
            using var process = Start(file, killed);
            // Most of the time a process needs to begin; from there on every moment is as likely.
            var ended = process.WaitForExit(random.Next(500, 1500));
            if (ended)
            {
                // Done too soon: a trial is taken away, and the killing goes on.
                var trials = Directory.GetDirectories(Path.Combine(killed, "trials"));
                Directory.Delete(trials[random.Next(trials.Length)], recursive: true);
                continue;
            }
            process.Kill();
            process.WaitForExit();
            kills++;
            if (Directory.Exists(killed) && Directory.EnumerateFiles(killed, "checkpoint-*.safetensors", SearchOption.AllDirectories).Any()) inTraining++;
        }
        using (var process = Start(file, killed)) Assert.True(Wait(process) == 0, process.StandardError.ReadToEnd());
        TestContext.Current.TestOutputHelper!.WriteLine($"{inTraining} of {Kills} with a checkpoint to go on from");
        Assert.True(inTraining >= Kills / 10, $"only {inTraining} of {Kills} hit a trial at work");

        Assert.Equal(Files(whole), Files(killed));
        foreach (var trial in Directory.GetDirectories(Path.Combine(whole, "trials")))
        {
            var other = Path.Combine(killed, "trials", Path.GetFileName(trial));
            Assert.Equal(File.ReadAllBytes(Path.Combine(trial, "best.safetensors")), File.ReadAllBytes(Path.Combine(other, "best.safetensors")));
            Assert.Equal(WithoutTime(Path.Combine(trial, "metrics.jsonl")), WithoutTime(Path.Combine(other, "metrics.jsonl")));
            Assert.Equal(WithoutTime(Path.Combine(trial, "result.json")), WithoutTime(Path.Combine(other, "result.json")));
        }
    }

    private static string[] Files(string root) => [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(root, path)).Order(StringComparer.Ordinal)];

    private static string WithoutTime(string path) => Seconds().Replace(File.ReadAllText(path), "");

    private static int Wait(Process process)
    {
        Assert.True(process.WaitForExit(120_000));
        return process.ExitCode;
    }

    private static Process Start(string file, string to) =>
        Process.Start(new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, "experiment", "run", file, "--out", to, "--quiet", "--checkpoint-every", "0.05"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;

    [GeneratedRegex("\"seconds\": ?[0-9.eE-]+")]
    private static partial Regex Seconds();
}
