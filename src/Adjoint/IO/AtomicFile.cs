using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// Writes files that are there whole or not at all: to a temporary file beside, flushed to disk, then renamed, and the
/// folder flushed, so that the new name survives a power failure too.
/// </summary>
public static partial class AtomicFile
{
    private static int written;

    /// <summary>
    /// Writes a file, replacing an existing one. If writing fails, nothing changes and nothing is left over.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="write">Writes the contents to the given stream.</param>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void Write(string path, Action<Stream> write) => Write([(path, write)], beforeReplacing: () => { });

    /// <summary>
    /// Makes a file that was not there. Of several processes that try, on any machine that shares the folder, one alone
    /// succeeds. Nobody sees a part of it where the file system has hard links.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="write">Writes the contents to the given stream.</param>
    /// <returns>Whether it was made: false where there is one already, which stays as it is.</returns>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static bool TryCreate(string path, Action<Stream> write)
    {
        var temporary = TemporaryFor(path);
        try
        {
            Fill(path, temporary, write);
            if (Platform.TryName(temporary, path) is { } isFirst) return isFirst;
            // Exclusive everywhere, but others may see a part of it.
            Explained(path, temporary, () => File.Copy(temporary, path, overwrite: false));
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            return false;
        }
        finally
        {
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }

    /// <summary>Writes several files of one folder: none is replaced before all are written and flushed.</summary>
    /// <param name="files">The paths, in the order in which they are replaced, and what writes each.</param>
    /// <param name="beforeReplacing">Runs when all are written.</param>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    internal static void Write(
        IReadOnlyList<(string Path, Action<Stream> Write)> files, Action beforeReplacing)
    {
        string[] temporary = [.. files.Select(file => TemporaryFor(file.Path))];
        try
        {
            foreach (var ((path, write), name) in files.Zip(temporary))
                Fill(path, name, write);
            beforeReplacing();
            foreach (var ((path, _), name) in files.Zip(temporary))
                Explained(path, name, () => File.Move(name, path, overwrite: true));
            Platform.FlushFolder(Path.GetDirectoryName(temporary[0])!);
        }
        finally
        {
            foreach (var name in temporary)
                if (File.Exists(name)) File.Delete(name);
        }
    }

    private static void Fill(string path, string temporary, Action<Stream> write) => Explained(path, temporary, () =>
    {
        using var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
        write(stream);
        stream.Flush(flushToDisk: true);
    });

    // Told apart from what others leave in the folder, never the same for two threads, and short enough for every name
    // that the file itself may have.
    private static string TemporaryFor(string path)
    {
        var number = Interlocked.Increment(ref written);
        var name = $".adjoint-{Environment.ProcessId}-{number}-{Environment.MachineName}.tmp";
        return Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name);
    }

    private static void Explained(string path, string temporary, Action act)
    {
        var full = Path.GetFullPath(path);
        try
        {
            act();
        }
        catch (Exception error)
            when (error is IOException or UnauthorizedAccessException
            && new[] { temporary, full }.Any(one => error.Message.Contains(one, StringComparison.Ordinal)))
        {
            // The system's message ends with the name, or has it within.
            var problem = error.Message.Replace($" : '{temporary}'", "", StringComparison.Ordinal)
                .Replace($" : '{full}'", "", StringComparison.Ordinal);
            throw new IOException(
                $"{path}: cannot be written: {problem.Replace(temporary, path, StringComparison.Ordinal)}", error);
        }
        catch (ArgumentOutOfRangeException error) when (error.ParamName == "value")
        {
            // What .NET makes of the system's "file too large".
            throw new IOException($"{path}: cannot be written: it becomes longer than files may be here", error);
        }
    }

    /// <summary>
    /// Removes the temporary files that killed processes of this machine left in a folder: files with this class's own
    /// names whose process has ended. Other files, subfolders and links stay.
    /// </summary>
    /// <param name="folder">The folder to clean.</param>
    public static void RemoveAbandoned(string folder)
    {
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles(".adjoint-*.tmp"))
            if (file.LinkTarget is null && IsAbandoned(file)) file.Delete();
    }

    private static bool IsAbandoned(FileInfo file)
    {
        var parts = Temporary().Match(file.Name);
        return parts.Success && parts.Groups["machine"].Value == Environment.MachineName
            && int.TryParse(parts.Groups["process"].Value, NumberStyles.None, CultureInfo.InvariantCulture,
                out var process) && !Lives(process, file.LastWriteTimeUtc);
    }

    // Numbers come again: in a container every process may have the same, this one too. Who began after the file was
    // written did not write it, and who has no memory left is dead, only nobody has asked for its exit code yet.
    private static bool Lives(int number, DateTime written)
    {
        try
        {
            using var process = Process.GetProcessById(number);
            return process.StartTime.ToUniversalTime() <= written && process.WorkingSet64 > 0;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            return false;
        }
        catch (Win32Exception)
        {
            // Of another user, who tells nothing of it.
            return true;
        }
    }

    [GeneratedRegex(@"^\.adjoint-(?<process>[0-9]+)-[0-9]+-(?<machine>.+)\.tmp$")]
    private static partial Regex Temporary();

    /// <summary>Writes a text file in UTF-8, replacing an existing one.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="text">The contents of the file.</param>
    /// <exception cref="IOException">The disk is full, or the folder may not be written to.</exception>
    public static void WriteText(string path, string text) => Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(text);
    });
}
