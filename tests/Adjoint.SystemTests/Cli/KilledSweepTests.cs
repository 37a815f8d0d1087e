using System.Diagnostics;
using System.Text.RegularExpressions;
using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>A sweep that is killed again and again ends with the bits of one that never was.</summary>
[Collection(Collections.Waiting)]
public sealed partial class KilledSweepTests : IDisposable
{
    // `.ci/run --long` takes hours, not minutes.
    private static readonly int Kills = Environment.GetEnvironmentVariable("ADJOINT_LONG") is null ? 20 : 1000;
    private const int Sweeps = 2;

    private const string Sweep = """
        {
          "name": "killed",
          "settings": { "dataset": "synth", "hidden": "64", "epochs": 4, "data-share": 0.5, "batch-size": 64,
             "momentum": 0.9, "lr": 0.05, "schedule": "one-cycle", "ema": 0.9 },
          "factors": { "activation": ["sigmoid", "relu"] },
          "seeds": 2
        }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Killed_many_times_at_random_moments()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: processes are killed as on Unix");
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var file = Path.Combine(folder, "killed.json");
        File.WriteAllText(file, Sweep);
        var whole = Path.Combine(folder, "whole");
        var (startup, work) = Measure(file, whole);

        // Two sweeps are killed side by side: most of the time a process only starts, which keeps one core busy.
        var sweeps = Enumerable.Range(0, Sweeps).Select(i => Path.Combine(folder, $"killed-{i}")).ToArray();
        var kills = sweeps.Select((killed, i) =>
            Task.Run(() => KillAgainAndAgain(file, killed, startup, work, new Random(seed + i))));
        var inTraining = (await Task.WhenAll(kills)).Sum();
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{inTraining} of {Kills} with a checkpoint to go on from; startup {startup}, work {work}");
        Assert.True(inTraining >= Kills / 10, $"only {inTraining} of {Kills} hit a trial at work");
        foreach (var killed in sweeps) AssertSame(whole, killed);
    }

    // What startup and work take here and now, so that kills hit both on a machine of any speed.
    private static (TimeSpan Startup, TimeSpan Work) Measure(string file, string whole)
    {
        var started = Stopwatch.GetTimestamp();
        using var process = Start(file, whole);
        var works = WaitUntilItWorks(process, whole);
        var startup = Stopwatch.GetElapsedTime(started);
        Assert.Equal((0, "", true), (Wait(process), process.StandardError.ReadToEnd(), works));
        return (startup, Stopwatch.GetElapsedTime(started) - startup);
    }

    /// <returns>How many of the kills left a checkpoint to go on from.</returns>
    private static int KillAgainAndAgain(string file, string killed, TimeSpan startup, TimeSpan work, Random random)
    {
        var (kills, inTraining) = (0, 0);
        while (kills < Kills / Sweeps)
        {
            using var process = Start(file, killed);
            // One in five is hit while it starts, the others anywhere in half of the work, from its beginning or from
            // the first checkpoint on, which comes late on a busy machine: the next process goes on where this one was
            // hit.
            var ended = random.Next(5) switch
            {
                0 => process.WaitForExit(random.NextDouble() * startup),
                1 or 2 => !WaitUntilItWorks(process, killed) || process.WaitForExit(random.NextDouble() * work / 2),
                _ => !WaitUntil(process, () => HasCheckpoint(killed, process.StartTime))
                    || process.WaitForExit(random.NextDouble() * work / 2),
            };
            if (ended)
            {
                // Done too soon: the machine is less busy than when it was measured, or little was left. A trial is
                // taken away, and the killing goes on.
                Assert.True(process.ExitCode == 0, process.StandardError.ReadToEnd());
                work *= 0.8;
                var trials = Directory.GetDirectories(Path.Combine(killed, "trials"));
                Directory.Delete(trials[random.Next(trials.Length)], recursive: true);
                continue;
            }
            process.Kill();
            process.WaitForExit();
            kills++;
            if (HasCheckpoint(killed, DateTime.MinValue)) inTraining++;
        }
        using (var process = Start(file, killed)) Assert.True(Wait(process) == 0, process.StandardError.ReadToEnd());
        return inTraining;
    }

    // A process writes its number into the folder before it begins with the first trial.
    private static bool WaitUntilItWorks(Process process, string to) =>
        WaitUntil(process, () => Holder(to).StartsWith($"process {process.Id} ", StringComparison.Ordinal));

    // False when the process ended before.
    private static bool WaitUntil(Process process, Func<bool> condition)
    {
        while (!process.WaitForExit(5))
            if (condition()) return true;
        return false;
    }

    private static bool HasCheckpoint(string to, DateTime since) => Directory.Exists(to)
        && Directory.EnumerateFiles(to, "checkpoint-*.safetensors",
            new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Any(path => File.GetLastWriteTime(path) > since);

    private static string Holder(string to)
    {
        var path = Path.Combine(to, ".holder");
        try
        {
            return File.Exists(path) ? File.ReadAllText(path) : "";
        }
        catch (FileNotFoundException)
        {
            // The process ended in between.
            return "";
        }
    }

    private static void AssertSame(string whole, string killed)
    {
        Assert.Equal(Files(whole), Files(killed));
        foreach (var trial in Directory.GetDirectories(Path.Combine(whole, "trials")))
        {
            var other = Path.Combine(killed, "trials", Path.GetFileName(trial));
            Assert.Equal(File.ReadAllBytes(Path.Combine(trial, "best.safetensors")),
                File.ReadAllBytes(Path.Combine(other, "best.safetensors")));
            Assert.Equal(WithoutTime(Path.Combine(trial, "metrics.jsonl")),
                WithoutTime(Path.Combine(other, "metrics.jsonl")));
            Assert.Equal(WithoutTime(Path.Combine(trial, "result.json")),
                WithoutTime(Path.Combine(other, "result.json")));
        }
    }

    private static string[] Files(string root) =>
    [
        .. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path)).Order(StringComparer.Ordinal),
    ];

    private static string WithoutTime(string path) => Seconds().Replace(File.ReadAllText(path), "");

    private static int Wait(Process process)
    {
        Assert.True(process.WaitForExit(120_000));
        return process.ExitCode;
    }

    private static Process Start(string file, string to)
    {
        string[] command =
        [
            typeof(Tool).Assembly.Location, "experiment", "run", file, "--out", to, "--quiet", "--checkpoint-every",
            "0.02",
        ];
        return Process.Start(new ProcessStartInfo("dotnet", command)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
    }

    [GeneratedRegex("\"seconds\": ?[0-9.eE-]+")]
    private static partial Regex Seconds();
}
