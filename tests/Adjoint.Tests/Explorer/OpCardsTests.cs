using System.Text.RegularExpressions;
using Adjoint.Cli;

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
        foreach (var name in names)
        {
            var page = File.ReadAllText(Path.Combine(folder, name!));
            Assert.True(Steady(page) == Steady(File.ReadAllText(Path.Combine(published, name!))), $"docs/ops/{name} is out of date: run `adjoint ops --html docs/ops`");
            foreach (Match link in Regex.Matches(page, "(?:href|src)=\"(?!data:)([^\"]+)\"")) Assert.Contains(link.Groups[1].Value, names);
            if (name!.EndsWith(".html", StringComparison.Ordinal) && name != "index.html")
            {
                Assert.Contains("<h2>Code</h2>", page, StringComparison.Ordinal);
                Assert.Contains("agrees", page, StringComparison.Ordinal);
                Assert.DoesNotContain("DIFFERS", page, StringComparison.Ordinal);
            }
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
