using System.Text.Json;
using System.Xml.Linq;
using Adjoint.Experiments;
using Adjoint.Training;

namespace Adjoint.Tests.Experiments;

/// <summary>The files of a study, from made-up trials.</summary>
public sealed class StudyReportTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_quick_look_is_marked_wherever_it_shows()
    {
        StudyFiles.Write(Report("Quick look: proves nothing."), folder);
        Assert.Contains("<p class=\"mark\">Quick look: proves nothing.</p>", Text("report.html"), StringComparison.Ordinal);
        Assert.Contains(">not judged (quick)<", Text("report.html"), StringComparison.Ordinal);
        Assert.StartsWith("Quick look: proves nothing.", Text("verdicts.md"), StringComparison.Ordinal);
        Assert.Equal("Quick look: proves nothing.", JsonDocument.Parse(Text("results.json")).RootElement.GetProperty("mark").GetString());
        Assert.All(File.ReadAllLines(Path.Combine(folder, "epochs.csv"))[1..], line => Assert.StartsWith("1 (quick),", line, StringComparison.Ordinal));
        Assert.Contains(">QUICK<", Text("figures/figure-1.svg"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_figure_stands_alone()
    {
        StudyFiles.Write(Report(null), folder);
        // Parsed strictly, as by a browser that shows it as an image, and white behind, so that it can be read on a dark page.
        var svg = XDocument.Parse(Text("figures/figure-1.svg")).Root!;
        Assert.Equal("http://www.w3.org/2000/svg", svg.Name.NamespaceName);
        Assert.Equal("fill:rgb(255,255,255);stroke:none;", svg.Elements().First().Attribute("style")?.Value);
        Assert.Equal("A & B", svg.Attribute("aria-label")?.Value);
        Assert.DoesNotContain("QUICK", svg.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_doctor_found_stands_beside_its_case_and_where_the_time_went_is_told()
    {
        var report = Report(null);
        Assert.Contains("<b>b</b>, 1 of 2 seeds; of seed 2:<ul class=\"rule\"><li>Units are dead.</li></ul>", report.ToHtml(), StringComparison.Ordinal);
        StudyFiles.Write(report, folder);
        Assert.Equal(19, JsonDocument.Parse(Text("results.json")).RootElement.GetProperty("time").GetProperty("trainingSeconds").GetDouble());
    }

    [Fact]
    public void A_table_of_Markdown_keeps_its_columns() => Assert.Contains("| 1 | a \\|b\\| &lt;c> |", Report(null, "a |b| <c>").ToMarkdown(), StringComparison.Ordinal);

    [Fact]
    public void Times_of_several_runs_add_up_and_a_damaged_file_counts_for_nothing()
    {
        var time = new SweepTime(10, 20, 19);
        Assert.Equal(0.05, time.Overhead, 1e-12);
        Assert.Equal(0, new SweepTime(10, 20, 21).Overhead);
        time.Plus(time).Save(folder);
        Assert.Equal(new SweepTime(20, 40, 38), SweepTime.Load(folder));
        File.WriteAllText(Path.Combine(folder, "time.json"), "{ \"seconds\": ");
        Assert.Null(SweepTime.Load(folder));
    }

    private string Text(string name) => File.ReadAllText(Path.Combine(folder, name));

    private static StudyReport Report(string? mark, string claim = "A beats B")
    {
        var experiment = new Experiment("1", "A & B", new Dictionary<string, string>(), [new("letter", [Level("a"), Level("b")])], Measure.Best)
        {
            Seeds = [1, 2],
            Plots = [new("1", Quantity.ValidationAccuracy, "A & B")],
            Claims = [new(claim, new Higher(Measure.Best, "a", "b"))],
        };
        var runs = new CaseRuns(experiment.Cases());
        foreach (var (label, seed, accuracy) in (IEnumerable<(string, ulong, double)>)[("a", 1, 0.9), ("a", 2, 0.91), ("b", 1, 0.8), ("b", 2, 0.82)])
            runs.Add(label, seed, [new(0, null, 2.3, 0.1, 1), new(1, 1, 1, accuracy, 1)], label == "b" && seed == 2 ? ["Units are dead."] : []);
        return new("Letters", [Judged.Of(experiment, runs)], [], "A note.", new(10, 20, 19), mark);
    }

    private static Level Level(string name) => new(name, new Dictionary<string, string> { ["letter"] = name });
}
