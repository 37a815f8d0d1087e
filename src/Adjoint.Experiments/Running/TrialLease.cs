using System.Globalization;
using Adjoint.IO;

namespace Adjoint.Experiments;

/// <summary>
/// The right to work on a trial, among processes of any machine that share its folder. It is a file,
/// <c>.lease-00000001</c>, which one process alone succeeds in making (<see cref="AtomicFile.TryCreate"/>); its time is
/// refreshed every few seconds. Whoever takes over an abandoned lease makes the file of the next number. On one machine
/// the folder's lock, which ends with its process, holds as well.
/// </summary>
internal sealed class TrialLease : IDisposable
{
    private const string Prefix = ".lease-";
    private readonly string folder, path;
    private readonly int number;
    private readonly FolderLock held;
    private readonly Timer beat;
    private readonly CancellationTokenSource lost = new();

    private TrialLease(string folder, int number, FolderLock held, TimeSpan interval)
    {
        (this.folder, this.number, this.held) = (folder, number, held);
        path = PathOf(folder, number);
        beat = new Timer(_ => Refresh(), null, interval, interval);
    }

    /// <summary>Set when another process took the trial over, because this one was taken for dead.</summary>
    internal CancellationToken Lost => lost.Token;

    /// <summary>
    /// Whether the trial is still this process's, by a look now: to be asked before something is written that tells of
    /// the whole trial. A process that stood still may go on before its timer does.
    /// </summary>
    internal bool IsHeld
    {
        get
        {
            Refresh();
            return !lost.IsCancellationRequested;
        }
    }

    /// <summary>Claims a trial if nobody works on it.</summary>
    /// <param name="folder">The folder of the trial, which is created if it is missing.</param>
    /// <param name="watch">Judges the leases of others.</param>
    /// <returns>Dispose of it to give the trial back; null where another process works on it.</returns>
    /// <exception cref="AdjointException">The folder cannot be written to.</exception>
    internal static TrialLease? TryTake(string folder, LeaseWatch watch)
    {
        if (watch.StateOf(folder) != LeaseState.Free || FolderLock.TryTake(folder) is not { } held) return null;
        try
        {
            // Who had it may have given it back, and another taken it, since the look. The number follows the lease
            // that was judged, not what is there by now: another machine may be faster.
            var latest = Latest(folder);
            var next = (latest?.Number ?? 0) + 1;
            // Whole at once: who is killed meanwhile leaves no lease of nobody.
            if (watch.StateOf(folder, latest, isLocked: true) == LeaseState.Free
                && AtomicFile.TryCreate(PathOf(folder, next), LeaseHolder.This.Write))
            {
                var all = Numbers(folder);
                // Another may have been faster by several numbers, and removed the one that was judged and the next.
                var isLast = all is [.., var last] && last == next;
                foreach (var one in isLast ? all[..^1] : [next]) File.Delete(PathOf(folder, one));
                if (isLast) return new(folder, next, held, watch.Beat);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            held.Dispose();
            throw new AdjointException($"{folder}: cannot be written to: {error.Message}", error);
        }
        held.Dispose();
        return null;
    }

    /// <summary>
    /// Claims a trial, or says who works on it. Where that is not sure, it looks on until it is, a minute at most.
    /// </summary>
    /// <param name="folder">The folder of the trial, which is created if it is missing.</param>
    /// <param name="watch">Judges the leases of others.</param>
    /// <param name="warn">Called with one line where it has to look on.</param>
    /// <param name="cancellation">Asks it to stop.</param>
    /// <returns>Dispose of it to give the trial back; null where it was asked to stop.</returns>
    /// <exception cref="AdjointException">Another process works on it, or the folder cannot be written to.</exception>
    internal static TrialLease? Take(string folder, LeaseWatch watch, Action<string> warn,
        CancellationToken cancellation)
    {
        if (watch.StateOf(folder) == LeaseState.Unsure)
            warn($"{folder}: left or in use by {Owner(folder)}; looking on for a minute whether it lives");
        for (var looks = 0; looks < 2 * LeaseWatch.Looks && watch.StateOf(folder) == LeaseState.Unsure; looks++)
            if (cancellation.WaitHandle.WaitOne(watch.Beat)) return null;
        if (TryTake(folder, watch) is { } lease) return lease;
        // The lock's own message names its holder.
        FolderLock.Take(folder).Dispose();
        throw new AdjointException($"{folder}: in use by {Owner(folder)}; wait until it ends, or use another folder");
    }

    private static string Owner(string folder) => Latest(folder)?.Holder?.ToString() ?? "another process";

    /// <summary>Whether somebody has a trial, or was killed while doing so.</summary>
    internal static bool IsMarked(string folder) =>
        FolderLock.IsMarked(folder) || Directory.Exists(folder) && Numbers(folder).Length > 0;

    /// <summary>The lease that counts: the one of the highest number; null where there is none.</summary>
    /// <exception cref="IOException">The file system does not answer.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    internal static Lease? Latest(string folder)
    {
        try
        {
            if (!Directory.Exists(folder) || Numbers(folder) is not [.., var number]) return null;
            // Opened, not only asked for its time, which network file systems answer from memory.
            using var file = new FileStream(PathOf(folder, number), FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[1024];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return new(number, File.GetLastWriteTimeUtc(file.SafeFileHandle),
                LeaseHolder.Read(bytes.AsMemory(0, length)));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // Given back, or removed, at this moment.
            return null;
        }
    }

    /// <summary>Gives the trial back.</summary>
    public void Dispose()
    {
        using (var ended = new ManualResetEvent(false))
            if (beat.Dispose(ended)) ended.WaitOne();
        try
        {
            if (IsOwn()) File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // No reason to hide why its holder ends. It is left behind, as by a process that was killed.
        }
        held.Dispose();
        lost.Dispose();
    }

    private void Refresh()
    {
        try
        {
            if (!Directory.Exists(folder)) return;
            if (IsOwn()) File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            else lost.Cancel();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A file system that does not answer for a while: the next beat comes.
        }
    }

    // Numbers begin anew when a trial is given back: the same one may be another's by now.
    private bool IsOwn() => Latest(folder) is { } latest && latest.Number == number
        && latest.Holder == LeaseHolder.This;

    private static int[] Numbers(string folder) =>
    [
        .. Directory.EnumerateFiles(folder, Prefix + "*")
            .Select(path => int.TryParse(Path.GetFileName(path)[Prefix.Length..], NumberStyles.None,
                CultureInfo.InvariantCulture, out var number) ? number : -1)
            .Where(number => number is > 0 and < int.MaxValue).Order(),
    ];

    private static string PathOf(string folder, int number) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number:D8}"));
}

/// <summary>A lease as its file tells it.</summary>
/// <param name="Number">The number of the lease.</param>
/// <param name="Time">When it was refreshed last, by the clock of its holder.</param>
/// <param name="Holder">Who made it; null where the file does not tell.</param>
internal readonly record struct Lease(int Number, DateTime Time, LeaseHolder? Holder);
