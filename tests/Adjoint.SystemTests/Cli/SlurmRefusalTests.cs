using System.Diagnostics;
using Adjoint.Cli;

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
            "--slurm", "--account=x  --mem=4G");
        Assert.Equal((0, ""), (code, output));
        Assert.Contains("job 18: 5 workers for 8 trials, 3 at once; logs: ", error, StringComparison.Ordinal);
        Assert.Contains("0 of 8 trials are complete", error, StringComparison.Ordinal);
        var own = Path.Combine(folder, "out", "slurm");
        var submitted = File.ReadAllLines(Path.Combine(folder, "submitted"));
        Assert.Equal(["--parsable", "--array=0-4%3", $"--output={own}/%A_%a.log", "--open-mode=append", "--requeue",
            "--signal=B:TERM@60", $"--chdir={folder}", "--partition=p", "--time=2:00:00", "--account=x", "--mem=4G",
            $"{own}/worker.sh"], submitted.Where(line => !line.StartsWith("--job-name=adjoint-")));
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
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileName(path) == "dotnet" ? path : "dotnet";
        var start = new ProcessStartInfo(dotnet, [typeof(Tool).Assembly.Location, "experiment", "run", "sweep.json",
            "--engine", "slurm", "--out", "out", .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["PATH"] = $"{folder}/bin:/bin";
        // The machine's own Slurm would answer in the place of a missing one.
        if (!File.Exists(Path.Combine(folder, "bin", "scontrol"))) start.Environment["PATH"] = $"{folder}/bin";
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (!process.WaitForExit(60_000))
        {
            process.Kill();
            Assert.Fail("still waiting");
        }
        return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }
}
