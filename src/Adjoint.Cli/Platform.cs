using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Adjoint.Cli;

/// <summary>
/// Everything in the tool that differs by operating system. The library has its own in
/// <c>src/Adjoint/Data/Platform.cs</c>; <c>docs/portability.md</c> says what was run where.
/// </summary>
internal static class Platform
{
    /// <summary>The columns of the terminal; null where there is none, or it does not tell.</summary>
    internal static int? ConsoleWidth
    {
        get
        {
            try
            {
                // Unix says 0 for a terminal of unknown size; Windows throws where output is no console.
                return Console.WindowWidth is > 0 and var width ? width : null;
            }
            catch (Exception problem) when (problem is IOException or PlatformNotSupportedException)
            {
                return null;
            }
        }
    }

    /// <summary>The rows of the terminal; null where there is none, or it does not tell.</summary>
    internal static int? ConsoleHeight
    {
        get
        {
            try
            {
                return Console.WindowHeight is > 0 and var height ? height : null;
            }
            catch (Exception problem) when (problem is IOException or PlatformNotSupportedException)
            {
                return null;
            }
        }
    }

    /// <summary>
    /// The cores that this process may run on, as the system lists them; empty where it does not tell.
    /// </summary>
    internal static string AllowedCores
    {
        get
        {
            const string status = "/proc/self/status", key = "Cpus_allowed_list:";
            return !File.Exists(status) ? ""
                : File.ReadLines(status).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))
                    ?[key.Length..].Trim() ?? "";
        }
    }

    /// <summary>
    /// The program of Linux that starts another one out of reach of the terminal's Ctrl-C; null where there is none.
    /// </summary>
    internal static string? Setsid =>
        ((string[])["/usr/bin/setsid", "/bin/setsid"]).FirstOrDefault(File.Exists);

    /// <summary>Calls back on Ctrl-C and on a request to terminate, until it is disposed.</summary>
    /// <param name="goesOn">Answers whether the process goes on; otherwise it ends at once.</param>
    // Unix: SIGINT and SIGTERM. .NET maps Windows' Ctrl-C to the first and a shutdown to the second. A closed window
    // (SIGHUP) ends the process on all of them; a run goes on from its last checkpoint.
    internal static IDisposable OnStop(Func<bool> goesOn)
    {
        void Stop(PosixSignalContext context) => context.Cancel = goesOn();
        return new Registrations(
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop));
    }

    /// <summary>Opens an address or a file in the program that the user has chosen for it.</summary>
    /// <returns>Whether it could be started.</returns>
    internal static bool TryOpen(string target)
    {
        // Without a display, a starter of programs on Linux would fail later, and talk on this terminal.
        string[] displays = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"];
        var named = displays.Select(Environment.GetEnvironmentVariable);
        if (OperatingSystem.IsLinux() && named.All(string.IsNullOrEmpty)) return false;
        try
        {
            // Windows' shell and macOS' `open` are what .NET's own shell start calls, and print nothing.
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

    private sealed class Registrations(params PosixSignalRegistration[] all) : IDisposable
    {
        public void Dispose()
        {
            foreach (var one in all) one.Dispose();
        }
    }
}
