using System.Globalization;
using System.Xml.Linq;
using Adjoint.Shared;

namespace Adjoint.Experiments;

/// <summary>The page of a study: contents, verdicts, a section for each experiment, and all trials.</summary>
internal sealed class StudyPage(StudyReport report)
{
    private const int FewSeeds = 5;

    private const string Style = """
        body { max-width: 64rem } table { font-size: .9rem } h2, h3 { scroll-margin-top: .5rem }
        th, td { text-align: left; vertical-align: top } .n { text-align: right } td.n { white-space: nowrap }
        .verdict { font-weight: bold; white-space: nowrap } .holds { color: var(--good) } .fails { color: var(--bad) }
        .open { color: var(--quiet) }
        .mark { background: var(--warn); border: 2px solid var(--bad); padding: .5rem 1rem; font-weight: bold }
        .rule { color: var(--quiet); font-size: .85rem } code { font-size: .8rem; overflow-wrap: anywhere }
        details { margin: .3rem 0 }
        nav ul { columns: 2 24rem; padding-left: 1.2rem } nav li { break-inside: avoid }
        @media screen and (max-width: 40rem) {
          section table { min-width: 42rem } .wide table { font-size: .8rem }
          /* Verdicts are read from above to below: figure, claim and verdict, and beneath them what was found. */
          .verdicts, .verdicts tbody { display: block }
          .verdicts tr { display: grid; grid-template-columns: 3rem 1fr auto; border-bottom: 1px solid var(--line) }
          .verdicts td { border: 0 } .verdicts td:nth-child(n+4) { grid-column: 2 / -1; color: var(--quiet) }
          .verdicts tr:first-child, .verdicts td:empty { display: none }
        }
        @media print {
          .claim { break-inside: avoid } table { font-size: 7.5pt } td.n { white-space: normal }
          code { font-size: 6.5pt }
          details::details-content { content-visibility: visible; block-size: auto }
        }
        """;

    internal string Write() => ReportPage.Write(report.Title, Style,
        report.Mark is null ? null : new XElement("p", Html.Class("mark"), report.Mark),
        report.Note is null ? null : new XElement("p", report.Note),
        Contents(), FewSeedsNote(), Verdicts(), report.Experiments.Select(Section), AllTrials());

    private XElement Contents() => new("nav", new XAttribute("aria-label", "Contents"),
        new XElement("h2", "Contents"),
        new XElement("ul",
            new XElement("li", Anchor("verdicts", "Verdicts")),
            report.Experiments.Select(one => new XElement("li",
                Link(one.Experiment, $"{one.Experiment.Name}: {one.Experiment.Title}"))),
            new XElement("li", Anchor("trials", "All trials"))));

    private XElement? FewSeedsNote()
    {
        var seeds = report.Experiments.Max(one => one.Experiment.Seeds.Count);
        return seeds switch
        {
            1 => new("p", new XElement("b", "One seed proves nothing"),
                ": how much results vary is unknown, so no claim that rests on a comparison is decided."),
            >= 2 and <= FewSeeds => new("p", new XElement("b", $"{Words(seeds)} seeds prove little."),
                $" With {seeds}, a paired test at 5 % has a power of 80 % only for a difference of "
                + $"{Rule.Number(Detectable(seeds))} standard deviations between seeds, before any correction for "
                + "several tests. “Undecided” then means: run more seeds. Beside each comparison stands how many "
                + "would settle it, if the effect is as large as it looks; that estimate is itself rough."),
            _ => null,
        };
    }

    private IEnumerable<XElement> Verdicts()
    {
        var rows = report.VerdictRows();
        var again = rows.Where(row => row.Others.Count > 0).ToArray();
        yield return new("h2", new XAttribute("id", "verdicts"), "Verdicts");
        if (again.Length > 0 && report.Mark is null)
        {
            var differ = again.Count(row => row.Others.Any(row.First.DiffersFrom));
            var oppose = again.Count(row => row.Others.Any(row.First.Opposes));
            yield return new("p", "Where the source leaves something open, both readings were run. "
                + $"{differ} of {again.Length} verdicts differ with the choice (⇄): {oppose} are opposite, "
                + $"{differ - oppose} undecided in one of the readings.");
        }
        string[] heads = ["figure", "claim", "verdict", "found"];
        if (again.Length > 0) heads = [.. heads, "read another way"];
        yield return ReportPage.Wide("verdicts",
        [
            new("tr", heads.Select(Head)),
            .. rows.Select(row => new XElement("tr",
                Cell(Link(row.First.Of)), Cell(row.First.Finding.Claim.Text),
                new XElement("td", Html.Class($"verdict {Class(row.First.Finding)}"),
                    report.VerdictText(row.First.Finding)),
                Cell(string.Join("; ", row.First.Finding.Found)),
                again.Length > 0 ? Cell(Lines(row.Others.Select(other => Other(row.First, other)))) : null)),
        ]);
    }

    private object[] Other(VerdictRow first, VerdictRow other) =>
    [
        first.DiffersFrom(other) ? "⇄ " : "", Verdict(other.Finding), " (", Link(other.Of),
        $", {other.Of.Reading!.Label}): {other.Short}",
    ];

    private XElement Section(ExperimentOutcome one)
    {
        var (experiment, runs) = (one.Experiment, one.Runs);
        var mark = report.Mark is null ? null : "QUICK";
        return new("section", new XAttribute("id", $"e-{experiment.Name}"), new XElement("h2", experiment.Title),
            experiment.Plots.Select(plot => ReportPage.Figure(
                CurveFigure.Draw(plot, experiment, runs, mark), Caption(plot, experiment, runs))),
            Cases(experiment, runs),
            new XElement("p", Html.Class("rule"), $"Intervals: Student's t over seeds{Cut(experiment.Measure)}."),
            experiment.Choices.Count == 0 ? null : (XElement[])
            [
                new("h3", "Chosen, because the source leaves it open"),
                new("ul", experiment.Choices.Select(choice => new XElement("li", choice))),
            ],
            Doctor(one),
            new XElement("h3", experiment.Claims.Count > 0 ? "Claims" : "Comparisons"),
            one.Findings.Select(Claim));
    }

    private static XElement Cases(Experiment experiment, CaseRuns runs)
    {
        var measure = experiment.Measure;
        return ReportPage.Wide("",
        [
            new("tr", Head("case"), Heads($"{measure.Title} / {measure.Unit}: mean", "standard deviation",
                "95 % interval of the mean", "seeds", "best epoch, seed by seed")),
            .. runs.Cases.Select(each =>
            {
                var sample = Sample.Of(runs.Values(each.Label, measure));
                var (low, high) = measure.Possible(sample.MeanInterval());
                return new XElement("tr", Cell(each.Label), Number(Digits(sample.Mean)),
                    Number(Digits(sample.Deviation)), Number($"{Digits(low)} to {Digits(high)}"),
                    Number($"{sample.Count} of {experiment.Seeds.Count}"),
                    Number(string.Join(", ", runs.Values(each.Label, Measure.BestEpoch))));
            }),
        ]);
    }

    private string Caption(Plot plot, Experiment experiment, CaseRuns runs)
    {
        var quantity = CurveFigure.Unit(plot.Quantity).Split(" /")[0];
        string[] parts =
        [
            $"Figure {plot.Number}. {char.ToUpperInvariant(quantity[0])}{quantity[1..]} by epoch",
            plot.Quantity == Quantity.TrainLoss ? "" : "; epoch 0 is before training",
            ". Line: mean over seeds; band: ± one standard deviation, cut off at the bounds of the quantity; thin: ",
            "single runs.",
            CurveFigure.CloseUp(plot, experiment, runs) is null ? "" : " Above, enlarged: where the curves end.",
            runs.Cases.Count is > CurveFigure.MostCases and var all
                ? $" The {CurveFigure.MostCases} best of {all} cases."
                : "",
            report.Mark is null ? "" : " Quick look: a share of epochs and data.",
        ];
        return string.Concat(parts);
    }

    private static string Cut(Measure measure) => (double.IsFinite(measure.Least), double.IsFinite(measure.Most)) switch
    {
        (true, true) => $", cut off at {Rule.Number(measure.Least)} and {Rule.Number(measure.Most)} {measure.Unit}, "
            + "the bounds of the measure",
        (true, false) => $", cut off at {Rule.Number(measure.Least)}, the least that the measure can be",
        _ => "",
    };

    // What it says differs in numbers from seed to seed: one seed speaks for a case, the table of trials has them all.
    private static IEnumerable<XElement> Doctor(ExperimentOutcome one)
    {
        var found = one.Runs.Cases.Select(each => (each.Label, Advice: one.Runs.Advice(each.Label)))
            .Where(each => each.Advice.Count > 0).ToArray();
        if (found.Length == 0) return [];
        return
        [
            new("h3", "Training doctor"),
            new("ul", found.Select(each => new XElement("li",
                new XElement("b", each.Label), $", {each.Advice.Count} of {one.Runs.Of(each.Label).Count} seeds; ",
                $"of seed {each.Advice[0].Seed}:",
                new XElement("ul", Html.Class("rule"),
                    each.Advice[0].Lines.Select(line => new XElement("li", line)))))),
        ];
    }

    private XElement Claim(Finding finding) => new("div", Html.Class("claim"),
        new XElement("p", new XElement("b", finding.Claim.Text), ": ", Verdict(finding)),
        finding.Evidence.Count == 0 ? null : ReportPage.Wide("",
        [
            new("tr", Head("compared"), Heads("estimate", "95 % interval"), Head("test"),
                Heads("p", "p, Holm", "effect", "seeds; would settle it")),
            .. finding.Evidence.Select(one => new XElement("tr",
                Cell($"{one.Compared}"), Number(Rule.Number(one.Estimate)),
                Number($"{Rule.Number(one.Low)} to {Rule.Number(one.High)}"), Cell(one.Test),
                Number(Rule.Number(one.P)), Number(Rule.Number(one.AdjustedP)), Number(one.Effect),
                Number($"{one.Seeds}; {(one.SeedsNeeded is { } needed ? $"{needed}" : "–")}"))),
        ]),
        new XElement("p", Html.Class("rule"),
            $"Rule: {string.Join("; and ", finding.Claim.Rules.Select(rule => rule.Text))}."));

    private XElement AllTrials() => new("section", new XAttribute("id", "trials"), new XElement("h2", "All trials"),
        ReportPage.Wide("",
        [
            new("tr", Head("case; trial"), Head("settings; command that repeats it"),
                Heads("best accuracy / %", "epoch", "after the last epoch / %", "time / s"), Head("doctor")),
            .. report.Trials.Select(one => TrialRow(one.Trial, one.Result)),
        ]),
        report.Trials.Select(one => one.Result.Machine).Distinct()
            .Select(machine => new XElement("p", $"Machine: {machine}.")));

    private static XElement TrialRow(Trial trial, TrialResult result) => new("tr",
        Cell(Lines([trial.Title, new XElement("code", trial.Key),
            .. result.Problem is { } problem ? (string[])[problem] : []])),
        Cell(string.Join(", ", trial.Settings.Select(setting => $"{setting.Key} {setting.Value}")),
            Details("command", new XElement("code", result.Command))),
        Number(Digits(Measure.Best.Of(result.Epochs))), Number(Measure.BestEpoch.Of(result.Epochs)),
        Number(Digits(Measure.Final.Of(result.Epochs))),
        Number(result.Seconds.ToString("0", CultureInfo.InvariantCulture)),
        Cell(result.Advice.Count == 0 ? null : Details($"{result.Advice.Count}", Lines(result.Advice))));

    private string Class(Finding finding) => report.Mark is not null ? "open" : finding.Verdict switch
    {
        Experiments.Verdict.Holds => "holds",
        Experiments.Verdict.DoesNotHold => "fails",
        _ => "open",
    };

    private XElement Verdict(Finding finding) =>
        new("span", Html.Class($"verdict {Class(finding)}"), report.VerdictText(finding));

    private static XElement Link(Experiment one, string? text = null) => Anchor($"e-{one.Name}", text ?? one.Name);

    private static XElement Anchor(string id, string text) => new("a", new XAttribute("href", $"#{id}"), text);

    private static XElement Details(string summary, params object[] content) =>
        new("details", new XElement("summary", summary), content);

    private static IEnumerable<object> Lines(IEnumerable<object> content) =>
        content.SelectMany((line, i) => i == 0 ? [line] : (object[])[new XElement("br"), line]);

    private static XElement Head(string text) => new("th", new XAttribute("scope", "col"), text);

    private static IEnumerable<XElement> Heads(params string[] numeric) =>
        numeric.Select(text => new XElement("th", new XAttribute("scope", "col"), Html.Class("n"), text));

    private static XElement Cell(params object?[] content) => new("td", content);

    private static XElement Number(object content) => new("td", Html.Class("n"), content);

    // The effect, in deviations, for which a paired test of so many seeds has a power of 80 %; halving the interval
    // until it is narrow.
    private static double Detectable(int seeds)
    {
        var (low, high) = (0.0, 100.0);
        while (high - low > 1e-3)
        {
            var middle = (low + high) / 2;
            if (Power.OfOne(middle, seeds) >= 0.8) high = middle;
            else low = middle;
        }
        return high;
    }

    private static string Words(int number) => number switch { 2 => "Two", 3 => "Three", 4 => "Four", _ => "Five" };

    private static string Digits(double value) =>
        double.IsFinite(value) ? value.ToString("0.00", CultureInfo.InvariantCulture) : "–";
}
