using System.Diagnostics;
using Adjoint.IO;

namespace Adjoint.Experiments;

/// <summary>What is known of a trial's lease.</summary>
internal enum LeaseState
{
    /// <summary>Nobody works on the trial.</summary>
    Free,

    /// <summary>A process works on it.</summary>
    Held,

    /// <summary>Somebody has it, and whether that process lives will be known after some more looks.</summary>
    Unsure,
}

/// <summary>
/// Judges the leases of other processes. Of this machine the system tells whether a process lives. Of all others the
/// lease's file does: a lease whose time did not change over a minute of looks is abandoned. That the job of a holder
/// is over, Slurm tells at once; a job that goes on may have lost its worker. No two clocks are compared, and a file
/// system that stands still for a while, where nobody can look, abandons nothing. Several threads may ask at once.
/// </summary>
/// <param name="cluster">The cluster that can be asked, or null.</param>
/// <param name="isOver">Whether the job of a holder is known to be over.</param>
internal sealed class LeaseWatch(string? cluster = null, Func<LeaseHolder, bool>? isOver = null)
{
    /// <summary>After how many looks at a time that stands still a lease is abandoned.</summary>
    internal const int Looks = 12;

    /// <summary>How often the time of a lease is refreshed, and looked at.</summary>
    internal TimeSpan Beat { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The process that looks.</summary>
    internal LeaseHolder Self { get; init; } = LeaseHolder.This;

    private readonly Dictionary<string, Seen> seen = [];
    private readonly Lock gate = new();

    /// <summary>What is known of the lease of a trial.</summary>
    /// <param name="folder">The folder of the trial, which need not exist.</param>
    internal LeaseState StateOf(string folder)
    {
        try
        {
            return StateOf(folder, TrialLease.Latest(folder), isLocked: false);
        }
        catch (IOException)
        {
            // A file system that does not answer for a while.
            return LeaseState.Unsure;
        }
        catch (UnauthorizedAccessException)
        {
            // Whoever tries to take it is told why that cannot be.
            return LeaseState.Free;
        }
    }

    /// <summary>What is known of a lease.</summary>
    /// <param name="folder">The folder of the trial.</param>
    /// <param name="latest">The lease that counts there, or null.</param>
    /// <param name="isLocked">Whether the caller holds the lock of the folder.</param>
    internal LeaseState StateOf(string folder, Lease? latest, bool isLocked)
    {
        if (latest is not { } lease) return LeaseState.Free;
        if (lease.Holder is { } holder)
        {
            if (holder.IsHere)
                return holder.Lives || !isLocked && FolderLock.IsTaken(folder) ? LeaseState.Held : LeaseState.Free;
            if (holder.Job is not null && holder.Cluster is not null)
            {
                // This very job, before it was requeued. A job on several nodes may have a worker on each.
                var isOurs = (holder.Job, holder.Cluster) == (Self.Job, Self.Cluster);
                if (isOurs && holder.Restarts < Self.Restarts) return LeaseState.Free;
                if (!isOurs && holder.Cluster == cluster && isOver?.Invoke(holder) == true) return LeaseState.Free;
            }
        }
        lock (gate) return ByTime(folder, lease);
    }

    private LeaseState ByTime(string folder, Lease lease)
    {
        var now = Stopwatch.GetTimestamp();
        if (!seen.TryGetValue(folder, out var last) || last.Number != lease.Number)
        {
            seen[folder] = new(lease.Number, lease.Time, 0, now);
            return LeaseState.Unsure;
        }
        if (last.Time != lease.Time)
        {
            seen[folder] = new(lease.Number, lease.Time, 0, now);
            return LeaseState.Held;
        }
        if (Stopwatch.GetElapsedTime(last.At) >= Beat)
            seen[folder] = last = last with { Unchanged = last.Unchanged + 1, At = now };
        return last.Unchanged >= Looks ? LeaseState.Free : LeaseState.Unsure;
    }

    private readonly record struct Seen(int Number, DateTime Time, int Unchanged, long At);
}
