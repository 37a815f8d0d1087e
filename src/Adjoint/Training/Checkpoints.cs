using System.Diagnostics;
using Adjoint.IO;

namespace Adjoint.Training;

/// <summary>Saves the state of a run from time to time.</summary>
/// <param name="store">Where the states are kept.</param>
/// <param name="every">
/// The shortest time between two states, and so about the most that a killed process loses; 0 saves every step.
/// </param>
/// <param name="settings">
/// The settings of the run, by name: model, data set, optimizer, learning rate, seed and whatever else its result
/// depends on. Each state carries them, and one of other settings is refused. Null: nothing is carried or compared.
/// </param>
public sealed class Checkpoints(CheckpointStore store, TimeSpan every,
    IReadOnlyList<(string Name, string Value)>? settings = null)
{
    private const string Prefix = "setting.";
    private readonly IReadOnlyList<(string Name, string Value)> settings = settings ?? [];
    private long written = Stopwatch.GetTimestamp();

    /// <summary>The time spent on writing states.</summary>
    public TimeSpan WriteTime { get; private set; }

    /// <summary>Whether enough time has passed since the last state that another is to be saved.</summary>
    internal bool IsDue => Stopwatch.GetElapsedTime(written) >= every;

    /// <summary>Saves the state now.</summary>
    /// <param name="state">Returns the state to save.</param>
    /// <exception cref="IOException">
    /// The disk is full, or may not be written to; the checkpoints before are untouched.
    /// </exception>
    public void Write(Func<TrainingState> state)
    {
        var started = Stopwatch.GetTimestamp();
        var own = state();
        foreach (var (name, value) in settings) own.Set(Prefix + name, value);
        store.Write(own.Tensors, own.Notes);
        written = Stopwatch.GetTimestamp();
        WriteTime += Stopwatch.GetElapsedTime(started, written);
    }

    /// <summary>
    /// Reads the latest undamaged state. One without settings, such as those of version 0.1, is accepted.
    /// </summary>
    /// <param name="warn">Called with one line for each damaged state.</param>
    /// <returns>The state; null where there is none.</returns>
    /// <exception cref="AdjointException">
    /// It was saved with other settings; the message names each, with both values.
    /// </exception>
    public TrainingState? Latest(Action<string> warn)
    {
        if (store.Latest(warn) is not { } found) return null;
        if (Differences(found.Notes) is { Count: > 0 } differences)
            throw new AdjointException(
                $"{store.Folder}: its checkpoints were made with other settings: {string.Join(", ", differences)}; "
                + "set them back to go on, or begin a new run with the new ones");
        return new(found.Tensors, found.Notes);
    }

    // A setting that the state does not name is younger than the state; one that only the state names changed its
    // result.
    private List<string> Differences(IReadOnlyDictionary<string, string> notes)
    {
        var now = settings.ToDictionary(setting => Prefix + setting.Name, setting => setting.Value);
        if (now.Count == 0) return [];
        var differing =
            from note in notes
            let value = now.GetValueOrDefault(note.Key)
            where note.Key.StartsWith(Prefix, StringComparison.Ordinal) && value != note.Value
            select $"{note.Key[Prefix.Length..]} was {note.Value}, is {value ?? "not known here"}";
        return [.. differing];
    }
}
