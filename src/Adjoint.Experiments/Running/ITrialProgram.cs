using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>What runs a trial: trains one network with given settings.</summary>
public interface ITrialProgram
{
    /// <summary>The settings that it knows.</summary>
    IReadOnlyList<Setting> Settings { get; }

    /// <summary>All settings on which the result depends, defaults filled in, the seed among them: the trial's identity.</summary>
    /// <exception cref="SettingException">A name or a value is wrong.</exception>
    IReadOnlyList<(string Name, string Value)> Complete(IReadOnlyDictionary<string, string> settings);

    /// <summary>About how long a trial takes, in any unit: to begin with the longest, and to tell the time left.</summary>
    double Cost(IReadOnlyDictionary<string, string> settings);

    /// <summary>How many epochs a trial has.</summary>
    int Epochs(IReadOnlyDictionary<string, string> settings);

    /// <summary>The command that repeats a trial.</summary>
    string Command(IReadOnlyDictionary<string, string> settings);

    /// <summary>Runs a trial, or goes on with it, on this thread. It writes nothing outside the folder, which exists, and when cancelled keeps what it needs to go on.</summary>
    TrialOutcome Run(TrialTask task);

    /// <summary>Removes what a trial kept only to go on from: its result is written.</summary>
    void Forget(string folder);
}

/// <summary>What a program is to run.</summary>
/// <param name="Settings">The settings, the seed among them.</param>
/// <param name="Folder">Its own.</param>
/// <param name="OnEpoch">Told of each epoch that ends.</param>
/// <param name="Warn">Told what a person should know, in one line.</param>
/// <param name="Cancellation">Asks it to stop and keep what it has.</param>
public sealed record TrialTask(IReadOnlyDictionary<string, string> Settings, string Folder, Action<EpochResult> OnEpoch, Action<string> Warn, CancellationToken Cancellation);

/// <summary>What a trial measured.</summary>
/// <param name="Epochs">Each epoch, the one before training first.</param>
/// <param name="WasCancelled">Whether it stopped before its end, to go on later.</param>
/// <param name="Problem">Why it could not reach its last epoch, and never will, or null: it diverged.</param>
/// <param name="Advice">What the training doctor found.</param>
public sealed record TrialOutcome(IReadOnlyList<EpochResult> Epochs, bool WasCancelled, string? Problem, IReadOnlyList<string> Advice);
