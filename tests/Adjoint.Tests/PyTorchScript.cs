using System.Diagnostics;

namespace Adjoint.Tests;

/// <summary>Debian's PyTorch and protobuf library for Python as oracles, where they are installed.</summary>
internal static class PyTorchScript
{
    private const string Python = "/usr/bin/python3";

    /// <summary>What a script prints; skips the test where there is no library to run it with.</summary>
    internal static async Task<string[]> LinesOf(string script, params string[] arguments)
    {
        if (!File.Exists(Python)) Assert.Skip($"skipped: no {Python}");
        var start = new ProcessStartInfo(Python, [script, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var text = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var problem = await errors;
        foreach (var (module, package) in new[] { ("torch", "torch"), ("google", "protobuf") })
            if (problem.Contains($"No module named '{module}", StringComparison.Ordinal))
                Assert.Skip($"skipped: no python3-{package}");
        return text.TrimEnd().Split('\n');
    }
}
