using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Adjoint.Experiments;
using Adjoint.Tests.Training;
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
        Assert.Contains("<p class=\"mark\">Quick look: proves nothing.</p>", Text("report.html"),
            StringComparison.Ordinal);
        Assert.Contains(">not judged (quick)<", Text("report.html"), StringComparison.Ordinal);
        Assert.StartsWith("Quick look: proves nothing.", Text("verdicts.md"), StringComparison.Ordinal);
        Assert.Equal("Quick look: proves nothing.", JsonDocument.Parse(Text("results.json"))
            .RootElement.GetProperty("mark").GetString());
        Assert.All(File.ReadAllLines(Path.Combine(folder, "epochs.csv"))[1..],
            line => Assert.StartsWith("1 (quick),", line, StringComparison.Ordinal));
        Assert.Contains(">QUICK<", Text("figures/figure-1.svg"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_figure_stands_alone()
    {
        StudyFiles.Write(Report(null), folder);
        // Parsed strictly, as by a browser that shows it as an image, and white behind, so that it can be read on a
        // dark page.
        var svg = XDocument.Parse(Text("figures/figure-1.svg")).Root!;
        Assert.Equal("http://www.w3.org/2000/svg", svg.Name.NamespaceName);
        Assert.Equal("fill:rgb(255,255,255);stroke:none;", svg.Elements().First().Attribute("style")?.Value);
        Assert.Equal("A & B", svg.Attribute("aria-label")?.Value);
        Assert.DoesNotContain("QUICK", svg.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Curves_that_end_close_together_are_enlarged()
    {
        var experiment = new Experiment("1", "A & B", new Dictionary<string, string>(),
            [new("letter", [Level("a"), Level("b")])], Measure.Best)
        {
            Seeds = [1],
            Plots = [new("1", Quantity.ValidationAccuracy, "A & B")]
        };
        var (close, far, flat) = (Runs(0.95, 0.96), Runs(0.5, 0.96), Runs(0.95, 0.95));
        // After epoch 12 / 4: from 95 to 96, with a twentieth of that on either side.
        var (low, high) = CurveFigure.CloseUp(experiment.Plots[0], experiment, close)!.Value;
        Assert.Equal((94.95, 96.05), (Math.Round(low, 9), Math.Round(high, 9)));
        Assert.Contains("whole range", CurveFigure.Draw(experiment.Plots[0], experiment, close).Value,
            StringComparison.Ordinal);
        Assert.Null(CurveFigure.CloseUp(experiment.Plots[0], experiment, far));
        Assert.DoesNotContain("whole range", CurveFigure.Draw(experiment.Plots[0], experiment, far).Value,
            StringComparison.Ordinal);
        Assert.Null(CurveFigure.CloseUp(experiment.Plots[0], experiment, flat));
        Assert.Null(CurveFigure.CloseUp(experiment.Plots[0], experiment, new(experiment.Cases())));

        CaseRuns Runs(double a, double b)
        {
            var runs = new CaseRuns(experiment.Cases());
            foreach (var (label, accuracy) in new[] { ("a", a), ("b", b) })
                runs.Add(
                    label, 1,
                    [.. Enumerable.Range(0, 13)
                        .Select(
                        epoch =>
                            new EpochResult(epoch, epoch == 0
                                ? null
                                : 1, 1, Measures.Accuracy(epoch == 0 ? 0.1 : accuracy), 1))]);
            return runs;
        }
    }

    [Fact]
    public void What_the_doctor_found_stands_beside_its_case_and_where_the_time_went_is_told()
    {
        var report = Report(null);
        Assert.Contains("<b>b</b>, 1 of 2 seeds; of seed 2:<ul class=\"rule\"><li>Units are dead.</li></ul>",
            report.ToHtml(), StringComparison.Ordinal);
        StudyFiles.Write(report, folder);
        Assert.Equal(19, JsonDocument.Parse(Text("results.json")).RootElement.GetProperty("time")
            .GetProperty("trainingSeconds").GetDouble());
    }

    [Fact]
    public void A_table_of_Markdown_keeps_its_columns() =>
        Assert.Contains("| 1 | a \\|b\\| &lt;c> |", Report(null, "a |b| <c>").ToMarkdown(), StringComparison.Ordinal);

    [Fact]
    public void Two_readings_of_the_same_stand_side_by_side()
    {
        var (divided, bytes, alone) = (Read("1", "divided", 0.9, 0.8), Read("1b", "bytes", 0.8, 0.9),
            Read("2", null, 0.9, 0.8));
        var report = new StudyReport("Letters", [divided, bytes, alone], []);
        Assert.Equal(
            [
                "| figure | claim | verdict | found | read another way |", "|---|---|---|---|---|",
                "| 1 | A beats B | holds | best validation accuracy: a (90.0 %) against b (80.0 %) | **does not " +
                    "hold**, bytes: a (80.0 %) against b (90.0 %) |",
                "| 1 | A reaches 90.0 % | holds | best validation accuracy of a: 90.0 %, reported 90 | **does not " +
                    "hold**, bytes: 80.0 %, reported 90 |",
                "| 2 | A beats B | holds | best validation accuracy: a (90.0 %) against b (80.0 %) |  |",
                "| 2 | A reaches 90.0 % | holds | best validation accuracy of a: 90.0 %, reported 90 |  |",
            ],
            Plain(report.ToMarkdown()).TrimEnd().Split('\n'));
        Assert.Contains("2 of 2 verdicts differ with the choice (⇄): 2 are opposite, 0 undecided", report.ToHtml(),
            StringComparison.Ordinal);
        Assert.Contains("⇄ <span class=\"verdict fails\">does not hold</span> (<a href=\"#e-1b\">1b</a>, bytes)",
            report.ToHtml(), StringComparison.Ordinal);
        // A reading alone is a row as any other.
        Assert.Contains(
            "| 1b | A beats B | does not hold | best validation accuracy: a (80.0 %) against b (90.0 %) |\n",
            Plain((report with { Experiments = [bytes, alone] }).ToMarkdown()), StringComparison.Ordinal);

        // A number stays on the line of its unit.
        static string Plain(string text) => text.Replace('\u00A0', ' ');

        static ExperimentOutcome Read(string name, string? reading, double a, double b)
        {
            var experiment = new Experiment(name, name, new Dictionary<string, string>(),
                [new("letter", [Level("a"), Level("b")])], Measure.Best)
            {
                Reading = reading is null ? null : new("1", reading),
                Claims = [new("A beats B", new Higher(Measure.Best, "a", "b")),
                    new("A reaches 90.0 %", new Near(Measure.Best, "a", 90, 1))],
            };
            var runs = new CaseRuns(experiment.Cases());
            for (var seed = 1UL; seed <= 3; seed++)
                foreach (var (label, accuracy) in new[] { ("a", a), ("b", b) })
                    runs.Add(
                        label, seed,
                        [new(0, null, 2.3, Measures.Accuracy(0.1), 1),
                            new(1, 1, 1, Measures.Accuracy(accuracy + 0.001 * (seed - 2.0) * (label == "a" ? 1 : 2)),
                                1)]);
            return ExperimentOutcome.Of(experiment, runs);
        }
    }

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

    // Student's t of 99.8, 99.9, 99.4 reaches to 100.36, of 0, 0.1, 0.5 below 0: neither can be, nor a band of one
    // deviation there.
    [Theory]
    [InlineData(0.998, 0.999, 0.994)]
    [InlineData(0, 0.001, 0.005)]
    [InlineData(1, 1, 0.7)]
    [InlineData(0, 0.3, 0)]
    public void No_interval_of_an_accuracy_leaves_0_to_100_percent(double first, double second, double third)
    {
        var experiment = new Experiment("edge", "Edge", new Dictionary<string, string>(),
            [new("letter", [Level("a"), Level("b")])], Measure.Best)
        {
            Plots = [new("edge", Quantity.ValidationAccuracy, "Edge")],
            Claims = [new("near", new Near(Measure.Best, "a", 99, 1)),
                new("higher", new Higher(Measure.Best, "a", "b")),
                new("lower", new Lower(Measure.Best, "a", "b")), new("beyond", new Beyond(Measure.Best, "a", 50)),
                new("below", new Beyond(Measure.Best, "a", 50, Above: false)),
                    new("soon", new Near(Measure.BestEpoch, "a", 1, 1))],
        };
        var runs = new CaseRuns(experiment.Cases());
        double[] accuracies = [first, second, third];
        for (var seed = 0; seed < 3; seed++)
            foreach (var (label, accuracy) in new[] { ("a", accuracies[seed]), ("b", 1 - accuracies[seed]) })
                runs.Add(label, (ulong)seed + 1, [.. Enumerable.Range(0, 3)
                    .Select(
                        epoch => new EpochResult(epoch, epoch == 0 ? null : 0, 0, Measures.Accuracy(accuracy), 1))]);
        var (low, high) = Sample.Of(runs.Values("a", Measure.Best)).MeanInterval();
        Assert.True(low < 0 || high > 100);
        var report = new StudyReport("Edges", [ExperimentOutcome.Of(experiment, runs)], []);
        StudyFiles.Write(report, folder);
        var json = JsonDocument.Parse(Text("results.json")).RootElement.GetProperty("experiments")[0];
        foreach (var one in json.GetProperty("cases").EnumerateArray()) Within(one, 0, 100);
        var evidence = json.GetProperty("claims").EnumerateArray().Select(claim => claim.GetProperty("evidence")[0])
            .ToArray();
        Within(evidence[0], 0, 100);
        Within(evidence[1], -100, 100);
        Within(evidence[2], -100, 100);
        Within(evidence[3], -50, 50);
        Within(evidence[4], -50, 50);
        Within(evidence[5], 0, double.PositiveInfinity);
        Assert.Contains("Intervals: Student's t over seeds, cut off at 0 and 100 %", report.ToHtml(),
            StringComparison.Ordinal);
        // The axis has the band's range: no tick lies outside either.
        var figure = CurveFigure.Draw(experiment.Plots[0], experiment, runs);
        var texts = figure.Descendants().Where(part => part.Name.LocalName == "text").Select(part => part.Value);
        Assert.All(texts, text => Assert.InRange(double.TryParse(text, CultureInfo.InvariantCulture, out var tick)
            ? tick : 0, 0, 100));

        static void Within(JsonElement one, double least, double most)
        {
            var (low, high) = (one.GetProperty("low95"), one.GetProperty("high95"));
            if (low.ValueKind == JsonValueKind.Null) return;
            Assert.InRange(low.GetDouble(), least, most);
            Assert.InRange(high.GetDouble(), low.GetDouble(), most);
        }
    }

    [Fact]
    public void A_table_of_contents_leads_to_every_section()
    {
        var html = Report(null).ToHtml();
        var contents = html[html.IndexOf("<nav", StringComparison.Ordinal)..html.IndexOf("</nav>",
            StringComparison.Ordinal)];
        var links = Regex.Matches(contents, "href=\"#([^\"]+)\"").Select(match => match.Groups[1].Value).ToArray();
        Assert.Equal(["verdicts", "e-1", "trials"], links);
        Assert.All(links, link => Assert.Contains($"id=\"{link}\"", html, StringComparison.Ordinal));
        Assert.Contains(">1: A &amp; B</a>", contents, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_from_files_are_text_on_the_page_and_in_figures()
    {
        const string hostile = "<script>alert(1)</script>\"&\u0001\u001b";
        var experiment = new Experiment("1", hostile, new Dictionary<string, string>(),
            [new(hostile, [Level(hostile), Level("b")])], Measure.Best)
        {
            Plots = [new("1", Quantity.ValidationAccuracy, hostile)],
            Choices = [hostile],
        };
        var runs = new CaseRuns(experiment.Cases());
        foreach (var label in new[] { hostile, "b" })
            for (var seed = 1UL; seed <= 2; seed++) runs.Add(label, seed,
                [new(0, null, 1, Measures.Accuracy(0.1), 1), new(1, 1, 1, Measures.Accuracy(0.1 * seed), 1)], hostile);
        var report = new StudyReport(hostile, [ExperimentOutcome.Of(experiment, runs)], [])
        {
            Note = hostile,
            Mark = hostile,
        };
        StudyFiles.Write(report, folder);
        Assert.DoesNotContain("<script", Text("report.html"), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Text("report.html"), sign => char.IsControl(sign) && sign is not ('\n' or '\r'));
        Assert.Contains("<script>alert(1)</script>", XDocument.Parse(Text("figures/figure-1.svg")).Root!.Value,
            StringComparison.Ordinal);
    }

    private string Text(string name) => File.ReadAllText(Path.Combine(folder, name));

    private static StudyReport Report(string? mark, string claim = "A beats B")
    {
        var experiment = new Experiment("1", "A & B", new Dictionary<string, string>(),
            [new("letter", [Level("a"), Level("b")])], Measure.Best)
        {
            Seeds = [1, 2],
            Plots = [new("1", Quantity.ValidationAccuracy, "A & B")],
            Claims = [new(claim, new Higher(Measure.Best, "a", "b"))],
        };
        var runs = new CaseRuns(experiment.Cases());
        foreach (var (label, seed, accuracy) in (IEnumerable<(string, ulong, double)>)[("a", 1, 0.9), ("a", 2, 0.91),
            ("b", 1, 0.8), ("b", 2, 0.82)])
            runs.Add(
                label, seed,
                [new(0, null, 2.3, Measures.Accuracy(0.1), 1), new(1, 1, 1, Measures.Accuracy(accuracy), 1)],
                label == "b" && seed == 2
                ? ["Units are dead."]
                : []);
        return new("Letters", [ExperimentOutcome.Of(experiment, runs)], [])
        {
            Note = "A note.",
            Time = new(10, 20, 19),
            Mark = mark,
        };
    }

    private static Level Level(string name) => new(name, new Dictionary<string, string> { ["letter"] = name });
}
