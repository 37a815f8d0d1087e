using System.Diagnostics;
using Adjoint.Distributed;

namespace Adjoint.Experiments;

/// <summary>
/// One of many processes that share the trials of a sweep, on any machine that sees its folder: takes a trial that
/// nobody works on, runs it on all threads, takes the next, until none is left. Where a trial fails this worker ends,
/// since the reason may be its machine; the others go on, and leave that trial alone until a run is asked for anew.
/// </summary>
/// <param name="program">What runs a trial.</param>
/// <param name="folder">The folder of the sweep, shared with the other workers.</param>
public sealed class SweepWorker(ITrialProgram program, string folder) : ISweepEngine
{
    /// <summary>Called on each change of a trial.</summary>
    public Action<TrialProgress> OnProgress { get; init; } = _ => { };

    /// <summary>Called with what a person should know, in one line.</summary>
    public Action<string> Warn { get; init; } = _ => { };

    /// <summary>
    /// For a worker of several ranks: gives all of them what the first one finds, the number of the trial that they run
    /// next. The first alone looks, claims and writes.
    /// </summary>
    public Func<Func<int>, int> FromFirst { get; init; } = find => find();

    /// <summary>Whether this process is the first rank of the worker, or the only one.</summary>
    public bool IsFirst { get; init; } = true;

    /// <inheritdoc/>
    public SweepSummary Run(IReadOnlyList<Trial> trials, CancellationToken cancellation = default)
    {
        var started = Stopwatch.GetTimestamp();
        var runner = new TrialRunner(program, folder) { OnProgress = OnProgress, Warn = Warn };
        var slurm = LeaseHolder.This.Cluster is null ? null : new SlurmCommands();
        var watch = new LeaseWatch(LeaseHolder.This.Cluster, slurm is null ? null : slurm.IsOver);
        var (epochs, isUnsure, hasFailed, failures) = (0.0, false, false, new Dictionary<string, string>());
        var complete = new HashSet<string>();
        TrialLease? taken = null;
        while (FromFirst(Next) is >= 0 and var next)
        {
            if (!IsFirst)
            {
                Follow(trials[next]);
                continue;
            }
            var progress = runner.Run(trials[next], _ => taken!, epoch => epochs += epoch.Seconds, cancellation);
            if (progress.State != TrialState.Failed) continue;
            failures[trials[next].Key] = progress.Message!;
            hasFailed = true;
        }
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        return new(trials.Count(IsComplete), trials.Count, new(seconds, seconds, epochs), [.. failures.Values])
        {
            GoesOn = true,
        };

        // The trial that comes next, and its lease; -1 where none is left.
        int Next()
        {
            while (!hasFailed && !cancellation.IsCancellationRequested)
            {
                isUnsure = false;
                // What nobody has first: who has the others, and lives, costs questions to Slurm.
                foreach (var isMarked in (bool[])[false, true])
                    for (var index = 0; index < trials.Count; index++)
                        if ((taken = Lease(trials[index], isMarked)) is not null) return index;
                if (!isUnsure) break;
                // Somebody may have died in the middle of a trial: some looks later that is known.
                cancellation.WaitHandle.WaitOne(watch.Beat);
            }
            return -1;
        }

        // Takes part in what the first rank runs and writes; of what fails on all ranks it speaks.
        void Follow(Trial trial)
        {
            try
            {
                program.Run(new(trial.Settings, "", _ => { }, Warn, cancellation));
            }
            catch (AdjointException error) when (error is not RankFailureException)
            {
                hasFailed = true;
            }
        }

        TrialLease? Lease(Trial trial, bool isMarked)
        {
            var own = ExperimentRunner.FolderOf(folder, trial);
            try
            {
                if (IsOver() || TrialLease.IsMarked(own) != isMarked) return null;
                switch (watch.StateOf(own))
                {
                    case LeaseState.Held: return null;
                    case LeaseState.Unsure: isUnsure = true; return null;
                }
                var lease = TrialLease.TryTake(own, watch);
                // It may have been completed between the two.
                if (lease is null || !IsOver()) return lease;
                lease.Dispose();
            }
            catch (Exception error) when (error is AdjointException or IOException or UnauthorizedAccessException)
            {
                // It cannot be written to, and so cannot say that it failed; the others may be sound.
                failures[trial.Key] = error.Message;
            }
            return null;

            bool IsOver() =>
                IsComplete(trial) || TrialFailure.Load(own) is not null || failures.ContainsKey(trial.Key);
        }

        // A result stays.
        bool IsComplete(Trial trial) => complete.Contains(trial.Key)
            || ExperimentRunner.Load(folder, trial, _ => { }) is not null && complete.Add(trial.Key);
    }
}
