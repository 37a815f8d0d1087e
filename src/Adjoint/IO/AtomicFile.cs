using System.Runtime.InteropServices;

namespace Adjoint.IO;

/// <summary>Files that are there whole or not at all: written beside their place, flushed to disk, renamed, and the folder flushed, so that the new name survives a power cut too.</summary>
public static partial class AtomicFile
{
    private const string Suffix = ".tmp";

    /// <summary>Writes a file, replacing one that is there. When writing fails, nothing changes and nothing is left over.</summary>
    public static void Write(string path, Action<Stream> write)
    {
        var temporary = $"{path}.{Environment.ProcessId}{Suffix}";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
            FlushFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        finally
        {
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }

    /// <summary>Whether a file is one that is not yet renamed: what is left of a write whose process was killed.</summary>
    internal static bool IsTemporary(string path) => path.EndsWith(Suffix, StringComparison.Ordinal) && int.TryParse(Path.GetExtension(path[..^Suffix.Length]).TrimStart('.'), out _);

    /// <summary>Writes text as UTF-8.</summary>
    public static void WriteText(string path, string text) => Write(path, stream =>
    {
        using var writer = new StreamWriter(stream, leaveOpen: true);
        writer.Write(text);
    });

    // .NET opens no folders. NTFS journals names itself; where flushing a folder is not supported (some network drives) the rename alone must do.
    private static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) return;
        var descriptor = Open(folder, flags: 0);
        if (descriptor < 0) return;
        _ = FSync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
