using System.Text;
using System.Xml.Linq;
using Adjoint.Cli;
using Adjoint.Experiments;

namespace Adjoint.SystemTests.Cli;

/// <summary>Text of others commands neither a terminal nor a spreadsheet.</summary>
public sealed class PrintableTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("Überflüssig λ 漢字 \U0001F600", "Überflüssig λ 漢字 \U0001F600")]
    [InlineData("\e[31mred\e[0m", @"\u001b[31mred\u001b[0m")]
    [InlineData("one\ntwo\r\tthree\0", @"one\ntwo\r\tthree\u0000")]
    [InlineData("\u007f\u0085\u009b31m", @"\u007f\u0085\u009b31m")]
    [InlineData("\u202eevil\u2066\u200f\u2028\u2029", @"\u202eevil\u2066\u200f\u2028\u2029")]
    [InlineData("", "")]
    public void Control_characters_are_escapes(string text, string expected) =>
        Assert.Equal(expected, Printable.Line(text));

    [Fact]
    public void Halves_of_surrogate_pairs_are_escapes() =>
        Assert.Equal(@"\ud800 half \udc00", Printable.Line("\ud800 half \udc00"));

    [Fact]
    public void Titles_and_labels_of_a_file_reach_no_terminal_unescaped()
    {
        var file = Path.Combine(folder, "sweep.json");
        File.WriteAllText(file, """
            { "title": "\u001b]0;title\u0007",
                "settings": { "dataset": "synth", "hidden": "8", "epochs": 1, "data-share": 0.05 }, "seeds": 1,
              "factors": { "which": [{ "label": "\u001b[31mred\nnext\u0001", "activation": "relu" },
                  { "label": "=1+1", "activation": "tanh" }] } }
            """);
        var path = Path.Combine(folder, "out");
        Assert.Equal(0, Shows("experiment", "run", file, "--out", path));
        Assert.Equal(0, Shows("experiment", "status", file, "--out", path));
        Assert.Equal(0, Shows("experiment", "report", file, "--out", path));
        foreach (var figure in Directory.GetFiles(Path.Combine(path, "figures"))) XDocument.Load(figure);
        Assert.DoesNotContain('\u001b', File.ReadAllText(Path.Combine(path, "verdicts.md")));
        var result = Directory.GetFiles(path, "result.json", SearchOption.AllDirectories)[0];
        File.WriteAllText(result, """{ "epochs": "\u001b[2J" }""");
        Assert.Equal(0, Shows("experiment", "status", file, "--out", path));
        File.WriteAllText(result,
            File.ReadAllText(Directory.GetFiles(path, "result.json", SearchOption.AllDirectories)[1])
            .Replace("\"advice\"", "\"problem\": \"\\u001b[2J\", \"advice\"", StringComparison.Ordinal));
        Assert.Equal(0, Shows("experiment", "status", file, "--out", path));
        Assert.Equal(0, Shows("experiment", "run", file, "--out", path));
    }

    [Theory]
    [InlineData(1, "experiment", "run", "no\e[31m.json")]
    [InlineData(1, "train", "--resume", "no\e[31m")]
    [InlineData(1, "explore", "--checkpoint", "no\e[31m")]
    [InlineData(1, "explore", "no\e[31m")]
    [InlineData(1, "train", "--dataset", "mnist", "--data-dir", "no\e[31m")]
    [InlineData(2, "train", "--dataset", "no\e[31m")]
    [InlineData(2, "train", "--epochs", "no\e[31m")]
    [InlineData(2, "no\e[31m")]
    [InlineData(2, "train", "--no\e[31m")]
    public void Names_reach_no_terminal_unescaped(int expected, params string[] args) =>
        Assert.Equal(expected, Shows(args));

    [Fact]
    public void Names_in_files_reach_no_terminal_unescaped()
    {
        foreach (
            var text in (string[])["""{ "\u001b[31m": 1 }""", """{ "name": "\u001b" }""",
            """{ "settings": { "\u001b": 1 } }""", "{ \e }", """{ "measure": "\u001b" }""",
            """{ "settings": { "hidden": "\u001b" } }"""])
        {
            var file = Path.Combine(folder, "a.json");
            File.WriteAllText(file, text);
            Assert.Equal(2, Shows("experiment", "run", file));
        }
        var run = Path.Combine(folder, "run");
        Directory.CreateDirectory(run);
        File.WriteAllText(Path.Combine(run, "settings.json"), """{ "dataset": "\u001b[31m", "hidden": "8" }""");
        Assert.Equal(1, Shows("train", "--resume", run));
    }

    [Theory]
    [InlineData("relu", "relu")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+cmd", "'+cmd")]
    [InlineData("-cmd|'/c calc'!A0", "'-cmd|'/c calc'!A0")]
    [InlineData("@SUM(A1)", "'@SUM(A1)")]
    [InlineData("\t=1", "'\t=1")]
    [InlineData("\r=1", "\"'\r=1\"")]
    [InlineData("\n=1", "\"'\n=1\"")]
    [InlineData("=1,2", "\"'=1,2\"")]
    [InlineData("a;=1+1", "\"a;=1+1\"")]
    [InlineData("a\"b", "\"a\"\"b\"")]
    [InlineData("-0.5", "-0.5")]
    [InlineData("+5", "+5")]
    [InlineData("-1E-05", "-1E-05")]
    [InlineData("-Infinity", "'-Infinity")]
    [InlineData("-", "'-")]
    [InlineData("", "")]
    public void A_cell_is_no_formula_and_a_number_stays_one(string text, string expected) =>
        Assert.Equal(expected, CsvCell.Text(text));

    // Runs the tool; nothing but its own line ends may be in what it writes.
    private static int Shows(params string[] args)
    {
        var (code, output, error) = ToolRun.Of(args);
        var shown = output + error;
        Assert.DoesNotContain("   at ", shown, StringComparison.Ordinal);
        Assert.All(shown.EnumerateRunes(), rune =>
            Assert.True(rune.Value is '\n' or '\r' || !Rune.IsControl(rune), shown));
        return code;
    }
}
