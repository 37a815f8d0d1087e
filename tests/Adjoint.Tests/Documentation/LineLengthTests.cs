namespace Adjoint.Tests.Documentation;

/// <summary>
/// Lines of at most 120 columns in all that is written by hand. The analyzer in .editorconfig says so at once, but
/// passes over comments and sees only C#.
/// </summary>
public class LineLengthTests
{
    private const int Limit = 120;

    private static readonly string[] Extensions =
        [".cs", ".md", ".js", ".css", ".html", ".csproj", ".props", ".targets", ".py", ".sh", ""];

    // Written by programs, or data of others.
    private static readonly string[] Others =
        ["bin", "obj", ".git", "artifacts", "runs", "docs/paper", "docs/ops", "bench/results", "conformance"];

    [Fact]
    public void Lines_have_at_most_120_columns()
    {
        var root = LayeringTests.Root();
        var files = Files(root).ToArray();
        Assert.True(files.Length > 500, $"only {files.Length} files were found under {root}");
        Assert.Empty(
            from path in files
            from line in Lines(path)
            where line.Text.Length > Limit
            select $"{Path.GetRelativePath(root, path)}:{line.Number}: {line.Text.Length} columns");
    }

    private static IEnumerable<string> Files(string folder)
    {
        foreach (var child in Directory.GetDirectories(folder))
            if (!Others.Any(other => child.Replace('\\', '/').EndsWith($"/{other}", StringComparison.Ordinal)))
                foreach (var path in Files(child)) yield return path;
        foreach (var path in Directory.GetFiles(folder))
            if (Extensions.Contains(Path.GetExtension(path)) && Path.GetFileName(path) != "LICENSE") yield return path;
    }

    // In Markdown a row of a table, an image with its link and what a program prints cannot be broken.
    private static IEnumerable<(string Text, int Number)> Lines(string path)
    {
        var isMarkdown = path.EndsWith(".md", StringComparison.Ordinal);
        var (number, isPrinted) = (0, false);
        foreach (var text in File.ReadLines(path))
        {
            number++;
            if (isMarkdown && text.StartsWith("```", StringComparison.Ordinal)) isPrinted = text == "```text";
            if (!isMarkdown
                || !isPrinted && text.TrimStart() is not ['|' or '[' or '!', ..]) yield return (text, number);
        }
    }
}
