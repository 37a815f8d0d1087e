using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// Runs the trials of a sweep as workers (<see cref="SweepWorker"/>) in job arrays of Slurm, one task for each trial
/// that is not complete, and looks on. The folder of the trials is all that they share and all that is known: this
/// process may end, and another, anywhere, look on instead. Trials that killed workers left are submitted again, as
/// long as that gets the sweep on.
/// </summary>
/// <param name="program">What runs a trial.</param>
/// <param name="folder">The folder of the sweep, on a file system that the nodes share.</param>
/// <param name="options">What the sweep asks of Slurm.</param>
public sealed class SlurmEngine(ITrialProgram program, string folder, SlurmOptions options) : ISweepEngine
{
    private readonly SlurmCommands slurm = new();
    private readonly string name = NameOf(folder);
    private readonly Dictionary<string, TrialProgress> shown = [];
    private readonly HashSet<string> complete = [];
    private readonly Dictionary<string, SlurmTask> seen = [];

    /// <summary>Called on each change of a trial.</summary>
    public Action<TrialProgress> OnProgress { get; init; } = _ => { };

    /// <summary>Called with what a person should know, in one line.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>Called with what happens to the jobs, in one line.</summary>
    public Action<string> Note { get; init; } = _ => { };

    /// <summary>The name of all jobs of a sweep: of the path of its folder, which is the same on all nodes.</summary>
    /// <param name="folder">The folder of the sweep.</param>
    /// <returns>The name, for <c>squeue --name</c> and <c>scancel --name</c>.</returns>
    public static string NameOf(string folder)
    {
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return $"adjoint-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..12]}";
    }

    /// <inheritdoc/>
    /// <exception cref="AdjointException">Slurm is not there, does not answer, or refuses the jobs.</exception>
    public SweepSummary Run(IReadOnlyList<Trial> trials, CancellationToken cancellation = default)
    {
        var started = Stopwatch.GetTimestamp();
        var (cluster, maxTasks) = slurm.Configuration();
        var watch = new LeaseWatch(cluster, slurm.IsOver);
        var already = trials.Where(IsComplete).ToHashSet();
        var failures = new List<string>();
        var jobs = Queued();
        // What failed before is tried again, unless workers that were told so are under way.
        if (jobs.Count == 0)
            foreach (var trial in trials) TrialFailure.Remove(ExperimentRunner.FolderOf(folder, trial));
        while (true)
        {
            Look(trials, watch);
            var left = trials.Where(trial => !IsOver(trial)).ToArray();
            if (left.Length == 0 && jobs.Count == 0) break;
            var before = (Left: left.Length, Files: FilesOf(left));
            if (jobs.Count == 0) jobs.Add(Submit(left.Length, maxTasks));
            else Note($"going on with the jobs that are queued; to end them: scancel --name={name}");
            if (options.NoWait) return Summary(goesOn: true);
            Wait(trials, watch, cancellation);
            left = [.. trials.Where(trial => !IsOver(trial))];
            if (left.Length == 0) break;
            if (cancellation.IsCancellationRequested)
            {
                Note($"the jobs go on, and the same command looks on again; to end them: scancel --name={name}");
                return Summary(goesOn: true);
            }
            var ended = seen.Values.Where(task => jobs.Contains(task.Job)).ToArray();
            var hasMoved = left.Length < before.Left || !FilesOf(left).IsSubsetOf(before.Files);
            if (Obstacle(ended, hasMoved) is { } obstacle)
            {
                failures.Add(obstacle);
                break;
            }
            Note($"{left.Length} trials were left by workers that ended; submitting them again");
            jobs.Clear();
        }
        foreach (var trial in trials)
        {
            var own = ExperimentRunner.FolderOf(folder, trial);
            if (IsComplete(trial)) TrialRunner.Forget(program, own, watch);
            else if (TrialFailure.Load(own) is { } failure) failures.Add(failure);
        }
        Look(trials, watch);
        return Summary(goesOn: false);

        SweepSummary Summary(bool goesOn)
        {
            var done = trials.Where(IsComplete).ToArray();
            var trained = done.Except(already).Sum(one => Load(one)?.Seconds ?? 0);
            return new(done.Length, trials.Count,
                new(Stopwatch.GetElapsedTime(started).TotalSeconds, seen.Values.Sum(task => task.Seconds), trained),
                failures)
            { GoesOn = goesOn };
        }
    }

    private string Submit(int left, int maxTasks)
    {
        var script = new SlurmScript(folder, name, options);
        // A worker takes one trial after the other, so fewer of them do as well.
        var tasks = Math.Min(left, maxTasks);
        string job;
        while (true)
            try
            {
                job = slurm.Submit(script.Write(tasks));
                break;
            }
            catch (SlurmRefusalException error) when (error.IsOfNumber && tasks > 1)
            {
                // Of a user's limit Slurm does not say how much of it is left.
                tasks /= 2;
            }
        Note($"job {job}: {tasks} workers for {left} trials{(options.MaxJobs is { } most ? $", {most} at once" : "")}; "
            + $"logs: {Path.Combine(folder, "slurm", $"{job}_*.log")}; to end them: scancel --name={name}");
        return job;
    }

    // Looks on until no task is left.
    private void Wait(IReadOnlyList<Trial> trials, LeaseWatch watch, CancellationToken cancellation)
    {
        var (since, reasons, wasSilent, wereOver) = (Stopwatch.GetTimestamp(), "", false, false);
        var (empty, hopeless) = (0, 0);
        while (!cancellation.IsCancellationRequested)
        {
            Look(trials, watch);
            var areOver = trials.All(IsOver);
            var tasks = slurm.Tasks(name, out var problem);
            if (problem is not null && !wasSilent) Warn($"Slurm does not answer: {problem}; looking on in the folder");
            wasSilent = problem is not null;
            foreach (var task in tasks) seen[task.Id] = task;
            if (problem is null)
            {
                var open = tasks.Where(task => !task.IsOver).ToArray();
                empty = open.Length == 0 ? empty + 1 : 0;
                // Twice: a controller that was started again may not know all of its jobs at once.
                if (empty > 1 || empty > 0 && areOver) break;
                // Workers that would find nothing to do.
                if (areOver && open.Any(task => task.Waits)) slurm.Cancel(name, waitingOnly: true);
                var areHopeless = open.Length > 0 && open.All(task => task.IsHopeless);
                hopeless = areHopeless ? hopeless + 1 : 0;
                if (hopeless > 2)
                {
                    slurm.Cancel(name, waitingOnly: true);
                    throw new AdjointException($"job {open[0].Job} would wait for ever ({open[0].Reason}): it asks for "
                        + "what it cannot get; change --partition, --time or --slurm (sinfo shows partitions and their "
                        + "limits)");
                }
                var isWaiting = open.Length > 0 && open.All(task => task.Waits) && !areHopeless && !areOver;
                var now = isWaiting ? open[0].Reason : "";
                if (now != reasons && now is not ("" or "None")) Note($"waiting for Slurm: {now}");
                reasons = now;
            }
            if (areOver && !wereOver) since = Stopwatch.GetTimestamp();
            wereOver = areOver;
            // Often at first, and when workers are about to end; then as rarely as a busy controller likes it.
            var pause = Math.Clamp(Stopwatch.GetElapsedTime(since).TotalSeconds / 10, areOver ? 0.2 : 0.5, 15);
            cancellation.WaitHandle.WaitOne(TimeSpan.FromSeconds(pause));
        }
    }

    // Why submitting again would not help; null where it may.
    private string? Obstacle(IReadOnlyList<SlurmTask> ended, bool hasMoved)
    {
        var script = new SlurmScript(folder, name, options);
        if (ended.FirstOrDefault(task => task.State == "CANCELLED") is { } canceled)
            return $"job {canceled.Job} was canceled";
        if (hasMoved) return null;
        // Of a task that Slurm forgot between two looks, the end is not known.
        if (ended.FirstOrDefault(task => task.IsOver && task.State != "COMPLETED") is not { } failed)
            return $"the workers ended and got nothing done; their logs are in {Path.Combine(folder, "slurm")}";
        var how = $"{failed.Id} on {failed.Node} ended ({failed.State}, {failed.Reason})";
        if (script.Logs is null) return $"job {how}";
        // Where a node does not see the folder, Slurm has nowhere to write the log to.
        if (!File.Exists(script.LogOf(failed)))
            return $"job {how} before it wrote a line: {failed.Node} does not see {Path.GetFullPath(folder)}; put "
                + "--out on a file system that all nodes share";
        return $"job {how}: {LastLine(script.LogOf(failed)) ?? "its log is empty"} ({script.LogOf(failed)})";
    }

    // What the tool said last; where it said nothing, what anybody said.
    private static string? LastLine(string path)
    {
        try
        {
            var lines = Encoding.UTF8.GetString(RegularFile.ReadAllBytes(path, 1 << 24)).Split('\n')
                .Where(line => line.Any(char.IsLetterOrDigit)).ToArray();
            return lines.LastOrDefault(line => line.StartsWith("adjoint: ", StringComparison.Ordinal))
                ?? lines.LastOrDefault();
        }
        catch (Exception error) when (error is IOException or DataFormatException)
        {
            return error.Message;
        }
    }

    // Tells what changed since the last look.
    private void Look(IReadOnlyList<Trial> trials, LeaseWatch watch)
    {
        foreach (var trial in trials)
        {
            if (shown.TryGetValue(trial.Key, out var last) && last.State is TrialState.Complete or TrialState.Diverged)
                continue;
            var progress = ExperimentRunner.Look(folder, trial, watch);
            if (last is not null && (last.State, last.Last?.Epoch, last.Message)
                == (progress.State, progress.Last?.Epoch, progress.Message)) continue;
            shown[trial.Key] = progress;
            if (last is not null || progress.State != TrialState.Waiting) OnProgress(progress);
        }
    }

    // A worker that gets something done leaves a checkpoint of a new number. What it writes again each time that it
    // begins, and dies, says nothing.
    private HashSet<string> FilesOf(IEnumerable<Trial> trials) =>
    [
        .. trials.Select(trial => ExperimentRunner.FolderOf(folder, trial)).Where(Directory.Exists)
            .SelectMany(Directory.EnumerateFiles).Where(path => !Path.GetFileName(path).StartsWith('.')),
    ];

    // The jobs of this sweep that are not over.
    private HashSet<string> Queued()
    {
        var tasks = slurm.Tasks(name, out var problem);
        return problem is null ? [.. tasks.Where(task => !task.IsOver).Select(task => task.Job)]
            : throw SlurmCommands.Silent(problem);
    }

    private TrialResult? Load(Trial trial) => ExperimentRunner.Load(folder, trial, _ => { });

    // A result stays.
    private bool IsComplete(Trial trial) =>
        complete.Contains(trial.Key) || Load(trial) is not null && complete.Add(trial.Key);

    private bool IsOver(Trial trial) =>
        IsComplete(trial) || TrialFailure.Load(ExperimentRunner.FolderOf(folder, trial)) is not null;
}
