using System.Diagnostics;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Adjoint.Tests.Documentation;

namespace Adjoint.SystemTests;

/// <summary>
/// The way of somebody who has only the README: its lines, in a folder outside of this tree, with packages from a
/// folder that a step of .ci/run names in ADJOINT_PACKAGES, and nothing that was restored before.
/// </summary>
public sealed partial class NewcomerTests : IDisposable
{
    private readonly string home = Directory.CreateTempSubdirectory("adjoint-newcomer-").FullName;

    public void Dispose() => Directory.Delete(home, recursive: true);

    [Fact]
    public void The_lines_of_the_README_lead_to_a_trained_network()
    {
        var page = new Page("README.md");
        var (code, _, printed) = Assert.Single(page.Snippets);
        var commands = page.Commands.ToArray();
        var pack = Assert.Single(commands, line => line.StartsWith("dotnet pack", StringComparison.Ordinal));
        Assert.Contains("src/Packages.slnf", pack, StringComparison.Ordinal);
        var folder = Begin("first", commands);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), code);
        Assert.Equal(printed, Shell(folder, "dotnet run"));
    }

    [Fact]
    public void A_program_with_default_settings_reads_digits()
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_DATA") is not { Length: > 0 })
            Assert.Skip("skipped: it needs MNIST; set ADJOINT_DATA to a folder that has it");
        var page = new Page("docs/packages.md");
        var block = Assert.Single(page.Blocks, block => block.Language == "csharp");
        var folder = Begin("digits", new Page("README.md").Commands);
        File.WriteAllText(Path.Combine(folder, "Program.cs"), block.Body);
        Shell(folder, "dotnet build -c Release");
        var output = Shell(folder, "dotnet run -c Release --no-build");
        TestContext.Current.TestOutputHelper!.WriteLine(output);
        var epochs = Epoch().Matches(output);
        Assert.Equal(3, epochs.Count);
        Assert.InRange(double.Parse(epochs[^1].Groups[2].ValueSpan), 0.97, 1);
        // Tiers: slow code that stays would show as seconds. How fast is measured by the benchmark `tiering`.
        Assert.InRange(int.Parse(FirstStep().Match(output).Groups[1].ValueSpan), 0, 5000);
    }

    // A new project with the feed and the package, by the README's own lines.
    private string Begin(string name, IEnumerable<string> commands)
    {
        var packages = Environment.GetEnvironmentVariable("ADJOINT_PACKAGES");
        if (string.IsNullOrEmpty(packages))
            Assert.Skip("skipped: a step of .ci/run; set ADJOINT_PACKAGES to a folder of packages to run it");
        // Where this user's packages come from, without what else this user's settings say.
        var settings = Path.Combine(home, ".nuget", "NuGet", "NuGet.Config");
        Directory.CreateDirectory(Path.GetDirectoryName(settings)!);
        var source = new XElement("add", new XAttribute("key", "others"), new XAttribute("value", Source()));
        new XElement("configuration", new XElement("packageSources", source)).Save(settings);

        var folder = Path.Combine(home, name);
        Directory.CreateDirectory(folder);
        var lines = commands.ToArray();
        foreach (var beginning in (string[])["dotnet nuget add source", "dotnet new console", "dotnet add package"])
        {
            var line = Assert.Single(lines, line => line.StartsWith(beginning, StringComparison.Ordinal));
            Shell(folder, line.Replace("$PWD/artifacts/packages", packages, StringComparison.Ordinal));
        }
        // Compiled with this version and no other, as the lock of its restore says.
        Assert.Contains($"\"Adjoint/{LibraryVersion.Text}\"",
            File.ReadAllText(Path.Combine(folder, "obj", "project.assets.json")), StringComparison.Ordinal);
        return folder;
    }

    private static string Source()
    {
        string[] list = ["nuget", "list", "source", "--format", "short"];
        using var process = Process.Start(new ProcessStartInfo("dotnet", list) { RedirectStandardOutput = true })!;
        var lines = process.StandardOutput.ReadToEnd().Split('\n');
        process.WaitForExit();
        return lines.First(line => line.StartsWith("E ", StringComparison.Ordinal))[2..].Trim();
    }

    private string Shell(string folder, string command)
    {
        var start = new ProcessStartInfo("bash", ["-c", command])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = home;
        start.Environment["DOTNET_CLI_HOME"] = home;
        start.Environment["NUGET_PACKAGES"] = Path.Combine(home, "packages");
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment.Remove("DOTNET_TieredCompilation");
        start.Environment.Remove("DOTNET_TieredPGO");
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{command}: {output}{error.Result}");
        return output;
    }

    [GeneratedRegex(@"(?m)^first step: (\d+) ms$")]
    private static partial Regex FirstStep();

    [GeneratedRegex(@"(?m)^epoch (\d): [\d.]+ s, accuracy ([\d.]+)$")]
    private static partial Regex Epoch();
}
