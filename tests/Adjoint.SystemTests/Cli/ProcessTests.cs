using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.SystemTests.Cli;

/// <summary>What only a process of its own shows: signals, closed pipes.</summary>
public sealed partial class ProcessTests : IDisposable
{
    private const string Script = "/usr/bin/script";
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Ctrl_C_finishes_the_step_keeps_what_it_has_and_exits_with_130()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: signals are sent as on Unix");
        var path = Path.Combine(folder, "run");
        using var process = Start("train", "--epochs", "100000", "--out", path, "--json");
        while (process.StandardError.ReadLine() is { } line
            && !line.Contains("epoch   2/", StringComparison.Ordinal)) { }
        Assert.Equal(0, Kill(process.Id, 2));
        var rest = process.StandardError.ReadToEndAsync();
        var result = JsonDocument.Parse(process.StandardOutput.ReadToEnd()).RootElement;
        Assert.True(process.WaitForExit(30_000));
        Assert.Equal(130, process.ExitCode);
        Assert.True(result.GetProperty("epochs").GetArrayLength() >= 3);
        Assert.Equal(["best.safetensors", "checkpoint-00000001.safetensors", "last.safetensors", "metrics.jsonl",
            "report.html", "settings.json", "steps.jsonl"], Directory.GetFiles(path).Select(Path.GetFileName).Order());
        Assert.DoesNotContain("   at ", await rest, StringComparison.Ordinal);
        Assert.Contains($"to go on: adjoint train --resume {path}", await rest, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ctrl_C_ends_a_text_that_is_being_generated_with_130()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: signals are sent as on Unix");
        var path = Path.Combine(folder, "best.safetensors");
        new LstmLanguageModel(256, 4, 1, generator: new Generator(1))
            .Save(path, new() { Preprocessing = new ByteText() });
        using var process = Start("sample", folder, "--prompt", "ab", "--tokens", "100000000");
        // The prompt comes first, then each token as it is drawn.
        var begin = new char[64];
        Assert.Equal(64, await process.StandardOutput.ReadBlockAsync(begin));
        Assert.StartsWith("ab", new string(begin), StringComparison.Ordinal);
        Assert.Equal(0, Kill(process.Id, 2));
        var rest = await process.StandardOutput.ReadToEndAsync();
        Assert.EndsWith("\n", rest, StringComparison.Ordinal);
        Assert.Equal("", await process.StandardError.ReadToEndAsync());
        Assert.True(process.WaitForExit(30_000));
        Assert.Equal(Tool.Interrupted, process.ExitCode);
    }

    [Fact]
    public void Messages_that_cannot_be_written_end_no_run()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("skipped: a device that is always full, as on Linux");
        var path = Path.Combine(folder, "run");
        var command = $"exec dotnet {typeof(Tool).Assembly.Location} train --epochs 0 --data-share 0.01 --out {path} "
            + "2>/dev/full";
        using var process = Process.Start("bash", ["-c", command]);
        Assert.True(process.WaitForExit(60_000));
        Assert.Equal(0, process.ExitCode);
        Assert.True(File.Exists(Path.Combine(path, "report.html")));
    }

    [Fact]
    public async Task The_test_set_is_not_measured_after_Ctrl_C_but_when_the_run_goes_on_to_its_end()
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: signals are sent as on Unix");
        TinyMnist.Write(folder);
        var path = Path.Combine(folder, "run");
        string[] data = ["--dataset", "mnist", "--data-dir", folder];
        string[] settings = ["--hidden", "8", "--batch-size", "1", "--epochs", "40"];
        using (var process = Start(["train", .. data, .. settings, "--final", "--out", path, "--json"]))
        {
            while (process.StandardError.ReadLine()?.StartsWith("epoch   1/", StringComparison.Ordinal) == false) { }
            Assert.Equal(0, Kill(process.Id, 2));
            var error = process.StandardError.ReadToEndAsync();
            var output = await process.StandardOutput.ReadToEndAsync();
            Assert.DoesNotContain("test", output, StringComparison.Ordinal);
            await process.WaitForExitAsync();
            Assert.Equal(Tool.Interrupted, process.ExitCode);
            Assert.DoesNotContain("test accuracy", await error, StringComparison.Ordinal);
        }
        foreach (var name in (string[])["metrics.jsonl", "report.html"])
            Assert.DoesNotMatch("testAccuracy|test accuracy", File.ReadAllText(Path.Combine(path, name)));
        // Neither --final nor --data-dir is said again.
        var (code, result, _) = ToolRun.Of("train", "--resume", path, "--json", "--quiet");
        Assert.Equal(0, code);
        Assert.True(JsonDocument.Parse(result).RootElement.GetProperty("testAccuracy").GetDouble() > 0);
        Assert.Single(Regex.Matches(File.ReadAllText(Path.Combine(path, "metrics.jsonl")), "testAccuracy"));
        Assert.Matches("test accuracy of the best model", File.ReadAllText(Path.Combine(path, "report.html")));
    }

    [Theory]
    [InlineData("xterm-256color", false)]
    [InlineData("xterm-256color", true)]
    [InlineData("dumb", false)]
    public async Task On_thirty_columns_nothing_live_folds_and_Ctrl_C_takes_the_line_away(string terminal, bool isPlain)
    {
        if (!File.Exists(Script) || OperatingSystem.IsMacOS()) Assert.Skip("skipped: no script, which makes terminals");
        var path = Path.Combine(folder, "run");
        var tool = $"dotnet {typeof(Tool).Assembly.Location}";
        var command = $"stty cols 30 rows 20; {tool} train --epochs 100000 --out {path}";
        var start = new ProcessStartInfo(Script, ["-qefc", command, "/dev/null"]);
        start.RedirectStandardInput = start.RedirectStandardOutput = true;
        start.Environment["TERM"] = terminal;
        start.Environment.Remove("NO_COLOR");
        if (isPlain) start.Environment["NO_COLOR"] = "1";
        using var process = Process.Start(start)!;
        var shown = new StringBuilder();
        var buffer = new char[4096];
        var isTold = false;
        while (await process.StandardOutput.ReadAsync(buffer) is > 0 and var read)
        {
            shown.Append(buffer, 0, read);
            if (isTold || !Bar().IsMatch(shown.ToString())) continue;
            isTold = true;
            await process.StandardInput.WriteAsync('\x03');
            await process.StandardInput.FlushAsync();
        }
        await process.WaitForExitAsync();
        var text = shown.ToString();
        Assert.Equal(Tool.Interrupted, process.ExitCode);
        if (terminal == "dumb") Assert.DoesNotContain('\e', text);
        if (isPlain) Assert.DoesNotMatch(@"\e\[[0-9;]*m", text);
        var all = Codes().Replace(text, "").Split('\r', '\n');
        var rows = all.Where(row => row.StartsWith("epoch", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.True(row.Replace("^C", "", StringComparison.Ordinal).Length <= 29, row));
        // What follows begins on a row of its own.
        var at = text.IndexOf("best validation accuracy", StringComparison.Ordinal);
        Assert.Matches(@"(\r *\r|\r\e\[K|\n)$", text[..at]);
        Assert.Contains($"adjoint train --resume {path}", text, StringComparison.Ordinal);
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
        foreach (var option in (string[])["--dataset", "--hidden", "--layers", "--activation", "--batch-size",
            "--epochs", "--lr", "--optimizer", "--momentum", "--loss-reduction", "--seed", "--threads", "--data-dir",
            "--out", "--final", "--quiet", "--json"])
            Assert.Contains(option, help, StringComparison.Ordinal);
    }

    [Fact]
    public void Out_of_memory_is_one_line()
    {
        // Eighty megabytes of black pixels in a file of eighty kilobytes, for a process that may have sixty-four.
        var path = Path.Combine(folder, "train-images-idx3-ubyte.gz");
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            gzip.Write([0, 0, 8, 3, 0, 1, 134, 160, 0, 0, 0, 28, 0, 0, 0, 28]);
            for (var image = 0; image < 100_000; image++) gzip.Write(new byte[28 * 28]);
        }
        File.WriteAllBytes(Path.Combine(folder, "train-labels-idx1-ubyte"),
            [0, 0, 8, 1, 0, 1, 134, 160, .. new byte[100_000]]);
        var start = new ProcessStartInfo("dotnet",
            [typeof(Tool).Assembly.Location, "data", "verify", "mnist", "--data-dir", folder])
        {
            RedirectStandardError = true,
            Environment = { ["DOTNET_GCHeapHardLimit"] = "0x4000000" },
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        Assert.StartsWith("adjoint: out of memory; ", Assert.Single(error.TrimEnd().Split('\n')),
            StringComparison.Ordinal);
    }

    [GeneratedRegex("epoch +[1-9][0-9]*/100000 (#|\e)")]
    private static partial Regex Bar();

    [GeneratedRegex(@"\e\[[0-9;?]*[A-Za-z]")]
    private static partial Regex Codes();

    private static Process Start(params string[] args) =>
        Process.Start(new ProcessStartInfo("dotnet", [typeof(Tool).Assembly.Location, .. args])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
