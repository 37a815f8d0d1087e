using System.Diagnostics;

namespace Adjoint.Distributed;

/// <summary>For how long at least one of several activities, which may overlap, has been under way.</summary>
internal sealed class ActivityTimer
{
    private int count;
    private long began, ticks;

    /// <summary>Whether an activity is under way.</summary>
    public bool IsRunning => count > 0;

    /// <summary>The time so far.</summary>
    public TimeSpan Elapsed =>
        Stopwatch.GetElapsedTime(0, ticks + (count > 0 ? Stopwatch.GetTimestamp() - began : 0));

    public void Begin()
    {
        if (count++ == 0) began = Stopwatch.GetTimestamp();
    }

    public void End()
    {
        if (--count == 0) ticks += Stopwatch.GetTimestamp() - began;
    }
}
