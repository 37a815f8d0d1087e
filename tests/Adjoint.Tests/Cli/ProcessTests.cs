using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Adjoint.Cli;

namespace Adjoint.Tests.Cli;

/// <summary>What only a process of its own shows: signals, closed pipes.</summary>
public sealed partial class ProcessTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Ctrl_C_finishes_the_step_keeps_what_it_has_and_exits_with_130()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("signals are sent as on Unix");
        var path = Path.Combine(folder, "run");
        using var process = Start("train", "--epochs", "100000", "--out", path, "--json");
        while (process.StandardError.ReadLine() is { } line && !line.Contains("epoch   2/", StringComparison.Ordinal)) { }
        Assert.Equal(0, Kill(process.Id, 2));
        var rest = process.StandardError.ReadToEndAsync();
        var result = JsonDocument.Parse(process.StandardOutput.ReadToEnd()).RootElement;
        Assert.True(process.WaitForExit(30_000));
        Assert.Equal(130, process.ExitCode);
        Assert.True(result.GetProperty("epochs").GetArrayLength() >= 3);
        Assert.Equal(["best.safetensors", "checkpoint-00000001.safetensors", "last.safetensors", "metrics.jsonl", "report.html", "settings.json"], Directory.GetFiles(path).Select(Path.GetFileName).Order());
        Assert.DoesNotContain("   at ", await rest, StringComparison.Ordinal);
        Assert.Contains($"to go on: adjoint train --resume {path}", await rest, StringComparison.Ordinal);
    }

    [Fact]
    public void Stdout_closed_early_is_no_crash()
    {
        using var process = Start("ops");
        process.StandardOutput.Close();
        var error = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(30_000));
        Assert.Equal((0, ""), (process.ExitCode, error));
    }

    [Fact]
    public void Help_names_every_option_of_train()
    {
        using var process = Start("train", "--help");
        var help = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        foreach (var option in (string[])["--dataset", "--hidden", "--layers", "--activation", "--batch-size", "--epochs", "--lr", "--optimizer", "--momentum", "--loss-reduction", "--seed", "--threads", "--data-dir", "--out", "--final", "--quiet", "--json"])
            Assert.Contains(option, help, StringComparison.Ordinal);
    }

    private static Process Start(params string[] args) =>
        Process.Start(new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
