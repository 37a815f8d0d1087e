using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Adjoint.Experiments;

/// <summary>Slurm by its own commands, which every version and every cluster has.</summary>
internal sealed partial class SlurmCommands
{
    // Exit codes where there is none.
    private const int Missing = -2, Unanswered = -1;

    // A controller that is busy may need its time.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), Fresh = TimeSpan.FromSeconds(3);
    private readonly Dictionary<string, (long At, bool IsOver)> jobs = [];
    private long? silent;

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
        if (code == 0)
            // Some clusters greet before it.
            return Job().Matches(output) is [.., var last] ? last.Groups["job"].Value
                : throw new AdjointException($"sbatch gives no number of a job, but '{Line(output)}'; see by squeue "
                    + "--me whether the jobs are there, and use --engine local if this sbatch is not Slurm's own");
        if (code < 0 || Silence().IsMatch(error)) throw Silent(error);
        throw new SlurmRefusalException($"Slurm refuses the jobs: {Line(error)}; change --partition, --time or --slurm "
            + "(sinfo shows partitions and their limits), or wait until others have ended")
        { IsOfNumber = error.Contains("SubmitJob", StringComparison.Ordinal) };
    }

    /// <summary>The tasks of all jobs of a name, also those that ended a short while ago.</summary>
    /// <param name="name">The name of the jobs.</param>
    /// <param name="problem">Why Slurm does not tell, or null.</param>
    /// <returns>The tasks; none where Slurm does not tell.</returns>
    internal IReadOnlyList<SlurmTask> Tasks(string name, out string? problem)
    {
        var (code, output, error) =
            Run("squeue", ["--noheader", "--array", "--states=all", $"--name={name}", "--format=%F|%K|%T|%r|%N|%M"]);
        string[][] lines = [.. Lines(output).Select(line => line.Split('|', StringSplitOptions.TrimEntries))];
        // What is no answer is not the answer that there are none.
        problem = code != 0 ? Line(error)
            : lines.FirstOrDefault(parts => parts.Length != 6) is { } odd ? $"squeue says '{string.Join('|', odd)}'"
            : null;
        return problem is not null ? []
            : [.. lines.Select(parts => new SlurmTask(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]))];
    }

    /// <summary>Whether the job of a lease's holder is over; false also where Slurm does not tell.</summary>
    internal bool IsOver(LeaseHolder holder)
    {
        var key = $"{holder.Job}/{holder.Restarts}";
        if (jobs.TryGetValue(key, out var known) && Stopwatch.GetElapsedTime(known.At) < Fresh) return known.IsOver;
        // A container of a worker may lack Slurm's commands, and a controller be so busy that asking about each trial
        // takes hours.
        if (silent is { } since && Stopwatch.GetElapsedTime(since) < Patience) return false;
        var (code, output, error) = TryRun("squeue",
            ["--noheader", $"--jobs={holder.Job}", "--Format=State:32,RestartCnt:16"]);
        if (code < 0) silent = Stopwatch.GetTimestamp();
        string[][] lines = [.. Lines(output).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
        var isOver = code == 0 ? lines.All(line => line is [var state, var restarts] && SlurmTask.IsState(state)
                && (restarts != $"{holder.Restarts}"
                    || new SlurmTask("", "", state, "", "", "") is { IsOver: true } or { Waits: true }))
            : error.Contains("Invalid job id", StringComparison.Ordinal);
        jobs[key] = (Stopwatch.GetTimestamp(), isOver);
        return isOver;
    }

    /// <summary>Cancels the jobs of a name; those alone that did not start yet, where asked to.</summary>
    internal void Cancel(string name, bool waitingOnly) =>
        Run("scancel", waitingOnly ? [$"--name={name}", "--state=PENDING"] : [$"--name={name}"]);

    internal static AdjointException Silent(string error) => new($"Slurm does not answer: {Line(error)}; ask whoever "
        + "runs the cluster (scontrol ping), or use --engine local");

    // Of several clusters squeue names each.
    private static IEnumerable<string> Lines(string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(line => !line.StartsWith("CLUSTER:", StringComparison.Ordinal));

    // What Slurm says, in one line, without the names of its programs.
    private static string Line(string error)
    {
        var lines = error.Split('\n').Select(line => Prefix().Replace(line.Trim(), "")).Where(line => line.Length > 0);
        return string.Join("; ", lines) is { Length: > 0 } text ? text : "it does not say why";
    }

    private static (int Code, string Output, string Error) Run(string command, IReadOnlyList<string> arguments) =>
        TryRun(command, arguments) is (not Missing, _, _) and var answer ? answer
            : throw new AdjointException($"no {command} here: --engine slurm needs Slurm's commands; run it on a login "
                + "node of a cluster, or use --engine local");

    private static (int Code, string Output, string Error) TryRun(string command, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(command, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // How a person likes to see queues.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("SQUEUE_", StringComparison.Ordinal)
            || name.StartsWith("SCANCEL_", StringComparison.Ordinal)).ToArray()) start.Environment.Remove(name);
        try
        {
            using var process = Process.Start(start)!;
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            if (!process.WaitForExit(Patience))
            {
                process.Kill(entireProcessTree: true);
                return (Unanswered, "", $"no answer to {command} within {Patience.TotalSeconds:0} s");
            }
            return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
        catch (Win32Exception error)
        {
            const int noSuchFile = 2;
            return error.NativeErrorCode == noSuchFile ? (Missing, "", "")
                : (Unanswered, "", $"{command} cannot be started: {error.Message}");
        }
    }

    [GeneratedRegex("^(?<job>[0-9]+)(;.*)?$", RegexOptions.Multiline)]
    private static partial Regex Job();

    [GeneratedRegex("Unable to contact|timed out|Connection refused|Zero Bytes were transmitted")]
    private static partial Regex Silence();

    [GeneratedRegex("^(sbatch|squeue|scancel|scontrol|slurm_[a-z_]+)?:? ?(error: |fatal: )")]
    private static partial Regex Prefix();
}

/// <summary>Slurm refuses a job.</summary>
internal sealed class SlurmRefusalException(string message) : AdjointException(message)
{
    /// <summary>Whether fewer tasks might be taken.</summary>
    internal bool IsOfNumber { get; init; }
}
