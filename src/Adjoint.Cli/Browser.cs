using System.ComponentModel;
using System.Diagnostics;
using Adjoint.Experiments;

namespace Adjoint.Cli;

/// <summary>Opens pages in the user's browser.</summary>
internal static class Browser
{
    /// <summary>Opens an address or a file; where that cannot be done, says so in one line.</summary>
    internal static void Open(string target, TextWriter error)
    {
        if (!TryOpen(target))
            error.WriteLine($"--open: no browser could be started here; open {Printable.Line(target)} yourself");
    }

    private static bool TryOpen(string target)
    {
        // Without a display a starter of programs would fail later, and talk on this terminal.
        string[] displays = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"];
        var named = displays.Select(Environment.GetEnvironmentVariable);
        if (OperatingSystem.IsLinux() && named.All(string.IsNullOrEmpty)) return false;
        try
        {
            var start = OperatingSystem.IsLinux()
                ? new ProcessStartInfo("xdg-open", [target])
                : new ProcessStartInfo(target) { UseShellExecute = true };
            start.RedirectStandardOutput = start.RedirectStandardError = OperatingSystem.IsLinux();
            using var process = Process.Start(start);
            // A starter that fails does so at once; one that shows the page itself goes on.
            return process is null || !process.WaitForExit(2000) || process.ExitCode == 0;
        }
        catch (Exception problem)
            when (problem is Win32Exception or PlatformNotSupportedException or InvalidOperationException)
        {
            return false;
        }
    }
}
