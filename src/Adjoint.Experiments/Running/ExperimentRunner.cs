using System.Diagnostics;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Kernels;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>Where a trial is.</summary>
public enum TrialState
{
    /// <summary>The trial has not begun.</summary>
    Waiting,

    /// <summary>The trial is being trained.</summary>
    Running,

    /// <summary>The trial was stopped and will go on from its last checkpoint.</summary>
    Interrupted,

    /// <summary>The trial reached its end.</summary>
    Complete,

    /// <summary>The trial ended early by itself: its loss is not finite.</summary>
    Diverged,

    /// <summary>An error ended the trial; running it again tries again.</summary>
    Failed,
}

/// <summary>What is known of a trial.</summary>
/// <param name="Trial">The trial that is reported.</param>
/// <param name="State">Where the trial stands.</param>
/// <param name="Last">Its last epoch, or null.</param>
/// <param name="Message">Why it failed or diverged, or null.</param>
public sealed record TrialProgress(Trial Trial, TrialState State, EpochResult? Last, string? Message);

/// <summary>What a sweep did.</summary>
/// <param name="Complete">How many trials are complete.</param>
/// <param name="Total">How many trials there are in all.</param>
/// <param name="Time">How long it took this time.</param>
/// <param name="Failures">One line for each trial that failed.</param>
public sealed record SweepSummary(int Complete, int Total, SweepTime Time, IReadOnlyList<string> Failures)
{
    /// <summary>Whether other processes go on with what is not complete, such as jobs of a cluster.</summary>
    public bool GoesOn { get; init; }
}

/// <summary>
/// Runs the trials of experiments side by side, each in <c>trials/KEY</c>. What is complete is not run again. Several
/// trials at once, each on one thread, waste less than one trial on several: small networks have little to share. When
/// fewer trials are left than jobs, they get the idle cores; results do not depend on it.
/// </summary>
/// <param name="program">What runs a trial.</param>
/// <param name="folder">The folder of the sweep.</param>
/// <param name="jobs">How many trials run at once.</param>
public sealed class ExperimentRunner(ITrialProgram program, string folder, int jobs) : ISweepEngine
{
    private readonly Lock gate = new();
    private readonly LeaseWatch watch = new();

    /// <summary>Called on each change of a trial, one call at a time.</summary>
    public Action<TrialProgress> OnProgress { get; init; } = _ => { };

    /// <summary>Called with what a person should know, in one line.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>The folder of a trial within that of its sweep.</summary>
    /// <param name="folder">The folder of the sweep.</param>
    /// <param name="trial">The trial whose folder is wanted.</param>
    /// <returns>The path; the folder need not exist.</returns>
    public static string FolderOf(string folder, Trial trial) => Path.Combine(folder, "trials", trial.Key);

    /// <summary>
    /// All trials of experiments, each once. They are ordered seed by seed, so that early results are whole; within a
    /// seed the longest come first.
    /// </summary>
    /// <param name="program">What will run the trials.</param>
    /// <param name="experiments">The experiments, which may share trials.</param>
    /// <returns>The trials in the order in which they run.</returns>
    /// <exception cref="SettingException">A setting is wrong.</exception>
    public static IReadOnlyList<Trial> TrialsOf(ITrialProgram program, IReadOnlyList<Experiment> experiments)
    {
        var all =
            from one in experiments
            from each in one.Cases()
            from seed in one.Seeds.Index()
            let name = experiments.Count > 1 ? $"{one.Name}: {each.Label}" : each.Label
            select (Trial: Trial.Of(program, each, seed.Item), seed.Index, Case: name);
        return
        [
            .. from same in all.GroupBy(one => one.Trial.Key)
               let first = same.First()
               let trial = first.Trial with { Cases = [.. same.Select(one => one.Case).Distinct()] }
               orderby first.Index, program.Cost(trial.Settings) descending
               select trial,
        ];
    }

    /// <summary>What the folder says about a trial, without running anything.</summary>
    /// <param name="folder">The folder of the sweep.</param>
    /// <param name="trial">The trial to look for.</param>
    /// <returns>Where the trial stands.</returns>
    public static TrialProgress Look(string folder, Trial trial) => Look(folder, trial, new());

    internal static TrialProgress Look(string folder, Trial trial, LeaseWatch watch)
    {
        var own = FolderOf(folder, trial);
        // First: whoever completes it writes the result, and gives it back after that.
        var isHeld = watch.StateOf(own) != LeaseState.Free;
        try
        {
            if (TrialResult.Load(own) is { } result) return TrialRunner.Ended(trial, result);
        }
        catch (DataFormatException error)
        {
            return new(trial, TrialState.Failed, null, error.Message);
        }
        if (isHeld) return new(trial, TrialState.Running, LastEpoch(own), null);
        return TrialFailure.Load(own) is { } failure ? new(trial, TrialState.Failed, null, failure)
            : new(trial, HasBegun(own) ? TrialState.Interrupted : TrialState.Waiting, null, null);
    }

    // A worker makes the folder, and then what says that it has it: locks and leases, whose names begin with a dot.
    private static bool HasBegun(string own) => Directory.Exists(own)
        && Directory.EnumerateFileSystemEntries(own).Any(path => !Path.GetFileName(path).StartsWith('.'));

    private static EpochResult? LastEpoch(string own)
    {
        try
        {
            var metrics = RunMetrics.Load(own);
            if (metrics.LastEpoch is not { } epoch) return null;
            double Value(string name) =>
                metrics.Final(name) is { } last && last.Epoch == epoch ? last.Value : double.NaN;
            return new(epoch, Value(MetricNames.TrainLoss), Value(MetricNames.ValidationLoss),
                metrics.Names.Where(one => one is not (MetricNames.TrainLoss or MetricNames.ValidationLoss))
                    .ToDictionary(one => one, Value), metrics.Seconds);
        }
        catch (Exception error) when (error is IOException or DataFormatException)
        {
            // Its worker writes it at this moment.
            return null;
        }
    }

    /// <summary>The complete trials of an experiment; one whose result is damaged is not complete.</summary>
    /// <param name="program">What ran the trials.</param>
    /// <param name="folder">The folder of the sweep.</param>
    /// <param name="experiment">The experiment whose trials are wanted.</param>
    /// <returns>The trials by case and seed.</returns>
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

    /// <inheritdoc/>
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
                TrialRunner.Forget(program, FolderOf(folder, trial), watch);
                OnProgress(TrialRunner.Ended(trial, result));
            }
            else waiting.Enqueue(trial);
        left = waiting.Count;
        var used = Math.Min(jobs, waiting.Count);
        var threads = Workers.ThreadCount;
        var runner = new TrialRunner(program, folder)
        {
            OnProgress = progress =>
            {
                lock (gate) OnProgress(progress);
            },
            Warn = line =>
            {
                lock (gate) Warn(line);
            },
        };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            ShareCores();
            var workers = Enumerable.Range(1, used)
                .Select(number => new Thread(Work) { Name = $"Adjoint trial {number}", IsBackground = true }).ToArray();
            foreach (var worker in workers) worker.Start();
            foreach (var worker in workers) worker.Join();
        }
        finally
        {
            Workers.ThreadCount = threads;
        }
        return new(complete, trials.Count, new(Stopwatch.GetElapsedTime(started).TotalSeconds, worked, trained),
            failures);

        void Work()
        {
            while (true)
            {
                Trial trial;
                lock (gate)
                    if (stop.IsCancellationRequested || !waiting.TryDequeue(out trial!)) return;
                var (epochs, began) = (0.0, Stopwatch.GetTimestamp());
                var progress = runner.Run(trial, own => TrialLease.Take(own, watch, runner.Warn, stop.Token),
                    epoch => epochs += epoch.Seconds, stop.Token);
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

    /// <summary>The result of a trial that is complete.</summary>
    /// <param name="folder">The folder of the sweep.</param>
    /// <param name="trial">The trial whose result is wanted.</param>
    /// <param name="warn">Called with what is wrong with a damaged result, in one line.</param>
    /// <returns>The result; null where there is none, or where it is damaged.</returns>
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
}
