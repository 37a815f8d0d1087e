using System.Globalization;
using System.Text;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// Keeps a folder to one process at a time. The operating system holds the lock on <c>.lock</c>, so it ends with its
/// process, however that ends; <c>.holder</c> names the process. Temporary files that a killed process left in it are
/// removed (<see cref="AtomicFile.RemoveAbandoned"/>).
/// </summary>
public sealed class FolderLock : IDisposable
{
    private readonly FileStream held;
    private readonly string folder;

    private FolderLock(FileStream held, string folder) => (this.held, this.folder) = (held, folder);

    /// <summary>Locks a folder, creating it if it is missing.</summary>
    /// <param name="folder">The path of the folder.</param>
    /// <returns>Dispose of it to unlock the folder.</returns>
    /// <exception cref="AdjointException">
    /// Another process, or another part of this one, holds it; or the folder cannot be written to.
    /// </exception>
    public static FolderLock Take(string folder) => TryTake(folder)
        ?? throw new AdjointException(
            $"{folder}: in use by {Holder(folder)}; wait until it ends, or use another folder");

    /// <summary>Locks a folder if nobody holds it, creating it if it is missing.</summary>
    /// <param name="folder">The path of the folder.</param>
    /// <returns>
    /// Dispose of it to unlock the folder; null where another process, or another part of this one, holds it.
    /// </returns>
    /// <exception cref="AdjointException">The folder cannot be written to.</exception>
    public static FolderLock? TryTake(string folder)
    {
        FileStream? stream = null;
        for (var tries = 0; stream is null; tries++)
            try
            {
                Directory.CreateDirectory(folder);
                stream = new FileStream(Path.Combine(folder, ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite,
                    FileShare.None, 1, FileOptions.DeleteOnClose);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                if (error is IOException && IsTaken(folder)) return null;
                // Who only asked whether it is taken had it for a moment, what a killed process left as well.
                const int many = 200;
                if (error is UnauthorizedAccessException || tries == many
                    || !File.Exists(Path.Combine(folder, ".lock")))
                    throw new AdjointException($"{folder}: cannot be written to: {error.Message}", error);
                Thread.Yield();
            }
        try
        {
            AtomicFile.RemoveAbandoned(folder);
            var now = DateTime.Now.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
            AtomicFile.WriteText(Path.Combine(folder, ".holder"),
                $"process {Environment.ProcessId} on {Environment.MachineName}, since {now}");
            return new(stream, folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            stream.Dispose();
            throw new AdjointException($"{folder}: cannot be written to: {error.Message}", error);
        }
    }

    /// <summary>Whether a process holds the lock of a folder now.</summary>
    /// <param name="folder">The path of the folder.</param>
    /// <returns>True while it is locked.</returns>
    public static bool IsTaken(string folder)
    {
        var path = Path.Combine(folder, ".lock");
        if (!File.Exists(path)) return false;
        try
        {
            using var _ = RegularFile.Open(path);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (DataFormatException)
        {
            return true;
        }
    }

    /// <summary>
    /// Whether a process holds the lock of a folder, or was killed while holding it: the next holder cleans up.
    /// </summary>
    /// <param name="folder">The path of the folder.</param>
    /// <returns>True if it is locked, or was left behind.</returns>
    public static bool IsMarked(string folder) =>
        File.Exists(Path.Combine(folder, ".lock")) || File.Exists(Path.Combine(folder, ".holder"));

    /// <summary>Unlocks the folder, for other processes.</summary>
    public void Dispose()
    {
        // The holder goes first: while .lock is held, nobody else writes there.
        // A folder that somebody removed, or that cannot be written to any more, is no reason to hide why its holder
        // ends.
        try
        {
            if (Directory.Exists(folder)) File.Delete(Path.Combine(folder, ".holder"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The name that stays is nobody's: only the lock says whether the folder is taken.
        }
        held.Dispose();
    }

    private static string Holder(string folder)
    {
        try
        {
            return Encoding.UTF8.GetString(
                RegularFile.ReadAllBytes(Path.Combine(folder, ".holder"), maxBytes: 1 << 10));
        }
        catch (Exception error) when (error is IOException or DataFormatException)
        {
            return "another process";
        }
    }
}
