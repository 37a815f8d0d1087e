using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>What runs a trial: trains one network with given settings.</summary>
public interface ITrialProgram
{
    /// <summary>The settings that it knows.</summary>
    IReadOnlyList<Setting> Settings { get; }

    /// <summary>
    /// All settings on which the result depends, defaults filled in, the seed among them: the identity of a trial.
    /// </summary>
    /// <param name="settings">The settings that are given; the others have their defaults.</param>
    /// <returns>Name and value of each setting, always in the same order.</returns>
    /// <exception cref="SettingException">A name or a value is wrong.</exception>
    IReadOnlyList<(string Name, string Value)> Complete(IReadOnlyDictionary<string, string> settings);

    /// <summary>About how long a trial takes: to begin with the longest, and to estimate the time left.</summary>
    /// <param name="settings">The settings that are given; the others have their defaults.</param>
    /// <returns>The time in any unit, the same for all trials.</returns>
    double Cost(IReadOnlyDictionary<string, string> settings);

    /// <summary>How many epochs a trial has.</summary>
    /// <param name="settings">The settings that are given; the others have their defaults.</param>
    /// <returns>The number of passes over the training samples.</returns>
    int Epochs(IReadOnlyDictionary<string, string> settings);

    /// <summary>The command that repeats a trial.</summary>
    /// <param name="settings">The settings that are given; the others have their defaults.</param>
    /// <returns>The command line, such as <c>adjoint train --seed 1</c>.</returns>
    string Command(IReadOnlyDictionary<string, string> settings);

    /// <summary>
    /// Runs a trial, or goes on with it, on this thread. It writes nothing outside its folder, which exists, and when
    /// canceled keeps what it needs to go on.
    /// </summary>
    /// <param name="task">What to run, and where.</param>
    /// <returns>What the trial measured.</returns>
    TrialOutcome Run(TrialTask task);

    /// <summary>Removes what a trial kept only to go on from: its result is written.</summary>
    /// <param name="folder">The folder of the trial.</param>
    void Forget(string folder);
}

/// <summary>What a program is to run.</summary>
/// <param name="Settings">The settings, the seed among them.</param>
/// <param name="Folder">The folder of the trial, which exists.</param>
/// <param name="OnEpoch">Called after each epoch.</param>
/// <param name="Warn">Called with what a person should know, in one line.</param>
/// <param name="Cancellation">Asks it to stop and keep what it has.</param>
public sealed record TrialTask(IReadOnlyDictionary<string, string> Settings, string Folder, Action<EpochResult> OnEpoch,
    Action<string> Warn, CancellationToken Cancellation);

/// <summary>What a trial measured.</summary>
/// <param name="Epochs">Each epoch, the one before training first.</param>
/// <param name="WasCanceled">Whether it stopped before its end, to go on later.</param>
/// <param name="Problem">Why it could not reach its last epoch, and never will, or null: it diverged.</param>
/// <param name="Advice">What the training doctor found, a line each.</param>
public sealed record TrialOutcome(IReadOnlyList<EpochResult> Epochs, bool WasCanceled, string? Problem,
    IReadOnlyList<string> Advice);
