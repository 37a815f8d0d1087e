using System.Diagnostics;

namespace Adjoint.Bench;

/// <summary>Does work on the caller's thread and on a second one at once, and says how long both took.</summary>
internal sealed class TwoThreads
{
    private readonly SemaphoreSlim wake = new(0);
    private Action<int> work = _ => { };
    private int meetings;
    private long began, ended;

    internal TwoThreads() => new Thread(Second) { IsBackground = true, Name = "Second probe" }.Start();

    /// <summary>Seconds from the first one's beginning to the last one's end; both begin together.</summary>
    internal double Seconds(Action<int> part)
    {
        work = part;
        wake.Release();
        Meet();
        var start = Stopwatch.GetTimestamp();
        part(0);
        var end = Stopwatch.GetTimestamp();
        Meet();
        return Stopwatch.GetElapsedTime(Math.Min(start, began), Math.Max(end, ended)).TotalSeconds;
    }

    // Between two probes it waits without spinning: the sample has both processors.
    private void Second()
    {
        while (true)
        {
            wake.Wait();
            Meet();
            began = Stopwatch.GetTimestamp();
            work(1);
            ended = Stopwatch.GetTimestamp();
            Meet();
        }
    }

    // Counts arrivals and never goes back: the slower one still sees that both were there.
    private void Meet()
    {
        var mine = Interlocked.Increment(ref meetings);
        while (Volatile.Read(ref meetings) < mine + (mine & 1)) Thread.SpinWait(1);
    }
}
