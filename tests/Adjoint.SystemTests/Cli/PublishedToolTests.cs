using System.Diagnostics;
using System.Text.Json;
using Adjoint.Tests.Formats;

namespace Adjoint.SystemTests.Cli;

/// <summary>
/// The tool as people get it, compiled ahead of time or installed from its package: whatever reflection, resources and
/// files it needs are there. Steps of .ci/run name the program in ADJOINT_TOOL.
/// </summary>
public sealed class PublishedToolTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-published-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void It_tells_its_version() =>
        Assert.Matches(@"^[0-9]+\.[0-9]+\.[0-9]+(-alpha\.0(\.[0-9]+)?)?(\+[0-9a-f]{40})?\n$", Run("--version"));

    // Figures in the report are OxyPlot's, tables in the terminal Spectre.Console's.
    [Fact]
    public void It_trains_reports_lists_and_compares()
    {
        foreach (var seed in new[] { "1", "2" })
        {
            var run = JsonDocument.Parse(Run("train", "--epochs", "2", "--data-share", "0.2", "--seed", seed,
                "--out", $"runs/{seed}", "--json")).RootElement;
            Assert.InRange(run.GetProperty("best").GetProperty("validationAccuracy").GetDouble(), 0.7, 1);
            var report = File.ReadAllText(Path.Combine(folder, "runs", seed, "report.html"));
            Assert.Contains("<svg", report, StringComparison.Ordinal);
            Assert.Contains("polyline", report, StringComparison.Ordinal);
        }
        Assert.Matches("(?m)^1 .*synth.*\n2 .*synth", Run("runs"));
        Assert.Contains("seed", Run("compare", "runs/1", "runs/2"), StringComparison.Ordinal);
        Run("compare", "runs/1", "runs/2", "--html", "comparison.html");
        Assert.Contains("<svg", File.ReadAllText(Path.Combine(folder, "comparison.html")), StringComparison.Ordinal);
        Assert.Contains("accuracy", Run("evaluate", "runs/1", "--data", "synth", "--part", "validation"),
            StringComparison.Ordinal);
    }

    // Parquet.Net builds types at run time for objects, which are not what is read here.
    [Fact]
    public async Task It_learns_from_a_Parquet_file_and_predicts_the_rows_of_a_table()
    {
        await ParquetFileTests.Write(Path.Combine(folder, "cars.parquet"), groups: 20);
        Run("train", "--data", "cars.parquet", "--target", "f", "--epochs", "1", "--out", "run");
        File.WriteAllText(Path.Combine(folder, "cars.csv"),
            "n,x,spam,maker,sold,cost,id\n1,1.5,true,BMW,2024-03-31,1.25,7\n2,,false,Kia,2024-01-31,100,8\n");
        var rows = Run("predict", "run", "cars.csv").TrimEnd().Split('\n');
        Assert.Equal(3, rows.Length);
        Assert.All(rows[1..], row => Assert.Matches("-?[0-9]", row));
    }

    [Fact]
    public void It_runs_an_experiment()
    {
        File.WriteAllText(Path.Combine(folder, "sweep.json"), """
            { "name": "sweep", "settings": { "hidden": "4", "epochs": 1, "data-share": 0.02 },
              "factors": { "activation": ["sigmoid", "relu"] }, "seeds": 2, "measure": "final-accuracy",
              "claims": [{ "text": "ReLU is better", "higher": "relu", "than": "sigmoid" }] }
            """);
        Assert.Equal("results/report.html\n", Run("experiment", "run", "sweep.json", "--out", "results"));
        var report = File.ReadAllText(Path.Combine(folder, "results", "report.html"));
        Assert.All((string[])["ReLU is better", "<svg"],
            part => Assert.Contains(part, report, StringComparison.Ordinal));
    }

    [Fact]
    public void It_prints_formulas_and_writes_a_project()
    {
        Assert.Contains("z = x / y", Run("ops"), StringComparison.Ordinal);
        Run("new", "cars");
        Assert.True(File.Exists(Path.Combine(folder, "cars", "app", "cars.csproj")));
        Assert.Equal("Adjoint.Formats", LibraryPackage(File.ReadAllText(
            Path.Combine(folder, "cars", "app", "cars.csproj"))));

        static string LibraryPackage(string project) => project.Split("PackageReference Include=\"")[1].Split('"')[0];
    }

    // The server is ASP.NET's, pages and op cards are resources.
    [Fact]
    public async Task It_serves_the_explorers_page()
    {
        using var process = Process.Start(Start("explore"))!;
        try
        {
            var address = await process.StandardOutput.ReadLineAsync();
            Assert.StartsWith("http://", address, StringComparison.Ordinal);
            using var client = new HttpClient();
            var page = await client.GetStringAsync(address);
            Assert.Contains("<script", page, StringComparison.Ordinal);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
    }

    [Fact]
    public void Wrong_usage_is_one_line_and_exits_with_2()
    {
        using var process = Process.Start(Start("train", "--epoch", "3"))!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(2, process.ExitCode);
        Assert.Contains("--epochs", Assert.Single(error.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    private string Run(params string[] arguments)
    {
        using var process = Process.Start(Start(arguments))!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', arguments)}: {output}{error.Result}");
        return output;
    }

    private ProcessStartInfo Start(params string[] arguments)
    {
        var tool = Environment.GetEnvironmentVariable("ADJOINT_TOOL");
        if (string.IsNullOrEmpty(tool))
            Assert.Skip("skipped: a step of .ci/run; set ADJOINT_TOOL to a published tool to run it");
        return new(tool!, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }
}
