using System.Text.RegularExpressions;

namespace Adjoint.Tests.Documentation;

/// <summary>American spelling throughout: identifiers, comments, messages, documents.</summary>
public partial class SpellingTests
{
    private static readonly string[] Folders = ["src", "tests", "samples", "bench", "docs", ".ci"];

    private static readonly string[] Extensions =
        [".cs", ".md", ".js", ".css", ".html", ".sh", ".csproj", ".props", ".targets", ""];

    // Words of others, with whose they are.
    private static readonly (string Word, string Whose)[] Allowed =
    [
        ("labelledby", "an attribute of ARIA"),
        ("Color.Grey", "a color of Spectre.Console"),
        ("CANCELLED", "a state of Slurm's jobs"),
        ("serialising-html-fragments", "a section of the HTML standard"),
    ];

    [Fact]
    public void No_file_has_a_British_form() => Assert.Empty(
        from path in Files()
        where Path.GetFileName(path) != "SpellingTests.cs"
        from line in File.ReadLines(path).Select((text, i) => (Text: text, Number: i + 1))
        from word in British(line.Text)
        select $"{Path.GetRelativePath(LayeringTests.Root(), path)}({line.Number}): {word}");

    [Fact]
    public void What_is_allowed_is_still_there()
    {
        var all = string.Concat(Files().Where(path => Path.GetFileName(path) != "SpellingTests.cs")
            .Select(File.ReadAllText));
        Assert.All(Allowed, allowed => Assert.Contains(allowed.Word, all, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("the Optimiser's behaviour", "Optimiser, behaviour")]
    [InlineData("A_run_that_was_cancelled, colour_of the centre", "cancelled, colour, centre")]
    [InlineData("uninitialised, reparametrised", "uninitialised")]
    [InlineData("optimistic parallelism, promise, precise, advertise, exercise, cancellation, labels, minimum", "")]
    [InlineData("aria-labelledby, Color.Grey", "")]
    public void British_forms_are_told_from_others(string text, string found) =>
        Assert.Equal(found, string.Join(", ", British(text)));

    private static IEnumerable<string> British(string line)
    {
        foreach (var (word, _) in Allowed) line = line.Replace(word, "", StringComparison.Ordinal);
        return Forms().Matches(line).Select(match => match.Value);
    }

    // What people write, and what is generated from it now; docs/paper is what a run of an earlier version wrote.
    private static IEnumerable<string> Files() => Folders
        .SelectMany(folder => Directory.EnumerateFiles(
            Path.Combine(LayeringTests.Root(), folder), "*", SearchOption.AllDirectories))
        .Concat(Directory.EnumerateFiles(LayeringTests.Root(), "*.md"))
        .Where(path => Extensions.Contains(Path.GetExtension(path)) && !Left().IsMatch(path));

    [GeneratedRegex(@"[A-Za-z]*(?:"
        + @"(?:optim|initial|normal|standard|vector|summar|recogn|organ|general|special|serial|parallel|synchron|util"
        + @"|minim|maxim|memor|visual|quant|real|random|regular|linear|custom|categor)is"
        + @"(?:e|ed|er|ers|es|ing|ation|ations)(?![a-z])"
        + @"|behaviour|colour|favour|flavour|honour|labour|neighbour|centre(?![a-z]*al)|centring"
        + @"|fibre|litre|metre(?!s? per)"
        + @"|licence|defence|offence|dialogue|analogue|grey|artefact|judgement|ageing|whilst|amongst"
        + @"|learnt|spelt|spoilt|burnt"
        + @"|analyse|catalyse|(?:cancel|label|model|signal|total|travel)l(?:ed|ing)(?![a-z]))[a-z]*",
        RegexOptions.IgnoreCase)]
    private static partial Regex Forms();

    [GeneratedRegex(@"[/\\](bin|obj|paper|results|TestResults)[/\\]")]
    private static partial Regex Left();
}
