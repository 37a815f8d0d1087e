using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.Explorer;

namespace Adjoint.Tests.Explorer;

public sealed class OpCardsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Published_pages_are_what_the_tool_writes_and_their_links_lead_somewhere()
    {
        using var output = new StringWriter();
        Assert.Equal(0, Tool.Run(["ops", "--html", folder], output, TextWriter.Null));
        var published = Path.Combine(LayeringTests.Root(), "docs", "ops");
        var names = Directory.GetFiles(folder).Select(Path.GetFileName).Order().ToArray();
        Assert.Equal(names, Directory.GetFiles(published).Select(Path.GetFileName).Order());
        Assert.Equal(OpCatalogue.All.Count + 2, names.Length);
        Assert.Contains("<code>Vjp</code>, the vector-Jacobian product",
            File.ReadAllText(Path.Combine(folder, "exp.html")),
            StringComparison.Ordinal);
        foreach (var name in names)
        {
            var page = File.ReadAllText(Path.Combine(folder, name!));
            Assert.True(Steady(page) == Steady(File.ReadAllText(Path.Combine(published, name!))),
                $"docs/ops/{name} is out of date: run `adjoint ops --html docs/ops`");
            foreach (Match link in Regex.Matches(page, "(?:href|src)=\"(?!data:)([^\"]+)\""))
                Assert.Contains(link.Groups[1].Value, names);
            if (name!.EndsWith(".html", StringComparison.Ordinal) && name != "index.html")
            {
                Assert.Contains("<h2>Code</h2>", page, StringComparison.Ordinal);
                var isDifferentiable = OpCatalogue.All.Single(entry =>
                    name == $"{entry.Op.Name.ToLowerInvariant()}.html").IsDifferentiable;
                Assert.Equal(isDifferentiable, page.Contains("agrees", StringComparison.Ordinal));
                Assert.DoesNotContain("DIFFERS", page, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_worked_example_uses_the_formulas_own_letters()
    {
        using var output = new StringWriter();
        Assert.Equal(0, Tool.Run(["ops", "--html", folder], output, TextWriter.Null));
        (string, string)[] all =
        [
            ("divide", "x, y → z"), ("matmul", "A, B → C"), ("linear", "X, W, b → Y"), ("where", "a, b → y"),
                ("exp", "x → y"),
            ("batchnorm", "x, γ, β → y"), ("concat", "x₁, x₂ → y"), ("crossentropy", "x → L"),
                ("convtranspose2d", "x, w → y"),
        ];
        foreach (var (op, letters) in all)
        {
            var page = File.ReadAllText(Path.Combine(folder, op + ".html"));
            var example = Regex.Match(page, "<h2>Worked example</h2>.*?<pre[^>]*>(.*?)</pre>",
                RegexOptions.Singleline).Groups[1].Value;
            string[] names = [.. Regex.Matches(example, "^(.+) =$", RegexOptions.Multiline)
                .Select(match => match.Groups[1].Value)];
            string[] values = [.. names.Where(name => !name.StartsWith("∂L/∂", StringComparison.Ordinal))];
            Assert.Equal(letters, $"{string.Join(", ", values[..^1])} → {values[^1]}");
            Assert.Equal(values[..^1], names[values.Length..].Select(name => name["∂L/∂".Length..]));
        }
    }

    // Letters are read from the texts: a new op whose texts do not name its inputs would get wrong ones.
    [Fact]
    public void Every_op_names_its_inputs_in_its_derivation()
    {
        foreach (var entry in OpCatalogue.All.Where(entry => entry.IsDifferentiable))
        {
            var symbols = FormulaSymbols.Of(entry.Op, entry.Inputs().Length);
            Assert.All(symbols.Inputs, letter => Assert.Contains($"∂L/∂{letter[..1]}", entry.Op.Derivation,
                StringComparison.Ordinal));
            Assert.Equal(symbols.Inputs.Count, symbols.Inputs.Append(symbols.Result).Distinct().Count() - 1);
            Assert.StartsWith(symbols.Result, entry.Op.Formula, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_in_the_way_is_named()
    {
        var file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        using var error = new StringWriter();
        Assert.Equal(1, Tool.Run(["ops", "--html", file], TextWriter.Null, error));
        Assert.Contains("is a file; name a folder", error.ToString(), StringComparison.Ordinal);
    }

    // Last digits of numbers and coordinates depend on the processor's instructions.
    private static string Steady(string page) => Regex.Replace(page, @"(\d+\.\d)\d*|(?<=[ML ])\d+(?=[ML"" ])", "$1");
}
