using System.Diagnostics;

namespace Adjoint.SystemTests;

/// <summary>The command <c>dotnet</c>.</summary>
internal static class Dotnet
{
    /// <summary>Runs it to its end; returns what it printed.</summary>
    internal static string Run(params string[] arguments) => RunIn("", arguments);

    /// <summary>Runs it in a folder to its end; returns what it printed.</summary>
    internal static string RunIn(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)}: {output} {error.Result}");
        return output;
    }
}
