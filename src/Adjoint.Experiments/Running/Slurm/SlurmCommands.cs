using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Adjoint.Experiments;

/// <summary>Slurm by its own commands, which every version and every cluster has.</summary>
internal sealed partial class SlurmCommands
{
    // A controller that is busy may need its time.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Fresh = TimeSpan.FromSeconds(3);
    private readonly Dictionary<string, (long At, bool? IsActive)> jobs = [];

    /// <summary>Name of the cluster and number of tasks that an array may have.</summary>
    /// <exception cref="AdjointException">Slurm is not there, or does not answer.</exception>
    internal (string Cluster, int MaxArraySize) Configuration()
    {
        var (code, output, error) = Run("scontrol", ["show", "config"]);
        if (code != 0) throw Silent(error);
        string? Value(string name) =>
            output.Split('\n').Select(line => line.Split('=', 2, StringSplitOptions.TrimEntries))
                .Where(pair => pair is [var key, _] && key == name).Select(pair => pair[1]).FirstOrDefault();
        return (Value("ClusterName") ?? "", int.TryParse(Value("MaxArraySize"), NumberStyles.None,
            CultureInfo.InvariantCulture, out var size) && size > 0 ? size : 1001);
    }

    /// <summary>Submits a job.</summary>
    /// <returns>Its number.</returns>
    /// <exception cref="AdjointException">Slurm refuses it.</exception>
    internal string Submit(IReadOnlyList<string> arguments)
    {
        var (code, output, error) = Run("sbatch", ["--parsable", .. arguments]);
        if (code == 0) return output.Trim().Split(';')[0];
        if (error.Contains("Unable to contact", StringComparison.Ordinal)) throw Silent(error);
        throw new AdjointException($"Slurm refuses the jobs: {Line(error)}; change --partition, --time or --slurm "
            + "(sinfo shows partitions and their limits), or wait until others have ended");
    }

    /// <summary>The tasks of all jobs of a name, also those that ended a short while ago.</summary>
    /// <param name="name">The name of the jobs.</param>
    /// <param name="problem">Why Slurm does not tell, or null.</param>
    /// <returns>The tasks; none where Slurm does not tell.</returns>
    internal IReadOnlyList<SlurmTask> Tasks(string name, out string? problem)
    {
        var (code, output, error) =
            Run("squeue", ["--noheader", "--array", "--states=all", $"--name={name}", "--format=%F|%K|%T|%r|%N|%M"]);
        problem = code == 0 ? null : Line(error);
        return code != 0 ? [] :
        [
            .. output.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries))
                .Where(parts => parts.Length == 6)
                .Select(parts => new SlurmTask(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])),
        ];
    }

    /// <summary>Whether the job of a lease's holder is at work; null where Slurm does not tell.</summary>
    internal bool? IsActive(LeaseHolder holder)
    {
        var key = $"{holder.Job}/{holder.Restarts}";
        if (jobs.TryGetValue(key, out var known) && Stopwatch.GetElapsedTime(known.At) < Fresh) return known.IsActive;
        var (code, output, error) =
            Run("squeue", ["--noheader", $"--jobs={holder.Job}", "--Format=State:32,RestartCnt:16"]);
        bool? isActive = code != 0
            ? error.Contains("Invalid job id", StringComparison.Ordinal) ? false : null
            : output.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Any(line =>
                line is [var state, var restarts] && restarts == $"{holder.Restarts}"
                && new SlurmTask("", "", state, "", "", "") is { IsOver: false, Waits: false });
        jobs[key] = (Stopwatch.GetTimestamp(), isActive);
        return isActive;
    }

    /// <summary>Cancels the jobs of a name; those alone that did not start yet, where asked to.</summary>
    internal void Cancel(string name, bool waitingOnly) =>
        Run("scancel", waitingOnly ? [$"--name={name}", "--state=PENDING"] : [$"--name={name}"]);

    private static AdjointException Silent(string error) => new($"Slurm does not answer: {Line(error)}; ask whoever "
        + "runs the cluster (scontrol ping), or use --engine local");

    // What Slurm says, in one line, without the names of its programs.
    private static string Line(string error)
    {
        var lines = error.Split('\n').Select(line => Prefix().Replace(line.Trim(), "")).Where(line => line.Length > 0);
        return string.Join("; ", lines) is { Length: > 0 } text ? text : "it does not say why";
    }

    private static (int Code, string Output, string Error) Run(string command, IReadOnlyList<string> arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(Patience))
            {
                process.Kill(entireProcessTree: true);
                return (-1, "", $"no answer to {command} within {Patience.TotalSeconds:0} s");
            }
            return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
        catch (Win32Exception error)
        {
            throw new AdjointException($"no {command} here: --engine slurm needs Slurm's commands; run it on a login "
                + "node of a cluster, or use --engine local", error);
        }
    }

    [GeneratedRegex("^(sbatch|squeue|scancel|scontrol|slurm_[a-z_]+)?:? ?(error: |fatal: )")]
    private static partial Regex Prefix();
}
