using System.Globalization;
using Adjoint.IO;

namespace Adjoint.Experiments;

/// <summary>
/// The right to work on a trial, among processes of any machine that share its folder. It is a file,
/// <c>.lease-00000001</c>, made by exclusive creation, which every shared file system has; its time is refreshed every
/// few seconds. Whoever takes over an abandoned lease makes the file of the next number, which one process alone
/// succeeds in. On one machine the folder's lock, which ends with its process, holds as well.
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
            // Who had it may have given it back, and another taken it, since the look.
            if (watch.StateOf(folder, isLocked: true) == LeaseState.Free)
            {
                var older = Numbers(folder);
                var next = older.Length == 0 ? 1 : older[^1] + 1;
                // Whole at once: who is killed meanwhile leaves no lease of nobody. Another machine may be faster.
                if (AtomicFile.TryCreate(PathOf(folder, next), LeaseHolder.This.Write))
                {
                    foreach (var one in older) File.Delete(PathOf(folder, one));
                    return new(folder, next, held, watch.Beat);
                }
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

    /// <summary>Claims a trial, or says who works on it.</summary>
    /// <exception cref="AdjointException">Another process works on it, or the folder cannot be written to.</exception>
    internal static TrialLease Take(string folder, LeaseWatch watch)
    {
        if (TryTake(folder, watch) is { } lease) return lease;
        // The lock's own message names its holder.
        FolderLock.Take(folder).Dispose();
        throw new AdjointException($"{folder}: in use by {Latest(folder)?.Holder?.ToString() ?? "another process"}; "
            + "wait until it ends, or use another folder");
    }

    /// <summary>Whether somebody has a trial, or was killed while doing so.</summary>
    internal static bool IsMarked(string folder) =>
        FolderLock.IsMarked(folder) || Directory.Exists(folder) && Numbers(folder).Length > 0;

    /// <summary>The lease that counts: the one of the highest number; null where there is none.</summary>
    internal static Lease? Latest(string folder)
    {
        if (!Directory.Exists(folder) || Numbers(folder) is not [.., var number]) return null;
        try
        {
            // Opened, not only asked for its time, which network file systems answer from memory.
            using var file = new FileStream(PathOf(folder, number), FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[1024];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return new(number, File.GetLastWriteTimeUtc(file.SafeFileHandle),
                LeaseHolder.Read(bytes.AsMemory(0, length)));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Gives the trial back.</summary>
    public void Dispose()
    {
        using (var ended = new ManualResetEvent(false))
            if (beat.Dispose(ended)) ended.WaitOne();
        // A folder that somebody removed is no reason to hide why its holder ends.
        if (Directory.Exists(folder)) File.Delete(path);
        held.Dispose();
        lost.Dispose();
    }

    private void Refresh()
    {
        try
        {
            if (!Directory.Exists(folder)) return;
            if (Numbers(folder) is [.., var latest] && latest == number)
                File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            else lost.Cancel();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A file system that does not answer for a while: the next beat comes.
        }
    }

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
/// <param name="Holder">Who made it; null where the file does not tell yet.</param>
internal readonly record struct Lease(int Number, DateTime Time, LeaseHolder? Holder);
