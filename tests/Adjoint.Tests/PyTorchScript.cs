using System.Diagnostics;

namespace Adjoint.Tests;

/// <summary>Debian's PyTorch as an oracle, where it is installed.</summary>
internal static class PyTorchScript
{
    private const string Python = "/usr/bin/python3";

    /// <summary>What a script prints; skips the test where there is no PyTorch to run it.</summary>
    internal static async Task<string[]> LinesOf(string script)
    {
        if (!File.Exists(Python)) Assert.Skip($"skipped: no {Python}");
        var start = new ProcessStartInfo(Python, [script])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var text = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        if ((await errors).Contains("No module named 'torch'", StringComparison.Ordinal))
            Assert.Skip("skipped: no python3-torch");
        return text.TrimEnd().Split('\n');
    }
}
