namespace Adjoint.Mpi;

/// <summary>The files, sockets and pipes that this process has open.</summary>
internal static class OpenFiles
{
    /// <summary>Their numbers; none where the system does not tell: only Linux does, where /proc is mounted.</summary>
    internal static IReadOnlyList<int> Numbers()
    {
        if (!OperatingSystem.IsLinux()) return [];
        try
        {
            return [.. Directory.GetFileSystemEntries("/proc/self/fd")
                .Select(file => int.TryParse(Path.GetFileName(file), out var number) ? number : -1)
                .Where(number => number >= 0)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
