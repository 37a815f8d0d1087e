using System.Text.RegularExpressions;

namespace Adjoint.Tests.Documentation;

/// <summary>The files, types and members that the pages about the sources name exist.</summary>
public partial class NamesTests
{
    private static readonly string Root = LayeringTests.Root();

    private static readonly Lazy<(string Name, string Code)[]> Sources = new(() =>
    [
        .. new[] { "src", "tests", "bench" }.SelectMany(folder =>
                Directory.GetFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !Built().IsMatch(path))
            .Select(path => (Path.GetFileName(path), CommentOrString().Replace(File.ReadAllText(path), ""))),
    ]);

    private static readonly Lazy<HashSet<string>> Words = new(() =>
        [.. Sources.Value.SelectMany(source => Word().Matches(source.Code)).Select(match => match.Value)]);

    // What the recipes add; it must not exist, or the recipe would not be tried.
    private static readonly string[] Examples =
    [
        "Sinh", "LayerScale", "Roll", "Adagrad", "Spirals", "MatthewsCorrelation", "Ordinal", "RandomInvert", "Arff",
        "Gguf", "ClipValue",
    ];

    [Theory, InlineData("docs/architecture.md"), InlineData("CONTRIBUTING.md")]
    public void What_a_page_names_exists(string page) =>
        Assert.Empty(Spans(new Page(page)).Where(span => !Examples.Any(example =>
            span.Contains(example, StringComparison.Ordinal))).Select(Problem).OfType<string>());

    [Fact]
    public void What_the_recipes_add_is_not_there_yet()
    {
        var recipes = new Page("CONTRIBUTING.md").Text;
        Assert.All(Examples, example => Assert.Contains(example, recipes, StringComparison.Ordinal));
        Assert.DoesNotContain(Sources.Value, source => Examples.Any(example =>
            Regex.IsMatch(source.Code, $@"\b(class|struct) {example}(Op)?\b")));
    }

    [Fact]
    public void The_classes_of_tests_that_the_recipes_run_exist()
    {
        var named = TestClass().Matches(new Page("CONTRIBUTING.md").Text).Select(match => match.Groups[1].Value)
            .Where(name => !Examples.Any(example => name.StartsWith(example, StringComparison.Ordinal))).Distinct();
        Assert.All(named, name => Assert.Contains(name, Words.Value));
    }

    [Theory]
    [InlineData("src/Adjoint/Ops/Arithmetic/Divide.cs", true)]
    [InlineData("src/Adjoint/Ops/Arithmetic/Quotient.cs", false)]
    [InlineData("Divide.cs", true)]
    [InlineData("DivideOp.Left", true)]
    [InlineData("Zip<DivideOp.Operator>", true)]
    [InlineData("DivideOp.Middle", false)]
    [InlineData("QuotientOp", false)]
    [InlineData("gradient / node.Inputs[1]", true)]
    public void A_name_that_exists_is_told_from_one_that_does_not(string span, bool exists) =>
        Assert.Equal(exists, Problem(span) is null);

    // Inline code; blocks are run or parsed elsewhere.
    private static IEnumerable<string> Spans(Page page) =>
        InlineCode().Matches(page.Prose).Select(match => match.Groups[1].Value).Distinct();

    private static string? Problem(string span)
    {
        if (FileName().IsMatch(span))
            return span.Contains('/') && Path.Exists(Path.Combine(Root, span))
                || !span.Contains('/')
                    && (File.Exists(Path.Combine(Root, span)) || Sources.Value.Any(one => one.Name == span))
                ? null : $"no file {span}";
        var missing = Word().Matches(span).Select(match => match.Value)
            .Where(word => word.Length > 1 && char.IsUpper(word[0]))
            .FirstOrDefault(word => !Words.Value.Contains(word) && !IsFolder(word));
        if (missing is not null) return $"`{span}`: nothing is called {missing}";
        foreach (Match member in Member().Matches(span))
        {
            var (type, name) = (member.Groups[1].Value, member.Groups[2].Value);
            var declaring = Sources.Value.Where(one => one.Code.Contains(type, StringComparison.Ordinal)
                && Regex.IsMatch(one.Code, $@"\b(class|struct|interface|enum|record) {type}\b")).ToArray();
            if (declaring.Length > 0 && !declaring.Any(one => Regex.IsMatch(one.Code, $@"\b{name}\b")))
                return $"`{span}`: {type} has no {name}";
        }
        return null;
    }

    private static bool IsFolder(string word) => Directory.GetDirectories(Path.Combine(Root, "src"))
        .Any(project => Directory.Exists(Path.Combine(project, word)));

    [GeneratedRegex(@"-class '\*(\w+)'")]
    private static partial Regex TestClass();

    [GeneratedRegex(@"`([^`\n]+)`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"^(src|tests|docs|bench|samples|\.ci)/[\w./-]*$|^[\w.-]+\.(cs|md|sh|csproj|props|slnx)$")]
    private static partial Regex FileName();

    [GeneratedRegex(@"\b([A-Z]\w+)(?:<[^>]*>)?\.([A-Z]\w+)")]
    private static partial Regex Member();

    [GeneratedRegex(@"\b\w+\b")]
    private static partial Regex Word();

    [GeneratedRegex(@"//.*|""(\\.|[^""\\\n])*""")]
    private static partial Regex CommentOrString();

    [GeneratedRegex(@"[/\\](bin|obj)[/\\]")]
    private static partial Regex Built();
}
