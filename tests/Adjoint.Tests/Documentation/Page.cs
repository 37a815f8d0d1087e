using System.Text.RegularExpressions;

namespace Adjoint.Tests.Documentation;

/// <summary>A page of the documentation, with its fenced blocks.</summary>
internal sealed partial class Page
{
    private static readonly string[] Languages = ["csharp", "text", "sh", "json"];

    /// <summary>
    /// Every page that people write: the README and its neighbors, docs, decision records, samples, and the packages'.
    /// </summary>
    public static IEnumerable<string> All => new[] { "", "docs", "docs/adr", "samples" }
        .Select(folder => Path.Combine(LayeringTests.Root(), folder))
        .Concat(Directory.GetDirectories(Path.Combine(LayeringTests.Root(), "src")))
        .SelectMany(folder => Directory.GetFiles(folder, "*.md"))
        .Select(path => Path.GetRelativePath(LayeringTests.Root(), path).Replace('\\', '/')).Order();

    /// <summary>The pages with C# that is to be run.</summary>
    public static IEnumerable<string> WithPrograms => All.Where(name => new Page(name).Snippets.Any());

    /// <summary>The pages with shell commands.</summary>
    public static IEnumerable<string> WithCommands => All.Where(name => new Page(name).Commands.Any());

    public Page(string name)
    {
        Name = name;
        Text = File.ReadAllText(Path.Combine(LayeringTests.Root(), name))
            .Replace("\r\n", "\n", StringComparison.Ordinal);
        Assert.True(Regex.Count(Text, "(?m)^ *```") == 2 * Fence().Count(Text),
            $"{name}: a fence that is indented, or not closed");
        Blocks = [.. Fence().Matches(Text).Select(match => new Block(match))];
        foreach (var block in Blocks)
            Assert.True(Languages.Contains(block.Language),
                $"{name}: a block of '{block.Language}': use {string.Join(", ", Languages)}");
    }

    public string Name { get; }

    public string Text { get; }

    /// <summary>The text without what stands in blocks.</summary>
    public string Prose => Blocks.Aggregate(
        Text, (rest, block) => block.Body == "" ? rest : rest.Replace(block.Body, "", StringComparison.Ordinal));

    public IReadOnlyList<Block> Blocks { get; }

    /// <summary>The C# of the page with what it is to print, null where the page does not say.</summary>
    public IEnumerable<(string Code, int Line, string? Output)> Snippets =>
        from i in Enumerable.Range(0, Blocks.Count)
        let block = Blocks[i]
        where block is { Language: "csharp", NotRun: null }
        let next = i + 1 < Blocks.Count && Blocks[i + 1] is { Language: "text" } text && text.Start == block.End + 1
            ? text.Body
            : null
        select (block.Body, LineOf(block), next);

    /// <summary>The shell commands of the page, without comments, continued lines joined.</summary>
    public IEnumerable<string> Commands =>
        from block in Blocks
        where block.Language == "sh"
        from line in block.Body.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
        let command = Comment().Replace(line, "").Trim()
        where command != ""
        select command;

    private int LineOf(Block block) => Text.AsSpan(0, block.Start).Count('\n') + 2;

    [GeneratedRegex(@"(?:<!-- not run: (?<reason>[^\n]+) -->\n)?^```(?<language>\S*)\n(?<body>.*?)^```\n",
        RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"(^|\s+)#.*")]
    private static partial Regex Comment();

    /// <summary>A fenced block; <c>&lt;!-- not run: reason --&gt;</c> before it says why it cannot be run.</summary>
    internal sealed class Block(Match match)
    {
        public string Language => match.Groups["language"].Value;
        public string Body => match.Groups["body"].Value;
        public string? NotRun => match.Groups["reason"] is { Success: true } reason ? reason.Value : null;
        public int Start => match.Groups["language"].Index - 3;
        public int End => match.Index + match.Length;
    }
}
