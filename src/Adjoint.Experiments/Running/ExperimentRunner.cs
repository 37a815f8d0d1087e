using System.Diagnostics;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Kernels;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>Where a trial is.</summary>
public enum TrialState
{
    /// <summary>It has not begun.</summary>
    Waiting,

    /// <summary>It learns.</summary>
    Running,

    /// <summary>It was stopped and will go on from its last checkpoint.</summary>
    Interrupted,

    /// <summary>It is done.</summary>
    Complete,

    /// <summary>It ended early by itself: its loss is not finite.</summary>
    Diverged,

    /// <summary>An error ended it; running it again tries again.</summary>
    Failed,
}

/// <summary>What is known of a trial.</summary>
/// <param name="Trial">Which.</param>
/// <param name="State">Where it is.</param>
/// <param name="Last">Its last epoch, or null.</param>
/// <param name="Message">Why it failed or diverged, or null.</param>
public sealed record TrialProgress(Trial Trial, TrialState State, EpochResult? Last, string? Message);

/// <summary>What a sweep did.</summary>
/// <param name="Complete">How many trials are complete.</param>
/// <param name="Total">How many there are.</param>
/// <param name="Time">How long it took this time.</param>
/// <param name="Failures">One line for each trial that failed.</param>
public sealed record SweepSummary(int Complete, int Total, SweepTime Time, IReadOnlyList<string> Failures);

/// <summary>
/// Runs the trials of experiments side by side, each in <c>trials/KEY</c>. What is complete is not run again. Several trials at once, each on one thread, waste less than one trial on
/// several: small networks have little to share. When fewer trials are left than jobs, they get the idle cores; results do not depend on it.
/// </summary>
public sealed class ExperimentRunner(ITrialProgram program, string folder, int jobs)
{
    private readonly Lock gate = new();

    /// <summary>Told of each change, one call at a time.</summary>
    public Action<TrialProgress> OnProgress { get; init; } = _ => { };

    /// <summary>Told what a person should know, in one line.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>The folder of a trial.</summary>
    public static string FolderOf(string folder, Trial trial) => Path.Combine(folder, "trials", trial.Key);

    /// <summary>All trials of experiments, each once, in the order of running: seed by seed, so that early results are whole; within a seed the longest first.</summary>
    /// <exception cref="SettingException">A setting is wrong.</exception>
    public static IReadOnlyList<Trial> TrialsOf(ITrialProgram program, IReadOnlyList<Experiment> experiments)
    {
        var all =
            from one in experiments
            from each in one.Cases()
            from seed in one.Seeds.Index()
            select (Trial: Trial.Of(program, each, seed.Item), seed.Index, Case: experiments.Count > 1 ? $"{one.Name}: {each.Label}" : each.Label);
        return [.. all.GroupBy(one => one.Trial.Key).Select(same => (Trial: same.First().Trial with { Cases = [.. same.Select(one => one.Case).Distinct()] }, same.First().Index))
            .OrderBy(one => one.Index).ThenByDescending(one => program.Cost(one.Trial.Settings)).Select(one => one.Trial)];
    }

    /// <summary>What the folder says about a trial, without running anything.</summary>
    public static TrialProgress Look(string folder, Trial trial)
    {
        var own = FolderOf(folder, trial);
        try
        {
            if (TrialResult.Load(own) is { } result)
                return new(trial, result.Problem is null ? TrialState.Complete : TrialState.Diverged, result.Epochs[^1],
                    result.Problem);
        }
        catch (DataFormatException error)
        {
            return new(trial, TrialState.Failed, null, error.Message);
        }
        return new(trial, FolderLock.IsTaken(own) ? TrialState.Running : Directory.Exists(own) ? TrialState.Interrupted : TrialState.Waiting, null, null);
    }

    /// <summary>The trials that are complete, by case and seed; one whose result is damaged is not.</summary>
    public static CaseRuns Collect(ITrialProgram program, string folder, Experiment experiment)
    {
        var cases = experiment.Cases();
        var runs = new CaseRuns(cases);
        foreach (var one in cases)
            foreach (var seed in experiment.Seeds)
                if (Load(folder, Trial.Of(program, one, seed), _ => { }) is { } result)
                    runs.Add(one.Label, seed, result.Epochs, result.Advice);
        return runs;
    }

    /// <summary>Runs what is not complete. A cancellation ends it soon; everything is kept.</summary>
    /// <exception cref="AdjointException">Another process works in the folder, or it cannot be written to.</exception>
    public SweepSummary Run(IReadOnlyList<Trial> trials, CancellationToken cancellation = default)
    {
        using var own = FolderLock.Take(folder);
        var started = Stopwatch.GetTimestamp();
        var waiting = new Queue<Trial>();
        var failures = new List<string>();
        var (complete, worked, trained, left) = (0, 0.0, 0.0, 0);
        foreach (var trial in trials)
            if (Load(folder, trial, problem => Warn($"{problem}; running the trial again")) is { } result)
            {
                complete++;
                Forget(trial);
                OnProgress(new(trial, result.Problem is null ? TrialState.Complete : TrialState.Diverged, result.Epochs[^1], result.Problem));
            }
            else waiting.Enqueue(trial);
        left = waiting.Count;
        var used = Math.Min(jobs, waiting.Count);
        var threads = Workers.ThreadCount;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            ShareCores();
            var workers = Enumerable.Range(1, used).Select(number => new Thread(Work) { Name = $"Adjoint trial {number}", IsBackground = true }).ToArray();
            foreach (var worker in workers) worker.Start();
            foreach (var worker in workers) worker.Join();
        }
        finally
        {
            Workers.ThreadCount = threads;
        }
        return new(complete, trials.Count, new(Stopwatch.GetElapsedTime(started).TotalSeconds, worked, trained), failures);

        void Work()
        {
            while (true)
            {
                Trial trial;
                lock (gate)
                    if (stop.IsCancellationRequested || !waiting.TryDequeue(out trial!)) return;
                var (epochs, began) = (0.0, Stopwatch.GetTimestamp());
                var progress = RunOne(trial, epoch => epochs += epoch.Seconds, stop.Token);
                lock (gate)
                {
                    trained += epochs;
                    worked += Stopwatch.GetElapsedTime(began).TotalSeconds;
                    if (progress.State is TrialState.Complete or TrialState.Diverged) complete++;
                    if (progress.State == TrialState.Failed)
                    {
                        failures.Add(progress.Message!);
                        // What ended one trial, such as a full disk, would end them all.
                        stop.Cancel();
                    }
                    left--;
                    ShareCores();
                }
            }
        }

        void ShareCores() => Workers.ThreadCount = Math.Max(1, threads / Math.Max(1, Math.Min(jobs, left)));
    }

    /// <summary>The result of a trial that is complete; null where there is none, or one that is damaged.</summary>
    /// <param name="folder">Of the sweep.</param>
    /// <param name="trial">Which.</param>
    /// <param name="warn">Told of one that is damaged, in one line.</param>
    public static TrialResult? Load(string folder, Trial trial, Action<string> warn)
    {
        try
        {
            return TrialResult.Load(FolderOf(folder, trial));
        }
        catch (DataFormatException error)
        {
            warn(error.Message);
            return null;
        }
    }

    // Who was killed right after writing the result forgot nothing, and left the marks of a holder.
    private void Forget(Trial trial)
    {
        var own = FolderOf(folder, trial);
        if (!FolderLock.IsMarked(own) || FolderLock.IsTaken(own)) return;
        using var held = FolderLock.Take(own);
        program.Forget(own);
    }

    private TrialProgress RunOne(Trial trial, Action<EpochResult> count, CancellationToken cancellation)
    {
        TrialProgress Tell(TrialState state, EpochResult? last = null, string? message = null)
        {
            var progress = new TrialProgress(trial, state, last, message);
            lock (gate) OnProgress(progress);
            return progress;
        }

        var own = FolderOf(folder, trial);
        Tell(TrialState.Running);
        try
        {
            using var held = FolderLock.Take(own);
            var outcome = program.Run(new(trial.Settings, own, epoch =>
            {
                count(epoch);
                Tell(TrialState.Running, epoch);
            }, Warned, cancellation));
            if (outcome.WasCancelled) return Tell(TrialState.Interrupted, outcome.Epochs.Count == 0 ? null : outcome.Epochs[^1]);
            new TrialResult(outcome.Epochs, outcome.Problem, outcome.Advice, ThisMachine.Description, program.Command(trial.Settings)).Save(own);
            program.Forget(own);
            return Tell(outcome.Problem is null ? TrialState.Complete : TrialState.Diverged, outcome.Epochs[^1], outcome.Problem);
        }
        catch (Exception error)
        {
            // This thread is the trial's own: what nobody catches here would end the process in the middle of the
            // others.
            var isExpected =
                error is AdjointException or IOException or UnauthorizedAccessException or OutOfMemoryException;
            return Tell(TrialState.Failed, null,
                $"{trial.Key}: {(isExpected ? "" : $"unexpected {error.GetType().Name}: ")}{error.Message}");
        }
    }

    private void Warned(string message)
    {
        lock (gate) Warn(message);
    }
}
