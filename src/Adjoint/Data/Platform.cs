using System.Runtime.InteropServices;

namespace Adjoint.Data;

/// <summary>
/// Everything in the library that differs by operating system. The command-line tool has its own in
/// <c>src/Adjoint.Cli/Platform.cs</c>; <c>docs/portability.md</c> says what was run where.
/// </summary>
internal static partial class Platform
{
    /// <summary>
    /// The folder for what can be fetched again: <c>%LOCALAPPDATA%</c> on Windows, <c>~/Library/Caches</c> on macOS,
    /// <c>~/.cache</c> elsewhere. <c>XDG_CACHE_HOME</c> overrides it on every system.
    /// </summary>
    internal static string CacheFolder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } chosen) return chosen;
            if (OperatingSystem.IsWindows())
                return Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Caches") : Path.Combine(home, ".cache");
        }
    }

    /// <summary>Whether shells take the backslash as an ordinary character and know only double quotes.</summary>
    // cmd.exe and PowerShell against sh and what descends from it.
    internal static bool HasWindowsShell => OperatingSystem.IsWindows();

    /// <summary>
    /// Whether a path names a pipe, a socket, a terminal or a device. Never waits for the other end of a pipe. A path
    /// that cannot be opened is none: whoever opens it next says why.
    /// </summary>
    internal static bool IsPipeOrDevice(string path)
    {
        // Windows keeps its pipes in \\.\pipe and its devices under reserved names: File.Open refuses both.
        if (OperatingSystem.IsWindows()) return false;
        // O_NONBLOCK: 04000 in Linux's generic ABI (x86, ARM, RISC-V), 4 on macOS and the BSDs.
        var descriptor = Open(path, OperatingSystem.IsLinux() ? 0x800 : 0x4);
        if (descriptor < 0) return false;
        // Only files have positions: seeking a pipe, socket or terminal fails, /dev/zero and the like stay at 0.
        var isSpecial = Seek(descriptor, 1, 0) != 1;
        _ = Close(descriptor);
        return isSpecial;
    }

    /// <summary>Flushes a folder to disk, so that a file's new name in it survives a power cut.</summary>
    internal static void FlushFolder(string folder)
    {
        // NTFS journals names itself, and Windows opens no folder for flushing.
        if (OperatingSystem.IsWindows()) return;
        // .NET opens no folders. Where flushing one is not supported (some network drives) the rename alone must do.
        var descriptor = Open(folder, flags: 0);
        if (descriptor < 0) return;
        _ = FSync(descriptor);
        _ = Close(descriptor);
    }

    /// <summary>
    /// Gives a file a new name that nobody else has. Of several processes that try, on any machine that shares the
    /// folder, one alone succeeds.
    /// </summary>
    /// <returns>
    /// Whether it was given; null where the file system cannot tell without replacing another's file.
    /// </returns>
    internal static bool? TryName(string path, string name)
    {
        // Windows' own move does not replace. That of .NET on Unix looks first and then renames, and a rename replaces
        // what another process made in between; a link never does, on network file systems as well.
        if (OperatingSystem.IsWindows())
        {
            File.Move(path, name, overwrite: false);
            return true;
        }
        const int exists = 17;
        if (Link(path, name) == 0) return true;
        return Marshal.GetLastPInvokeError() == exists ? false : null;
    }

    /// <summary>Sleeps for a tenth of a millisecond, or as little as the system can.</summary>
    internal static void SleepBriefly()
    {
        // .NET sleeps for whole milliseconds, as Windows does.
        if (OperatingSystem.IsWindows()) Thread.Sleep(1);
        else _ = SleepMicroseconds(100);
    }

    [LibraryImport("libc", EntryPoint = "usleep")]
    private static partial int SleepMicroseconds(uint time);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string path, string name);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "lseek")]
    private static partial nint Seek(int descriptor, nint offset, int whence);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
