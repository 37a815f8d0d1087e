using System.Diagnostics;
using Adjoint.Cli;
using Adjoint.Experiments;

namespace Adjoint.SystemTests.Cli;

/// <summary>What Slurm answers, played by scripts: refusals, silence, limits. Each is one line with a remedy.</summary>
public sealed class SlurmRefusalTests : IDisposable
{
    private const string Controller = "echo 'ClusterName = test'; echo 'MaxArraySize = 5'";
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public SlurmRefusalTests()
    {
        Directory.CreateDirectory(Path.Combine(folder, "bin"));
        File.WriteAllText(Path.Combine(folder, "sweep.json"), """
            { "name": "sweep", "settings": { "dataset": "synth", "epochs": 1, "data-share": 0.01 }, "seeds": 8 }
            """);
        Play("scontrol", Controller);
        Play("squeue", "true");
        Play("sbatch", "echo 17");
        Play("scancel", $"echo \"$@\" >> {folder}/canceled");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Slurm_is_not_there()
    {
        File.Delete(Path.Combine(folder, "bin", "scontrol"));
        Assert.Equal("adjoint: no scontrol here: --engine slurm needs Slurm's commands; run it on a login node of a "
            + "cluster, or use --engine local", Fails());
    }

    [Fact]
    public void Slurm_does_not_answer()
    {
        Play("scontrol",
            "echo 'slurm_load_ctl_conf error: Unable to contact slurm controller (connect failure)' >&2; exit 1");
        Assert.Equal("adjoint: Slurm does not answer: Unable to contact slurm controller (connect failure); ask "
            + "whoever runs the cluster (scontrol ping), or use --engine local", Fails());
    }

    [Fact]
    public void Slurm_refuses()
    {
        Play("sbatch", "echo 'sbatch: error: Batch job submission failed: Job violates accounting/QOS policy' >&2; "
            + "exit 1");
        Assert.Equal("adjoint: Slurm refuses the jobs: Batch job submission failed: Job violates accounting/QOS "
            + "policy; change --partition, --time or --slurm (sinfo shows partitions and their limits), or wait until "
            + "others have ended", Fails());
    }

    [Fact]
    public void An_array_is_no_longer_than_the_cluster_takes_and_gets_all_options()
    {
        Play("sbatch", $"printf '%s\\n' \"$@\" > {folder}/submitted; echo '18;cluster'");
        var (code, output, error) = Run("--no-wait", "--partition", "p", "--time", "2:00:00", "--max-jobs", "3",
            "--slurm", "--account=x  --comment='a b' --mem=4G");
        Assert.Equal((0, ""), (code, output));
        Assert.Contains("job 18: 5 workers for 8 trials, 3 at once; logs: ", error, StringComparison.Ordinal);
        Assert.Contains("0 of 8 trials are complete", error, StringComparison.Ordinal);
        var own = Path.Combine(folder, "out", "slurm");
        var submitted = File.ReadAllLines(Path.Combine(folder, "submitted"));
        Assert.Equal(["--parsable", "--array=0-4%3", $"--output={own}/%A_%a.log", "--open-mode=append", "--requeue",
            "--signal=B:TERM@60", $"--chdir={folder}", "--partition=p", "--time=2:00:00", "--account=x",
            "--comment=a b", "--mem=4G", $"{own}/worker.sh"],
            submitted.Where(line => !line.StartsWith("--job-name=adjoint-")));
        Assert.Contains($"experiment run {own}/experiment.json --out {folder}/out --engine worker",
            File.ReadAllText(Path.Combine(own, "worker.sh")), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(Path.Combine(folder, "sweep.json")),
            File.ReadAllText(Path.Combine(own, "experiment.json")));
    }

    [Theory]
    [InlineData("17|0|PENDING|PartitionTimeLimit||0:00", "adjoint: job 17 would wait for ever (PartitionTimeLimit): it "
        + "asks for what it cannot get; change --partition, --time or --slurm")]
    [InlineData("17|0|FAILED|JobLaunchFailure|n2|0:01", "adjoint: job 17_0 on n2 ended (FAILED, JobLaunchFailure) "
        + "before it wrote a line: n2 does not see ")]
    [InlineData("17|0|CANCELLED|None|n2|0:01", "adjoint: job 17 was canceled")]
    [InlineData("17|0|COMPLETED|None|n2|0:01", "adjoint: the workers ended and got nothing done; their logs are in ")]
    public void What_cannot_go_on_is_told_and_not_waited_for(string task, string message)
    {
        // The first answer is to the question what is queued already.
        Play("squeue", $"[[ -e {folder}/asked ]] && echo '{task}'; touch {folder}/asked");
        Assert.StartsWith(message, Fails().Split('\n')[0], StringComparison.Ordinal);
        if (task.Contains("PENDING", StringComparison.Ordinal))
            Assert.Matches("^--name=adjoint-[0-9a-f]{12} --state=PENDING\n$",
                File.ReadAllText(Path.Combine(folder, "canceled")));
    }

    [Fact]
    public void The_last_line_of_a_worker_that_failed_is_told()
    {
        Play("sbatch", $"echo 'adjoint: n2 does not see /data' > {folder}/out/slurm/17_0.log; echo 17");
        Play("squeue", $"[[ -e {folder}/asked ]] && echo '17|0|FAILED|NonZeroExitCode|n2|0:01'; touch {folder}/asked");
        Assert.StartsWith("adjoint: job 17_0 on n2 ended (FAILED, NonZeroExitCode): adjoint: n2 does not see /data (",
            Fails().Split('\n')[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hello", "squeue says 'hello'")]
    [InlineData("17|0|RUNNING|None|n2", "squeue says '17|0|RUNNING|None|n2'")]
    public void What_is_no_answer_does_not_mean_that_no_job_is_there(string says, string problem)
    {
        Play("squeue", $"echo '{says}'");
        Play("sbatch", $"touch {folder}/submitted; echo 17");
        Assert.StartsWith($"adjoint: Slurm does not answer: {problem}; ", Fails(), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "submitted")));
    }

    [Fact]
    public void A_greeting_is_no_number_of_a_job()
    {
        Play("sbatch", "printf 'Welcome to the cluster\n1 message of today\n\n18;c\n'");
        Assert.Contains("job 18: 5 workers for 8 trials", Run("--no-wait").Error, StringComparison.Ordinal);
        Play("sbatch", "echo Welcome");
        Assert.StartsWith("adjoint: sbatch gives no number of a job, but 'Welcome'; ", Fails(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_controller_that_is_too_busy_does_not_refuse()
    {
        Play("sbatch", "echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' "
            + ">&2; exit 1");
        Assert.StartsWith("adjoint: Slurm does not answer: Batch job submission failed: Socket timed out on "
            + "send/recv operation; ", Fails(), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_a_limit_on_jobs_as_many_workers_are_submitted_as_it_lets()
    {
        Play("sbatch", $"echo \"$*\" >> {folder}/submitted; [[ $* == *=0-1\\ * ]] && {{ echo 19; exit; }}; "
            + "echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1");
        Assert.Contains("job 19: 2 workers for 8 trials", Run("--no-wait").Error, StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(Path.Combine(folder, "submitted")).Length);
    }

    [Fact]
    public void Workers_that_die_where_the_last_ones_died_are_not_submitted_for_ever()
    {
        File.WriteAllText(Path.Combine(folder, "sweep.json"),
            File.ReadAllText(Path.Combine(folder, "sweep.json")).Replace("8", "1", StringComparison.Ordinal));
        var own = Path.Combine(folder, "out", "trials", Keys(Path.Combine(folder, "sweep.json"))[0]);
        // Each begins, writes the same anew, and is killed.
        Play("sbatch", $"echo >> {folder}/submitted; mkdir -p {own}; date +%N > {own}/metrics.jsonl; "
            + $"[[ $(wc -l < {folder}/submitted) -lt 5 ]] && echo 17");
        // Of each job: queued nowhere before it is submitted, then dead.
        Play("squeue", $"[[ -e {folder}/submitted ]] && echo '17|0|OUT_OF_MEMORY|OutOfMemory|n2|0:09'; true");
        Assert.StartsWith("adjoint: job 17_0 on n2 ended (OUT_OF_MEMORY, OutOfMemory)",
            Fails().Split('\n')[0], StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllLines(Path.Combine(folder, "submitted")).Length);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task A_worker_asks_Slurm_and_does_not_need_the_answer(bool isThere)
    {
        // Nobody else, so that what they say is not what another's squeue says.
        if (isThere) Play("squeue", "echo 'Welcome to the cluster'");
        else File.Delete(Path.Combine(folder, "bin", "squeue"));
        Run("--no-wait");
        var copy = Path.Combine(folder, "out", "slurm", "experiment.json");
        var keys = Keys(copy);
        foreach (var key in keys.Skip(1))
        {
            var own = Path.Combine(folder, "out", "trials", key);
            Directory.CreateDirectory(own);
            using var lease = File.Create(Path.Combine(own, ".lease-00000001"));
            (LeaseHolder.This with { Machine = "other", Cluster = "test", Job = "17" }).Write(lease);
        }
        var start = StartOf("experiment", "run", copy, "--engine", "worker", "--out", "out");
        (start.Environment["SLURM_JOB_ID"], start.Environment["SLURM_CLUSTER_NAME"]) = ("18", "test");
        using var process = Process.Start(start)!;
        try
        {
            var result = Path.Combine(folder, "out", "trials", keys[0], "result.json");
            for (var i = 0; !File.Exists(result) && i < 600; i++)
                await Task.Delay(100, TestContext.Current.CancellationToken);
            Assert.True(File.Exists(result));
            // It looks on whether the others live.
            Assert.False(process.WaitForExit(500));
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public void A_node_that_lacks_a_folder_says_which()
    {
        Run("--no-wait");
        var script = Path.Combine(folder, "out", "slurm", "worker.sh");
        File.WriteAllText(script, File.ReadAllText(script).Replace($"for needed in {folder} ",
            $"for needed in {folder}/nowhere ", StringComparison.Ordinal));
        using var process = Process.Start(new ProcessStartInfo("bash", [script]) { RedirectStandardError = true })!;
        Assert.Matches($"^adjoint: .+ does not see {folder}/nowhere\n$", process.StandardError.ReadToEnd());
    }

    [Theory]
    [InlineData("--slurm --job-name=x", "--slurm: --job-name is chosen by the sweep; leave it out")]
    [InlineData("--slurm -J=x", "--slurm: -J is chosen by the sweep; leave it out")]
    [InlineData("--slurm --array=1-3", "--slurm: --array is chosen by the sweep; leave it out")]
    [InlineData("--slurm --wait", "--slurm: --wait is chosen by the sweep; leave it out")]
    public void What_tells_the_jobs_of_a_sweep_is_not_for_others_to_choose(string options, string message)
    {
        var line = ToolRun.Refused(["experiment", "run", Path.Combine(folder, "sweep.json"), "--engine", "slurm",
            .. options.Split(' ')]);
        Assert.Contains(message, line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--partition p", "--partition: does nothing with --engine local; leave it out, or use --engine slurm")]
    [InlineData("--engine worker --no-wait", "--no-wait: does nothing with --engine worker")]
    [InlineData("--engine slurm --jobs 3",
        "--jobs: does nothing with --engine slurm; leave it out, or limit the workers with --max-jobs")]
    [InlineData("--engine slrm", "--engine: 'slrm' is none of local, slurm, worker; did you mean 'slurm'?")]
    [InlineData("--engine slurm --max-jobs 0", "--max-jobs: 0 is out of range")]
    public void Options_that_do_nothing_are_wrong_usage(string options, string message)
    {
        var line = ToolRun.Refused(["experiment", "run", Path.Combine(folder, "sweep.json"), .. options.Split(' ')]);
        Assert.Contains(message, line, StringComparison.Ordinal);
    }

    private void Play(string command, string script)
    {
        var path = Path.Combine(folder, "bin", command);
        File.WriteAllText(path, $"#!/bin/bash\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    private string Fails()
    {
        var (code, output, error) = Run("--quiet");
        Assert.Equal((Tool.Failure, ""), (code, output));
        return error.TrimEnd();
    }

    private (int Code, string Output, string Error) Run(params string[] options)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("skipped: Slurm is played by scripts of bash");
        using var process = Process.Start(StartOf(["experiment", "run", "sweep.json", "--engine", "slurm", "--out",
            "out", .. options]))!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(60_000))
        {
            process.Kill();
            Assert.Fail("still waiting");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    private static string[] Keys(string file) =>
    [
        .. ToolRun.Of("experiment", "status", file).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(' ')[0]),
    ];

    private ProcessStartInfo StartOf(params string[] arguments)
    {
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";
        var start = new ProcessStartInfo(dotnet, [typeof(Tool).Assembly.Location, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        // The machine's own Slurm would answer in the place of a missing one.
        var isWhole = ((string[])["scontrol", "squeue"]).All(one => File.Exists(Path.Combine(folder, "bin", one)));
        start.Environment["PATH"] = isWhole ? $"{folder}/bin:/bin" : $"{folder}/bin";
        return start;
    }
}
