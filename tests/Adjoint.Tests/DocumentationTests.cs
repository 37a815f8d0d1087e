using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Adjoint.Tests;

/// <summary>What the pages and samples show is run.</summary>
public sealed partial class DocumentationTests : IDisposable
{
    private const string Mark = "——";
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData("course"), InlineData("from-vugrad"), InlineData("memory"), InlineData("images")]
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

    [Theory]
    [InlineData("first-gradient", "[[-0.2500, -0.1250],\n [-0.1200, -0.0625]]")]
    [InlineData("own-op", "agrees with finite differences")]
    [InlineData("explore", "graph.html")]
    [InlineData("plain-training-loop", "epoch 5: validation accuracy 9")]
    [InlineData("trainer", "validation accuracy 99")]
    public void A_sample_runs(string sample, string expected) =>
        Assert.Contains(expected, Run(Path.Combine(LayeringTests.Root(), "samples", sample + ".cs")), StringComparison.Ordinal);

    [Fact]
    public void Every_sample_is_run()
    {
        var listed = typeof(DocumentationTests).GetMethod(nameof(A_sample_runs))!.GetCustomAttributes(typeof(InlineDataAttribute), false).Cast<InlineDataAttribute>().Select(row => $"{row.Data[0]}.cs");
        Assert.Equal(listed.Order(), Directory.GetFiles(Path.Combine(LayeringTests.Root(), "samples"), "*.cs").Select(Path.GetFileName).Order());
    }

    [Theory, InlineData("README.md"), InlineData("docs/course.md"), InlineData("docs/from-vugrad.md"), InlineData("docs/memory.md"), InlineData("docs/images.md"), InlineData("docs/experiments.md")]
    public void Links_lead_somewhere(string page)
    {
        var path = Path.Combine(LayeringTests.Root(), page);
        foreach (Match link in Link().Matches(File.ReadAllText(path)))
            Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, link.Groups[1].Value)), $"{page}: nothing lies at {link.Groups[1].Value}");
    }

    private static string Run(string program)
    {
        var start = new ProcessStartInfo("dotnet", ["run", program]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {output} {error.Result}");
        return output;
    }

    [GeneratedRegex(@"```csharp\n(?<code>.*?)```\n\n```text\n(?<output>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"\]\((?!http)([^)#]+)\)")]
    private static partial Regex Link();
}
