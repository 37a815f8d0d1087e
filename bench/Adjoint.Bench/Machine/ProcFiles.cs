using System.Globalization;

namespace Adjoint.Bench;

/// <summary>What Linux tells of processes under <c>/proc</c>; other systems have no such files.</summary>
internal static class ProcFiles
{
    /// <summary>Minor page faults of this process so far; 0 on other systems.</summary>
    internal static long PageFaults => File.Exists("/proc/self/stat")
        ? long.Parse(File.ReadAllText("/proc/self/stat").Split(')')[1].Split(' ')[8], CultureInfo.InvariantCulture)
        : 0;

    /// <summary>A size of this process in bytes, such as <c>VmRSS</c>; null on other systems.</summary>
    internal static long? Bytes(string key)
    {
        if (!File.Exists("/proc/self/status")) return null;
        var line = File.ReadLines("/proc/self/status").First(text => text.StartsWith(key, StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(':')[1].Replace("kB", "", StringComparison.Ordinal),
            CultureInfo.InvariantCulture);
    }

    /// <summary>Whether a thread of a process is running now; null on other systems.</summary>
    internal static bool? IsRunning(int process)
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            // "4711 (name of the thread) R …"
            return Directory.EnumerateDirectories($"/proc/{process}/task")
                .Select(task => File.ReadAllText(Path.Combine(task, "stat")))
                .Any(stat => stat.AsSpan(stat.LastIndexOf(')') + 2).StartsWith("R"));
        }
        catch (IOException)
        {
            // A thread, or the process, ended in the middle.
            return false;
        }
    }
}
