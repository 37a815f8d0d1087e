using System.Diagnostics;
using Adjoint.IO;

namespace Adjoint.Training;

/// <summary>Keeps the state of a run from time to time.</summary>
/// <param name="store">Where.</param>
/// <param name="every">How often at most. What is lost when the process is killed is about as long; 0 keeps every step.</param>
public sealed class Checkpoints(CheckpointStore store, TimeSpan every)
{
    private long written = Stopwatch.GetTimestamp();

    /// <summary>The time spent on writing.</summary>
    public TimeSpan Spent { get; private set; }

    /// <summary>Writes when it is time to.</summary>
    public void Consider(Func<TrainingState> state)
    {
        if (Stopwatch.GetElapsedTime(written) >= every) Write(state);
    }

    /// <summary>Writes.</summary>
    /// <exception cref="IOException">The disk is full, or may not be written to; the checkpoints before are untouched.</exception>
    public void Write(Func<TrainingState> state)
    {
        var started = Stopwatch.GetTimestamp();
        var own = state();
        store.Write(own.Tensors, own.Notes);
        written = Stopwatch.GetTimestamp();
        Spent += Stopwatch.GetElapsedTime(started, written);
    }

    /// <summary>The latest state that can be read, or null.</summary>
    /// <param name="warn">Told of each that is damaged.</param>
    public TrainingState? Latest(Action<string> warn) => store.Latest(warn) is { } found ? new(found.Tensors, found.Notes) : null;
}
