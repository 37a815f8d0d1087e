using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Adjoint.Cli;

namespace Adjoint.SystemTests.Cli;

/// <summary>Sweeps on a real Slurm end with the bits of this process alone, whatever dies on the way.</summary>
[Collection(Collections.Waiting)]
public sealed partial class SlurmSweepTests
{
    private const int SigInt = 2, SigKill = 9;

    // Of a machine that others use as well.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    [Fact]
    public void A_killed_worker_and_canceled_jobs_cost_no_bit()
    {
        using var cluster = SlurmCluster.Start();
        var (file, whole, shared) = Sweep(cluster, epochs: 6, seeds: 6);
        using (var run = StartSweep(cluster, file, shared))
        {
            Signal(Holder(shared), SigKill);
            Until(() => Complete(shared) > 0);
            cluster.Slurm("scancel", $"--name={Name(cluster)}");
            var error = run.StandardError.ReadToEnd();
            Assert.True(run.WaitForExit(Patience));
            Assert.Contains("was canceled", error, StringComparison.Ordinal);
            Assert.Contains("the same command goes on from here", error, StringComparison.Ordinal);
            Assert.Equal(Tool.Failure, run.ExitCode);
        }
        Assert.InRange(Complete(shared), 1, 11);
        Finish(cluster, file, whole, shared);
    }

    [Fact]
    public void Requeued_terminated_drained_and_helped_by_hand()
    {
        OnlyLong();
        using var cluster = SlurmCluster.Start();
        var (file, whole, shared) = Sweep(cluster, epochs: 40);
        using (var run = StartSweep(cluster, file, shared))
        {
            Until(() => Complete(shared) > 0);
            var node = cluster.Slurm("sinfo", "--noheader", "--format=%n").Trim();
            var running = Running(cluster);
            // Either may have ended since.
            cluster.Run("scontrol", "requeue", running[0]);
            // What Slurm sends before the time limit of a job, and to one that must make room.
            cluster.Run("scancel", "--batch", "--signal=TERM", running[^1]);
            cluster.Slurm("scontrol", "update", $"NodeName={node}", "State=DRAIN", "Reason=test");
            using (var helper = cluster.Start("bash", Path.Combine(shared, "slurm", "worker.sh")))
            {
                helper.StandardError.ReadToEnd();
                Assert.True(helper.WaitForExit(Patience));
                Assert.Equal(0, helper.ExitCode);
            }
            cluster.Slurm("scontrol", "update", $"NodeName={node}", "State=RESUME");
            var error = run.StandardError.ReadToEnd();
            Assert.True(run.WaitForExit(Patience));
            Assert.True(run.ExitCode == 0, error);
        }
        Finish(cluster, file, whole, shared);
    }

    [Fact]
    public void After_Ctrl_C_the_jobs_go_on_and_the_same_command_looks_on_again()
    {
        OnlyLong();
        using var cluster = SlurmCluster.Start();
        var (file, whole, shared) = Sweep(cluster, epochs: 40);
        using (var run = StartSweep(cluster, file, shared))
        {
            Until(() => Complete(shared) > 0);
            Signal(run.Id, SigInt);
            var error = run.StandardError.ReadToEnd();
            Assert.True(run.WaitForExit(Patience));
            Assert.Equal(Tool.Interrupted, run.ExitCode);
            Assert.Contains($"the jobs go on, and the same command looks on again; to end them: scancel --name=",
                error, StringComparison.Ordinal);
        }
        Assert.NotEmpty(Running(cluster));
        Assert.Contains("going on with the jobs that are queued", Finish(cluster, file, whole, shared),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Trials_of_several_ranks_have_the_bits_of_one_process()
    {
        OnlyLong();
        if (!File.Exists("/usr/bin/mpirun.openmpi")) Assert.Skip("skipped: no mpirun.openmpi (Debian: openmpi-bin)");
        using var cluster = SlurmCluster.Start();
        var (file, whole, shared) = Sweep(cluster, epochs: 2, seeds: 1, more: ", \"shards\": 4");
        var (code, _, error) = cluster.Tool("experiment", "run", file, "--engine", "slurm", "--out", shared, "--ranks",
            "2", "--mpirun", "mpirun.openmpi --allow-run-as-root --oversubscribe --bind-to none");
        Assert.True(code == 0, error);
        Finish(cluster, file, whole, shared);
        var (refused, _, why) = cluster.Tool("experiment", "run", file, "--engine", "slurm", "--ranks", "5");
        Assert.Equal(Tool.Usage, refused);
        Assert.Contains("--ranks: 5 ranks cannot share the 4 shards of a batch; give the experiment \"shards\"", why,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_does_not_see_the_folder_is_named()
    {
        OnlyLong();
        using var cluster = SlurmCluster.Start(isShared: false);
        var (file, shared) = (WriteSweep(cluster, epochs: 1, seeds: 2), Path.Combine(cluster.Folder, "shared"));
        var (code, _, error) = cluster.Tool("experiment", "run", file, "--engine", "slurm", "--out", shared);
        Assert.Equal(Tool.Failure, code);
        Assert.Matches($"before it wrote a line: .+ does not see {Regex.Escape(shared)}; put --out on a file system "
            + "that all nodes share", error);
        cluster.AssertNothingIsLeft();
    }

    [Fact]
    public void What_Slurm_refuses_is_told_in_one_line()
    {
        OnlyLong();
        using var cluster = SlurmCluster.Start();
        var file = WriteSweep(cluster, epochs: 1, seeds: 2);
        foreach (var (options, message) in ((string, string)[])[
            ("--partition nowhere", "Slurm refuses the jobs: invalid partition specified: nowhere; "),
            ("--time 1000", "would wait for ever (PartitionTimeLimit): it asks for what it cannot get; change ")])
        {
            var (code, _, error) = cluster.Tool(["experiment", "run", file, "--engine", "slurm", "--quiet",
                .. options.Split(' ')]);
            Assert.Equal(Tool.Failure, code);
            Assert.Contains(message, Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
        }
        cluster.AssertNothingIsLeft();
    }

    [Fact]
    public void A_trial_that_cannot_be_written_stops_no_other()
    {
        OnlyLong();
        using var cluster = SlurmCluster.Start();
        var (file, whole, shared) = Sweep(cluster, epochs: 2);
        var broken = Path.Combine(shared, "trials", Path.GetFileName(Directory.GetDirectories(
            Path.Combine(whole, "trials")).Order(StringComparer.Ordinal).First()));
        Directory.CreateDirectory(Path.GetDirectoryName(broken)!);
        File.WriteAllText(broken, "in the way");
        var (code, _, error) = cluster.Tool("experiment", "run", file, "--engine", "slurm", "--out", shared);
        Assert.Equal(Tool.Failure, code);
        Assert.Contains("5 of 6 trials are complete", error, StringComparison.Ordinal);
        File.Delete(broken);
        Finish(cluster, file, whole, shared);
    }

    // `.ci/run slurm` takes a minute.
    private static void OnlyLong()
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_LONG") is null) Assert.Skip("skipped: ADJOINT_LONG is not set");
    }

    // A sweep of two trials for each seed.
    private static string WriteSweep(SlurmCluster cluster, int epochs, int seeds, string more = "")
    {
        var file = Path.Combine(cluster.Folder, "sweep.json");
        File.WriteAllText(file, $$"""
            {
              "name": "shared",
              "settings": { "dataset": "synth", "hidden": "32", "epochs": {{epochs}}, "data-share": 0.3,
                 "batch-size": 64, "momentum": 0.9, "lr": 0.05, "schedule": "one-cycle", "ema": 0.9{{more}} },
              "factors": { "activation": ["sigmoid", "relu"] },
              "seeds": {{seeds}}
            }
            """);
        return file;
    }

    // A sweep, and the folder of its whole run in one process.
    private static (string File, string Whole, string Shared) Sweep(
        SlurmCluster cluster, int epochs, int seeds = 3, string more = "")
    {
        var (file, whole) = (WriteSweep(cluster, epochs, seeds, more), Path.Combine(cluster.Folder, "whole"));
        var (code, _, error) = cluster.Tool("experiment", "run", file, "--out", whole, "--quiet");
        Assert.Equal((0, ""), (code, error));
        return (file, whole, Path.Combine(cluster.Folder, "shared"));
    }

    private static Process StartSweep(SlurmCluster cluster, string file, string shared) =>
        cluster.StartTool("experiment",
        "run", file, "--engine", "slurm", "--max-jobs", "3", "--checkpoint-every", "0.02", "--out", shared);

    // Goes on to the end, compares it with the whole one. What the command told.
    private static string Finish(SlurmCluster cluster, string file, string whole, string shared)
    {
        var (code, _, error) = cluster.Tool("experiment", "resume", file, "--engine", "slurm", "--out", shared);
        Assert.True(code == 0, error);
        cluster.AssertNothingIsLeft();
        Assert.Equal(Files(whole), Files(shared).Where(path => !path.StartsWith("slurm", StringComparison.Ordinal)));
        foreach (var trial in Directory.GetDirectories(Path.Combine(whole, "trials")))
        {
            var other = Path.Combine(shared, "trials", Path.GetFileName(trial));
            Assert.Equal(File.ReadAllBytes(Path.Combine(trial, "best.safetensors")),
                File.ReadAllBytes(Path.Combine(other, "best.safetensors")));
            foreach (var name in (string[])["metrics.jsonl", "result.json"])
                Assert.Equal(WithoutTime(Path.Combine(trial, name)), WithoutTime(Path.Combine(other, name)));
        }
        return error;
    }

    private static string[] Files(string root) =>
    [
        .. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path)).Order(StringComparer.Ordinal),
    ];

    private static int Complete(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "result.json", SearchOption.AllDirectories).Count() : 0;

    // A worker that has a trial now.
    private static int Holder(string folder)
    {
        var found = 0;
        Until(() =>
        {
            if (!Directory.Exists(Path.Combine(folder, "trials"))) return false;
            try
            {
                var lease = Directory.EnumerateFiles(folder, ".lease-*", SearchOption.AllDirectories).FirstOrDefault();
                if (lease is null) return false;
                using var json = JsonDocument.Parse(File.ReadAllText(lease));
                found = json.RootElement.GetProperty("process").GetInt32();
                return true;
            }
            catch (Exception error) when (error is IOException or JsonException)
            {
                return false;
            }
        });
        return found;
    }

    private static string[] Running(SlurmCluster cluster) =>
        cluster.Slurm("squeue", "--noheader", "--array", "--states=RUNNING", "--format=%i")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string Name(SlurmCluster cluster) =>
        cluster.Slurm("squeue", "--noheader", "--format=%j").Split('\n')[0].Trim();

    private static void Until(Func<bool> isTrue)
    {
        var started = Stopwatch.GetTimestamp();
        while (!isTrue())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, "nothing came of it");
            Thread.Sleep(5);
        }
    }

    private static void Signal(int process, int signal) => Assert.Equal(0, Kill(process, signal));

    private static string WithoutTime(string path) => Seconds().Replace(File.ReadAllText(path), "");

    [GeneratedRegex("\"seconds\": ?[0-9.eE-]+")]
    private static partial Regex Seconds();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
