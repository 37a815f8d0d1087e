using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Adjoint.Mpi;

/// <summary>
/// Bounds the pauses of TCP between two attempts to send again. They double each time, so that a network that comes
/// back after half a minute may not be noticed for another half. Linux 6.15 and later let a connection have a bound;
/// those of the MPI library are not known by name, so all of this process get it.
/// </summary>
/// <param name="ranks">The number of ranks, each of which may have a connection in either direction.</param>
internal sealed partial class TcpPauses(int ranks)
{
    private const int Tcp = 6, LongestPause = 44, GivingUp = 18;

    // It gives up after 15 attempts, which were so many minutes, unless told a time.
    private const int PauseMilliseconds = 2000, GivingUpMilliseconds = 15 * 60_000;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly bool[] known = new bool[2 * ranks];
    private bool isDue;
    private long checkedAt;

    /// <summary>A message was carried: if it is the first one, its connection is new.</summary>
    internal void Note(int peer, bool isReceive)
    {
        ref var one = ref known[2 * peer + (isReceive ? 1 : 0)];
        isDue |= !one;
        one = true;
    }

    /// <summary>Bounds the pauses of new connections, if there are any, and not too often.</summary>
    internal void Apply()
    {
        if (!isDue || (checkedAt != 0 && Stopwatch.GetElapsedTime(checkedAt) < Interval)) return;
        (isDue, checkedAt) = (false, Stopwatch.GetTimestamp());
        foreach (var number in OpenFiles.Numbers())
            // What is no connection, and an older system, refuse it: nothing is lost.
            if (SetOption(number, Tcp, LongestPause, PauseMilliseconds, sizeof(int)) == 0)
                _ = SetOption(number, Tcp, GivingUp, GivingUpMilliseconds, sizeof(int));
    }

    [LibraryImport("libc", EntryPoint = "setsockopt")]
    private static partial int SetOption(int file, int level, int option, in int value, int length);
}
