using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Adjoint.Cli;

namespace Adjoint.Tests;

/// <summary>What the pages and samples show is run.</summary>
public sealed partial class DocumentationTests : IDisposable
{
    private const string Mark = "——";
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("course"), InlineData("from-vugrad"), InlineData("memory"), InlineData("images"), InlineData("threads"),
        InlineData("modules"), InlineData("element-types")]
    public void A_page_prints_what_it_says(string page)
    {
        var text = File.ReadAllText(Path.Combine(LayeringTests.Root(), "docs", page + ".md"));
        var blocks = Example().Matches(text);
        Assert.Equal(Regex.Count(text, "```csharp"), blocks.Count);
        var program = new StringBuilder($"#:project {Path.Combine(LayeringTests.Root(), "src", "Adjoint", "Adjoint.csproj")}\nusing Adjoint;\n");
        foreach (Match block in blocks) program.Append(block.Groups["code"].Value).Append($"Console.WriteLine(\"{Mark}\");\n");
        var path = Path.Combine(folder, page + ".cs");
        File.WriteAllText(path, program.ToString());
        Assert.Equal(string.Concat(blocks.Select(block => block.Groups["output"].Value + Mark + "\n")), Run(path));
    }

    [Fact]
    public void Snippets_of_the_README_compile_and_run_in_a_new_project()
    {
        var snippets = Snippet().Matches(File.ReadAllText(Path.Combine(LayeringTests.Root(), "README.md")));
        Assert.Equal(3, snippets.Count);
        // What `dotnet new console` makes, with the library; a program for each snippet, all in one build.
        var library = Path.GetDirectoryName(typeof(Tensor).Assembly.Location)!;
        File.WriteAllText(Path.Combine(folder, "readme.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="{Path.Combine(library, "Adjoint.dll")}" />
                <Reference Include="{Path.Combine(library, "Adjoint.Kernels.dll")}" />
              </ItemGroup>
            </Project>
            """);
        for (var i = 0; i < snippets.Count; i++)
        {
            var lines = snippets[i].Groups["code"].Value.Split('\n');
            var (head, body) = (lines.TakeWhile(line => line.StartsWith("using ", StringComparison.Ordinal)),
                lines.SkipWhile(line => line.StartsWith("using ", StringComparison.Ordinal)));
            File.WriteAllText(Path.Combine(folder, $"Snippet{i}.cs"),
                $"{string.Join('\n', head)}\nstatic class Snippet{i} {{ internal static void Run() "
                + $"{{\n{string.Join('\n', body)}\n}} }}\n");
        }
        File.WriteAllText(Path.Combine(folder, "Program.cs"),
            string.Concat(Enumerable.Range(0, snippets.Count).Select(i => $"Snippet{i}.Run();\n")));
        var output = Run("--project", Path.Combine(folder, "readme.csproj"));
        Assert.Contains("Divide", output, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^9[0-9]\.[0-9] % right after one epoch$", output);
    }

    [Theory]
    [InlineData("README.md"), InlineData("docs/experiments.md"), InlineData("docs/explorer.md"),
        InlineData("docs/images.md"), InlineData("docs/from-vugrad.md")]
    public void The_tool_takes_the_commands_that_a_page_shows(string page)
    {
        var text = string.Concat(Shell().Matches(File.ReadAllText(Path.Combine(LayeringTests.Root(),
            page))).Select(block => block.Groups["lines"].Value)).Replace("\\\n", " ", StringComparison.Ordinal);
        var commands = text.Split('\n').Where(line =>
            line.StartsWith("adjoint ", StringComparison.Ordinal)).Select(line =>
            line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..]).ToArray();
        Assert.NotEmpty(commands);
        foreach (var command in commands)
        {
            Assert.Empty(Tool.Commands(TextWriter.Null, TextWriter.Null).Parse(command).Errors);
            // Settings are judged before data are looked for.
            if (command[0] != "train" || !command.Contains("--dataset")) continue;
            using var error = new StringWriter();
            Assert.Equal((Tool.Failure, true), (Tool.Run([.. command, "--data-dir", folder], TextWriter.Null, error),
                error.ToString().Contains("adjoint data fetch", StringComparison.Ordinal)));
        }
    }

    [Theory]
    [InlineData("first-gradient", "[[-0.2500, -0.1250],\n [-0.1200, -0.0625]]")]
    [InlineData("own-op", "agrees with finite differences\ncaptured: the same bits")]
    [InlineData("own-primitive", "agrees with finite differences\ncaptured: the same bits")]
    [InlineData("own-optimizer", "agrees with the plain loop, captured too")]
    [InlineData("own-module", "right: 100 %\nthe state in float64")]
    [InlineData("own-view", "agrees with finite differences\ncaptured: the same bits")]
    [InlineData("own-initializer",
        "length behind 50 layers: 1.0000 times that before\nthe filters are orthonormal")]
    [InlineData("own-schedule", "step 100: rate 0.0200\nstep 400: rate 0.0100\nbest: epoch")]
    [InlineData("explore", "graph.html")]
    [InlineData("plain-training-loop", "epoch 5: validation accuracy 9")]
    [InlineData("trainer", "validation accuracy 99")]
    [InlineData("web-service",
        "64 requests at once: the bits of one after the other\nmeanwhile the next model learned")]
    public void A_sample_runs(string sample, string expected) =>
        Assert.Contains(expected, Run(Path.Combine(LayeringTests.Root(), "samples", sample + ".cs")), StringComparison.Ordinal);

    [Fact]
    public void Every_sample_is_run()
    {
        var listed = typeof(DocumentationTests).GetMethod(nameof(A_sample_runs))!.GetCustomAttributes(typeof(InlineDataAttribute), false).Cast<InlineDataAttribute>().Select(row => $"{row.Data[0]}.cs");
        Assert.Equal(listed.Order(), Directory.GetFiles(Path.Combine(LayeringTests.Root(), "samples"), "*.cs").Select(Path.GetFileName).Order());
    }

    [Theory, InlineData("README.md"), InlineData("docs/course.md"), InlineData("docs/from-vugrad.md")]
    [InlineData("docs/memory.md"), InlineData("docs/threads.md"), InlineData("docs/images.md")]
    [InlineData("docs/modules.md"), InlineData("docs/element-types.md")]
    [InlineData("docs/experiments.md")]
    public void Links_lead_somewhere(string page)
    {
        var path = Path.Combine(LayeringTests.Root(), page);
        foreach (Match link in Link().Matches(File.ReadAllText(path)))
            Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, link.Groups[1].Value)), $"{page}: nothing lies at {link.Groups[1].Value}");
    }

    private static string Run(params string[] program)
    {
        var start = new ProcessStartInfo("dotnet", ["run", .. program])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{string.Join(' ', program)}: {output} {error.Result}");
        return output;
    }

    [GeneratedRegex(@"```csharp\n(?<code>.*?)```\n\n```text\n(?<output>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Snippet();

    [GeneratedRegex(@"```sh\n(?<lines>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Shell();

    [GeneratedRegex(@"\]\((?!http)([^)#]+)\)")]
    private static partial Regex Link();
}
