using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.Tests.Documentation;

namespace Adjoint.SystemTests.Documentation;

/// <summary>What the pages show is run, and exists.</summary>
public sealed partial class DocumentationTests(PageBuild build) : IClassFixture<PageBuild>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Pages => [.. Page.All];

    public static TheoryData<string> PagesWithPrograms => [.. Page.WithPrograms];

    public static TheoryData<string> PagesWithCommands => [.. Page.WithCommands];

    [Theory, MemberData(nameof(PagesWithPrograms))]
    public void A_page_prints_what_it_says(string page)
    {
        var snippets = new Page(page).Snippets.ToArray();
        var printed = build.Run(page);
        Assert.Equal(snippets.Length, printed.Length);
        foreach (var (snippet, output) in snippets.Zip(printed))
            if (snippet.Output is not null) Assert.Equal(snippet.Output, output);
    }

    [Fact]
    public void A_block_that_is_not_run_is_the_exception()
    {
        var blocks = Page.All.SelectMany(name => new Page(name).Blocks.Where(block => block.Language == "csharp"))
            .ToArray();
        Assert.InRange(blocks.Count(block => block.NotRun is not null), 0, blocks.Length / 10);
        Assert.Equal(
            Page.All.Sum(name => Regex.Count(new Page(name).Text, "not run:")),
            blocks.Count(block => block.NotRun is not null));
    }

    [Theory, MemberData(nameof(PagesWithCommands))]
    public void The_tool_takes_the_commands_that_a_page_shows(string page)
    {
        foreach (var line in new Page(page).Commands)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["dotnet", "run", "-c", "Release", "--project", var project, "--", .. var rest])
            {
                Assert.True(Directory.Exists(Path.Combine(LayeringTests.Root(), project)), $"{page}: no {project}");
                if (project != "src/Adjoint.Cli") continue;
                words = ["adjoint", .. rest];
            }
            foreach (var path in words.Where(word => PathOfTree().IsMatch(word)))
                Assert.True(Path.Exists(Path.Combine(LayeringTests.Root(), path)), $"{page}: {line}: no {path}");
            if (words[0] != "adjoint") continue;
            var command = words[1..];
            Assert.Empty(Tool.Commands(TextWriter.Null, TextWriter.Null).Parse(command).Errors);
            // Settings are judged before data are looked for.
            if (command[0] != "train" || !command.Contains("--dataset")) continue;
            using var error = new StringWriter();
            Assert.Equal((Tool.Failure, true), (Tool.Run([.. command, "--data-dir", folder], TextWriter.Null, error),
                error.ToString().Contains("adjoint data fetch", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public void The_speed_that_the_README_states_was_measured()
    {
        var table = File.ReadLines(Path.Combine(
            LayeringTests.Root(), "bench", "results", "amd-epyc-zen4-avx512", "versus.md")).Select(Cells)
            .Where(cells => cells.Length > 5).ToArray();
        string Cell(string[] row, string column) => row[Array.IndexOf(table[0], column)].Split(' ')[0];
        var measured = table.Where(row => Cell(row, "threads") == "2" && Cell(row, "cores") == "apart").Select(row =>
            (Cell(row, "ours ms"), Cell(row, "libtorch ms"), Cell(row, "libtorch / ours"))).ToArray();
        var stated = new Page("README.md").Text.Split('\n').Select(Cells)
            .Where(cells => cells.Length == 4 && double.TryParse(cells[1], out _)).ToArray();
        Assert.True(stated.Length > 5);
        foreach (var row in stated)
            Assert.True(measured.Contains((row[1], row[2], row[3].Trim('*'))), $"{row[0]}: not in versus.md");

        static string[] Cells(string line) => [.. line.Trim('|').Split('|').Select(cell => cell.Trim())];
    }

    [Theory, MemberData(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        var path = Path.Combine(LayeringTests.Root(), page);
        foreach (Match link in Link().Matches(new Page(page).Prose))
        {
            var (file, heading) = (link.Groups[1].Value, link.Groups[2].Value);
            var target = file == "" ? path : Path.Combine(Path.GetDirectoryName(path)!, file);
            Assert.True(Path.Exists(target), $"{page}: nothing at {file}");
            if (heading == "") continue;
            Assert.True(File.ReadLines(target).Any(line => line.StartsWith('#') && Anchor(line) == heading),
                $"{page}: {file} has no heading #{heading}");
        }

        // As GitHub and its relatives make them of a heading.
        static string Anchor(string heading) => NoAnchor().Replace(heading.TrimStart('#').Trim(), "").Replace(' ', '-')
            .ToLowerInvariant();
    }

    // The sites that show them do not have the files beside them.
    [Fact]
    public void Readmes_of_packages_lead_to_addresses_only() =>
        Assert.All(Page.All.Where(page => page.StartsWith("src/", StringComparison.Ordinal)),
            page => Assert.Empty(Link().Matches(new Page(page).Prose)));

    [Fact]
    public void The_README_is_a_screen() =>
        Assert.InRange(new Page("README.md").Text.Count(sign => sign == '\n'), 40, 80);

    [Fact]
    public void Every_page_is_in_the_index_and_every_sample_in_its_list()
    {
        foreach (var (index, pattern) in new[] { ("docs/README.md", "*.md"), ("samples/README.md", "*.cs") })
        {
            var folder = Path.Combine(LayeringTests.Root(), Path.GetDirectoryName(index)!);
            foreach (var file in Directory.GetFiles(folder, pattern).Select(Path.GetFileName)
                .Where(f => f != "README.md"))
                Assert.Contains($"]({file})", new Page(index).Text, StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(@"^(src|tests|bench|samples|docs|\.ci)/|\.sh$")]
    private static partial Regex PathOfTree();

    [GeneratedRegex(@"\]\((?!http)([^)#]*)(?:#([^)]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\s-]")]
    private static partial Regex NoAnchor();
}
