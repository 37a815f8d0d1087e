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
/// Judges the leases of other processes. Of this machine the system tells whether a process lives, of a job Slurm does.
/// Of all others the lease's file does: a lease whose time did not change over a minute of looks is abandoned. No two
/// clocks are compared, and a file system that stands still for a while, where nobody can look, abandons nothing.
/// </summary>
/// <param name="cluster">The cluster that can be asked, or null.</param>
/// <param name="isActive">Whether the job of a holder is at work; null where that cannot be known now.</param>
internal sealed class LeaseWatch(string? cluster = null, Func<LeaseHolder, bool?>? isActive = null)
{
    private const int Looks = 12;

    /// <summary>How often the time of a lease is refreshed, and looked at.</summary>
    internal TimeSpan Beat { get; init; } = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, Seen> seen = [];

    /// <summary>What is known of the lease of a trial.</summary>
    /// <param name="folder">The folder of the trial, which need not exist.</param>
    /// <param name="isLocked">Whether the caller holds the lock of the folder.</param>
    internal LeaseState StateOf(string folder, bool isLocked = false)
    {
        if (TrialLease.Latest(folder) is not { } lease)
        {
            seen.Remove(folder);
            return LeaseState.Free;
        }
        if (lease.Holder is { } holder)
        {
            if (holder.IsHere)
                return holder.Lives || !isLocked && FolderLock.IsTaken(folder) ? LeaseState.Held : LeaseState.Free;
            // This very job, before it was requeued.
            if (holder.Job is not null && holder.Job == LeaseHolder.This.Job
                && holder.Cluster == LeaseHolder.This.Cluster) return LeaseState.Free;
            if (holder.Job is not null && holder.Cluster is not null && holder.Cluster == cluster
                && isActive?.Invoke(holder) is { } lives)
                return lives ? LeaseState.Held : LeaseState.Free;
        }
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
