using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Adjoint.Cli;
using Adjoint.Cli.Commands;
using Adjoint.Experiments;

namespace Adjoint.SystemTests.Cli;

/// <summary>What <c>adjoint compare</c> shows of runs that were written by hand.</summary>
public sealed class CompareCommandTests : IDisposable
{
    private readonly WrittenRuns runs = new();

    public void Dispose() => runs.Dispose();

    [Fact]
    public void Curves_values_and_settings_that_differ_are_shown()
    {
        var (a, b) = (runs.AddClassifier("one", "mlp", "0.1", 0.5, 0.9, 0.875),
            runs.AddClassifier("two", "lenet", "0.1", 0.25, 0.75));
        var shown = Compare(a, b);
        Assert.StartsWith("A  one  complete, epoch 2\nB  two  complete, epoch 1\n", shown, StringComparison.Ordinal);
        foreach (var title in (string[])["training loss", "validation loss", "accuracy"])
            Assert.Contains($"\n\n{title}\n", shown, StringComparison.Ordinal);
        Assert.Matches(@"(?m)^best \(epoch\) +A +B$", shown);
        Assert.Matches(@"(?m)^accuracy +0\.9000 \(1\)  0\.7500 \(1\)$", shown);
        Assert.Matches(@"(?m)^validation loss +0\.1000 \(1\)  0\.2500 \(1\)$", shown);
        Assert.Matches(@"(?m)^accuracy +0\.8750  0\.7500$", shown);
        Assert.Matches(@"(?m)^setting +A +B\nmodel +mlp  lenet\nepochs +2 +1$", shown);
        Assert.DoesNotContain("\nlr", shown, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', shown);
    }

    [Fact]
    public void Json_has_the_curves_number_by_number()
    {
        var (a, b) = (runs.AddClassifier("one", "mlp", "0.1", 0.5, 0.9), runs.AddRegression("two", 0, 0.75));
        var json = JsonDocument.Parse(Compare(a, b, "--json")).RootElement;
        Assert.Equal("[[0,0.5],[1,0.9]]", json.GetProperty("runs")[0].GetProperty("curves").GetProperty("accuracy")
            .GetRawText());
        Assert.Equal(0.75, json.GetProperty("runs")[1].GetProperty("metrics").GetProperty("r2").GetProperty("best")
            .GetProperty("value").GetDouble());
        Assert.Equal("""["trainLoss","validationLoss"]""", json.GetProperty("shared").GetRawText());
        Assert.Equal("""["0.1",null]""", json.GetProperty("differences").GetProperty("lr").GetRawText());
    }

    [Fact]
    public void Runs_that_share_no_metric_say_so()
    {
        var (a, b) = (runs.AddClassifier("one", "mlp", "0.1", 0.5, 0.9), runs.AddRegression("two", 0, 0.75));
        Assert.Contains("Not measured in all of them: accuracy (A), r2 (B), mae (B)", Compare(a, b),
            StringComparison.Ordinal);
        var (none, early) = (runs.Add("none", "{}"), runs.Add("early", "{}", """{"epoch":0,"validationLoss":null}"""));
        var shown = Compare(none, early);
        Assert.Contains("The runs have measured nothing in common.", shown, StringComparison.Ordinal);
        Assert.Contains("No setting differs.", shown, StringComparison.Ordinal);
        Assert.Contains("nothing in common", Page(none, early), StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_is_whole_and_holds_nothing_of_others_as_markup()
    {
        var b = runs.AddClassifier("b<script>alert(1)<!--", "mlp", "0.1", 0.5, 0.75);
        var a = runs.Add("a\e[31m", """{ "model": "</style><img src=x>", "lr": "\u001b" }""",
            """{"epoch":0,"trainLoss":null,"validationLoss":0.7,"metrics":{"accuracy":0.5,"<b>\u0001":1}}""",
            """{"epoch":1,"trainLoss":0.7,"validationLoss":0.6,"metrics":{"accuracy":0.6,"<b>\u0001":1}}""");
        var page = Page(a, b);
        Assert.DoesNotMatch("<script|<img|<b>|<!--|\e|\u0001", page);
        Assert.Equal(3, Regex.Count(page, "<figure>"));
        Assert.All(Regex.Matches(page, "(?s)<svg.*?</svg>"), svg => XElement.Parse(svg.Value));
        Assert.DoesNotMatch("\\b(src|href)=\"(?!#)", page);
        Assert.Matches(@"<td>accuracy</td><td>best \(epoch\)</td><td class=""n"">0.6 \(1\)</td>"
            + @"<td class=""n"">0.75 \(1\)</td>", page);
    }

    [Fact]
    public void All_trials_of_a_sweep_are_compared_by_its_folder()
    {
        for (var key = 0; key < 3; key++) runs.AddClassifier($"sweep/trials/key{key}", "mlp", $"0.{key}", 0.5, 0.9);
        Assert.Matches("^A  key0 .*\nB  key1 .*\nC  key2 ", Compare(Path.Combine(runs.Folder, "sweep")));
    }

    [Theory]
    [InlineData("one", "two runs or more are compared")]
    [InlineData("one one/", "is given twice; give it once")]
    [InlineData("one two --open", "--open: opens a page; give --html too")]
    [InlineData("", "adjoint compare needs <run>: Folders of runs")]
    public void Wrong_usage_is_one_line(string words, string message)
    {
        foreach (var name in (string[])["one", "two"]) runs.AddClassifier(name, "mlp", "0.1", 0.5, 0.9);
        Assert.Contains(message, ToolRun.Refused(
            ["compare", .. words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(word =>
                word.StartsWith('-') ? word : Path.Combine(runs.Folder, word))]), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_no_run_is_named()
    {
        var a = runs.AddClassifier("one", "mlp", "0.1", 0.5, 0.9);
        var other = Directory.CreateDirectory(Path.Combine(runs.Folder, "other")).FullName;
        Assert.Equal((1, "", $"adjoint: {other}: is not the folder of a run (it holds neither settings.json nor "
            + "metrics.jsonl); adjoint runs lists those that are\n"), ToolRun.Of("compare", a, other));
        var missing = Path.Combine(runs.Folder, "miss\e[31m");
        var error = ToolRun.Of("compare", a, missing).Error;
        Assert.Contains("no such folder", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\e', error);
        Assert.Contains("offset 0", ToolRun.Of("compare", a, runs.Add("damaged", "{")).Error, StringComparison.Ordinal);
    }

    [Theory, InlineData(20), InlineData(39), InlineData(79)]
    public void Everything_fits_narrow_terminals(int width)
    {
        string[] paths = [.. Enumerable.Range(0, 5).Select(i =>
            runs.AddClassifier($"a-rather-long-name-of-a-run-{i}", $"model-{i}", $"0.{i}", 0.5, 0.5 + 0.1 * i))];
        using var output = new StringWriter();
        CompareCommand.Write(new([.. paths.Select(path => new NamedRun(Path.GetFileName(path),
            RecordedRun.Load(path)))]), output, new CurvePlot(width, 10), width);
        Assert.All(output.ToString().Split('\n'), line => Assert.InRange(line.Length, 0, Math.Max(width, 34)));
    }

    private static string Compare(params string[] args)
    {
        var (code, output, error) = ToolRun.Of(["compare", .. args]);
        Assert.Equal((0, ""), (code, error));
        return output;
    }

    private string Page(params string[] paths)
    {
        var file = Path.Combine(runs.Folder, "page.html");
        Assert.Equal((0, "", $"comparison: {file}\n"), ToolRun.Of(["compare", .. paths, "--html", file]));
        return File.ReadAllText(file);
    }
}
