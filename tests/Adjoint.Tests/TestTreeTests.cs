using System.Text.RegularExpressions;

namespace Adjoint.Tests;

/// <summary>The tests lie as the sources do, so that a newcomer finds one from the other.</summary>
public partial class TestTreeTests
{
    private static readonly string[] Projects = ["Adjoint.Tests", "Adjoint.SystemTests"];

    // Folders that mirror none, and why.
    private static readonly (string Folder, string Reason)[] Others =
    [
        ("", "what holds of the whole tree, and what tests of several folders share"),
        ("Documentation", "docs/ and README.md: their words, links and samples"),
        ("Bench", "the arithmetic of bench/Adjoint.Bench"),
        ("Samples", "samples/, built and run"),
        ("Sizes", "sizes and counts at their limits, through every public member of every folder"),
    ];

    [Fact]
    public void Every_folder_is_one_of_the_sources()
    {
        Assert.DoesNotContain(Files().Select(file => file.Folder).Distinct(),
            folder => Others.All(other => other.Folder != folder) && !HasSources(folder));
        Assert.All(Others, other => Assert.Contains(Files(), file => file.Folder == other.Folder));
    }

    // A namespace for each top folder, as in the sources: Ops/Pooling is of Adjoint.Tests.Ops.
    [Fact]
    public void Namespaces_follow_the_top_folders()
    {
        Assert.All(Files(), file =>
        {
            var top = file.Folder.Split('/')[0];
            Assert.Contains($"namespace {file.Project}{(top == "" ? "" : $".{top}")};", file.Text,
                StringComparison.Ordinal);
        });
    }

    [Fact]
    public void A_file_of_tests_is_named_after_its_class() =>
        Assert.All(Files().Where(file => TestMethod().IsMatch(file.Text)), file =>
        {
            Assert.EndsWith("Tests", file.Name, StringComparison.Ordinal);
            Assert.Matches($@"\bclass {file.Name}\b", file.Text);
        });

    [Fact]
    public void A_file_has_one_subject_and_at_most_400_lines() =>
        Assert.All(Files(), file => Assert.InRange(file.Text.Count(sign => sign == '\n'), 1, 400));

    [Fact]
    public void What_is_skipped_says_why() => Assert.All(Files(), file =>
        Assert.All(Skip().Matches(file.Text), skip =>
            Assert.StartsWith("skipped: ", skip.Groups[1].Value, StringComparison.Ordinal)));

    // Of the library, of a project beside it (Kernels, Cli, …), or of what several projects compile.
    private static bool HasSources(string folder) => ((string[])[$"Adjoint/{folder}", $"Adjoint.{folder}", folder])
        .Any(source => Directory.Exists(Path.Combine(LayeringTests.Root(), "src", source)));

    private static IEnumerable<(string Project, string Folder, string Name, string Text)> Files() =>
        from project in Projects
        let root = Path.Combine(LayeringTests.Root(), "tests", project)
        from path in Directory.GetFiles(root, "*.cs", SearchOption.AllDirectories)
        let folder = Path.GetRelativePath(root, Path.GetDirectoryName(path)!).Replace('\\', '/')
        where folder.Split('/')[0] is not ("bin" or "obj")
        select (project, folder == "." ? "" : folder, Path.GetFileNameWithoutExtension(path),
            File.ReadAllText(path).ReplaceLineEndings("\n"));

    [GeneratedRegex(@"^\s*\[(Fact|Theory)\b", RegexOptions.Multiline)]
    private static partial Regex TestMethod();

    [GeneratedRegex(@"Assert\.Skip\(\$?""([^""]*)")]
    private static partial Regex Skip();
}
