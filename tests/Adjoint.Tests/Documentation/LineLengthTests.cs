namespace Adjoint.Tests.Documentation;

/// <summary>
/// Lines of at most 120 columns in all that is written by hand. The analyzer in .editorconfig says so at once, but passes
/// over comments and sees only C#.
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
            from line in File.ReadLines(path).Select((text, index) => (text, number: index + 1))
            where line.text.Length > Limit && !IsWhole(path, line.text)
            select $"{Path.GetRelativePath(root, path)}:{line.number}: {line.text.Length} columns");
    }

    private static IEnumerable<string> Files(string folder)
    {
        foreach (var child in Directory.GetDirectories(folder))
            if (!Others.Any(other => child.Replace('\\', '/').EndsWith($"/{other}", StringComparison.Ordinal)))
                foreach (var path in Files(child)) yield return path;
        foreach (var path in Directory.GetFiles(folder))
            if (Extensions.Contains(Path.GetExtension(path)) && Path.GetFileName(path) != "LICENSE") yield return path;
    }

    // In Markdown a row of a table, and an image with its link, cannot be broken.
    private static bool IsWhole(string path, string line) =>
        path.EndsWith(".md", StringComparison.Ordinal) && line.TrimStart() is ['|' or '[' or '!', ..];
}
