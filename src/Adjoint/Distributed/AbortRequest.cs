using System.Diagnostics;

namespace Adjoint.Distributed;

/// <summary>
/// A caller's wish to end all ranks: the communicator's thread fulfills it or, where that one hangs in a call of the
/// transport, the caller.
/// </summary>
internal sealed class AbortRequest(Transport transport, object gate)
{
    private int? exitCode;
    private bool isFulfilled;

    /// <summary>Whether the thread is to fulfill it. Under the gate.</summary>
    public bool IsOpen => exitCode is not null;

    /// <summary>Asks, and waits for a moment until all ranks are ended.</summary>
    /// <returns>Whether the caller did it.</returns>
    public bool Ask(int code, TimeSpan patience)
    {
        lock (gate)
        {
            exitCode = code;
            Monitor.PulseAll(gate);
            for (var since = Stopwatch.GetTimestamp(); !isFulfilled;)
                if (patience - Stopwatch.GetElapsedTime(since) is var left && left > TimeSpan.Zero)
                    Monitor.Wait(gate, left);
                else break;
        }
        return Fulfill();
    }

    /// <summary>Ends all ranks, if that was asked for.</summary>
    /// <returns>Whether it was, and this process goes on all the same, as ranks that are threads do.</returns>
    public bool Fulfill()
    {
        int code;
        lock (gate)
        {
            if (exitCode is not { } asked) return false;
            (code, exitCode) = (asked, null);
        }
        transport.Abort(code);
        lock (gate)
        {
            isFulfilled = true;
            Monitor.PulseAll(gate);
        }
        return true;
    }
}
