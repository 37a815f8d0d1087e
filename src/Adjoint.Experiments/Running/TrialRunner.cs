using Adjoint.Distributed;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>Runs one trial in this process and writes its result: what all engines have in common.</summary>
/// <param name="program">What runs a trial.</param>
/// <param name="folder">The folder of the sweep.</param>
internal sealed class TrialRunner(ITrialProgram program, string folder)
{
    internal required Action<TrialProgress> OnProgress { get; init; }

    internal required Action<string> Warn { get; init; }

    /// <summary>Runs a trial, or goes on with it.</summary>
    /// <param name="trial">The trial.</param>
    /// <param name="take">Claims the trial's folder; null where it was asked to stop.</param>
    /// <param name="count">Called after each epoch.</param>
    /// <param name="cancellation">Asks it to stop and keep what it has.</param>
    internal TrialProgress Run(Trial trial, Func<string, TrialLease?> take, Action<EpochResult> count,
        CancellationToken cancellation)
    {
        TrialProgress Tell(TrialState state, EpochResult? last = null, string? message = null)
        {
            var progress = new TrialProgress(trial, state, last, message);
            OnProgress(progress);
            return progress;
        }

        var own = ExperimentRunner.FolderOf(folder, trial);
        Tell(TrialState.Running);
        var isTaken = false;
        try
        {
            using var lease = take(own);
            if (lease is null) return Tell(TrialState.Interrupted);
            isTaken = true;
            TrialFailure.Remove(own);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lease.Lost);
            var outcome = program.Run(new(trial.Settings, own, epoch =>
            {
                count(epoch);
                Tell(TrialState.Running, epoch);
            }, Warn, stop.Token));
            if (outcome.WasCanceled || !lease.IsHeld)
                return Tell(TrialState.Interrupted, outcome.Epochs.Count == 0 ? null : outcome.Epochs[^1]);
            new TrialResult(outcome.Epochs, outcome.Problem, outcome.Advice, ThisMachine.Description,
                program.Command(trial.Settings)).Save(own);
            program.Forget(own);
            return Tell(outcome.Problem is null ? TrialState.Complete : TrialState.Diverged, outcome.Epochs[^1],
                outcome.Problem);
        }
        // A rank that died takes its world with it, and is no fault of the trial: another worker goes on with it.
        catch (Exception error) when (error is not RankFailureException)
        {
            // This thread is the trial's own: what nobody catches here would end the process in the middle of the
            // others.
            var isExpected =
                error is AdjointException or IOException or UnauthorizedAccessException or OutOfMemoryException;
            var message = $"{trial.Key}: {(isExpected ? "" : $"unexpected {error.GetType().Name}: ")}{error.Message}";
            if (isTaken) TrialFailure.Save(own, message);
            return Tell(TrialState.Failed, null, message);
        }
    }

    /// <summary>What a result says of its trial.</summary>
    internal static TrialProgress Ended(Trial trial, TrialResult result) => new(
        trial, result.Problem is null ? TrialState.Complete : TrialState.Diverged, result.Epochs[^1], result.Problem);

    /// <summary>
    /// Cleans the folder of a complete trial: who was killed right after writing the result forgot nothing, and left
    /// the marks of a holder.
    /// </summary>
    internal static void Forget(ITrialProgram program, string own, LeaseWatch watch)
    {
        if (!TrialLease.IsMarked(own) || TrialLease.TryTake(own, watch) is not { } lease) return;
        using (lease) program.Forget(own);
    }
}
