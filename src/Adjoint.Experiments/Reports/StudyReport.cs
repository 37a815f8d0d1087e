using System.Globalization;
using System.Text;

namespace Adjoint.Experiments;

/// <summary>An experiment with its trials, judged.</summary>
public sealed record Judged(Experiment Experiment, CaseRuns Runs, IReadOnlyList<Finding> Findings)
{
    /// <summary>Judges the experiment's claims; without any, compares its cases two by two.</summary>
    public static Judged Of(Experiment experiment, CaseRuns runs)
    {
        const int MostPairs = 15;
        var labels = runs.Cases.Select(one => one.Label).ToArray();
        var claims = experiment.Claims.Count > 0
            ? experiment.Claims
            : [.. (from i in Enumerable.Range(0, labels.Length) from j in Enumerable.Range(i + 1, labels.Length - i - 1) select new Claim($"{labels[i]} and {labels[j]} differ", new Differ(experiment.Measure, labels[i], labels[j]))).Take(MostPairs)];
        return new(experiment, runs, Finding.Of(claims, runs));
    }
}

/// <summary>What a study shows: figures, claims with verdicts, trials.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Experiments">In order.</param>
/// <param name="Trials">Every trial that is complete, with its folder's key.</param>
/// <param name="Note">What a reader should know first, such as how long it all took; null leaves it out.</param>
/// <param name="Time">Where the time went, or null where it is not known.</param>
/// <param name="Mark">What marks it as a quick look, or null for a whole one.</param>
public sealed record StudyReport(string Title, IReadOnlyList<Judged> Experiments, IReadOnlyList<(Trial Trial, TrialResult Result)> Trials, string? Note, SweepTime? Time, string? Mark)
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

    /// <summary>The page: self-contained, no script, light or dark, readable on a phone and in print.</summary>
    public string ToHtml()
    {
        var text = new StringBuilder(ReportPage.Head(Title, Style));
        if (Mark is not null) text.Append(CultureInfo.InvariantCulture, $"<p class=\"mark\">{Escape(Mark)}</p>\n");
        if (Note is not null) text.Append(CultureInfo.InvariantCulture, $"<p>{Escape(Note)}</p>\n");
        Contents(text);
        Summary(text);
        foreach (var one in Experiments) Section(text, one);
        AllTrials(text);
        return text.Append("</body></html>\n").ToString();
    }

    /// <summary>The verdicts as a table of Markdown, for a README.</summary>
    public string ToMarkdown()
    {
        var rows = Rows();
        var second = rows.Any(row => row.Others.Count > 0);
        var text = new StringBuilder($"| figure | claim | verdict | found |{(second ? " read another way |" : "")}\n|---|---|---|---|{(second ? "---|" : "")}\n");
        foreach (var row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.First.Of.Name} | {Cell(row.First.Finding.Claim.Text)} | {VerdictText(row.First.Finding)} | {Cell(string.Join("; ", row.First.Finding.Found))} |");
            if (second) text.Append(CultureInfo.InvariantCulture, $" {string.Join("<br>", row.Others.Select(other => $"{(Differ(row.First, other) ? $"**{VerdictText(other.Finding)}**" : VerdictText(other.Finding))}, {Cell(other.Of.Reading!.Label)}: {Cell(Short(other.Finding))}"))} |");
            text.Append('\n');
        }
        return text.ToString();
    }

    /// <summary>A verdict in words. A quick look judges nothing.</summary>
    public string VerdictText(Finding finding) => Mark is not null ? "not judged (quick)" : finding.Verdict switch { Verdict.Holds => "holds", Verdict.DoesNotHold => "does not hold", _ => "undecided" };

    private void Contents(StringBuilder text)
    {
        text.Append("<nav aria-label=\"Contents\"><h2>Contents</h2><ul><li><a href=\"#verdicts\">Verdicts</a></li>\n");
        foreach (var one in Experiments)
            text.Append(CultureInfo.InvariantCulture,
                $"<li>{Link(one.Experiment, $"{one.Experiment.Name}: {one.Experiment.Title}")}</li>\n");
        text.Append("<li><a href=\"#trials\">All trials</a></li></ul></nav>\n");
    }

    private void Summary(StringBuilder text)
    {
        var seeds = Experiments.Max(one => one.Experiment.Seeds.Count);
        if (seeds is >= 2 and <= FewSeeds)
            text.Append(CultureInfo.InvariantCulture, $"<p><b>{Words(seeds)} seeds prove little.</b> With {seeds}, a paired test at 5 % finds a difference four times in five only when it is {Rule.Number(Detectable(seeds))} times the spread between seeds, before any correction for several tests. “Undecided” then means: run more seeds. Beside each comparison stands how many would settle it, if the effect is as large as it looks; that estimate is itself rough.</p>\n");
        else if (seeds == 1) text.Append("<p><b>One seed proves nothing</b>: how far results spread is unknown, so no claim that rests on a comparison is decided.</p>\n");
        var rows = Rows();
        var second = rows.Any(row => row.Others.Count > 0);
        text.Append("<h2 id=\"verdicts\">Verdicts</h2>\n");
        if (second && Mark is null)
        {
            var again = rows.Where(row => row.Others.Count > 0).ToArray();
            var (differ, oppose) = (again.Count(row => row.Others.Any(other => Differ(row.First, other))), again.Count(row => row.Others.Any(other => Oppose(row.First, other))));
            text.Append(CultureInfo.InvariantCulture, $"<p>Where something was left open, both ways to read it were run. {differ} of {again.Length} verdicts differ with the choice (⇄): {oppose} are opposite, {differ - oppose} undecided in one of the readings.</p>\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"<div class=\"wide\"><table class=\"verdicts\"><tr><th>figure</th><th>claim</th><th>verdict</th><th>found</th>{(second ? "<th>read another way</th>" : "")}</tr>");
        foreach (var row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"<tr><td>{Link(row.First.Of)}</td><td>{Escape(row.First.Finding.Claim.Text)}</td><td class=\"verdict {Class(row.First.Finding)}\">{VerdictText(row.First.Finding)}</td><td>{Escape(string.Join("; ", row.First.Finding.Found))}</td>");
            if (second) text.Append(CultureInfo.InvariantCulture, $"<td>{string.Join("<br>", row.Others.Select(other => $"{(Differ(row.First, other) ? "⇄ " : "")}<span class=\"verdict {Class(other.Finding)}\">{VerdictText(other.Finding)}</span> ({Link(other.Of)}, {Escape(other.Of.Reading!.Label)}): {Escape(Short(other.Finding))}"))}</td>");
            text.Append("</tr>");
        }
        text.Append("</table></div>\n");
    }

    private static string Link(Experiment one, string? text = null) =>
        $"<a href=\"#e-{Escape(one.Name)}\">{Escape(text ?? one.Name)}</a>";

    // The verdicts of a claim, side by side for each reading of the same: the first is the row, whatever it is.
    private IReadOnlyList<(Reread First, IReadOnlyList<Reread> Others)> Rows() =>
    [
        .. from readings in Experiments.GroupBy(one => (one.Experiment.Reading?.Of, Alone: one.Experiment.Reading is null ? one.Experiment.Name : null))
           from row in readings.SelectMany(one => one.Findings.Select((finding, claim) => (Claim: claim, One: new Reread(one.Experiment, finding)))).GroupBy(one => one.Claim, one => one.One)
           select (row.First(), (IReadOnlyList<Reread>)[.. row.Skip(1)]),
    ];

    private static bool Differ(Reread first, Reread other) => first.Finding.Verdict != other.Finding.Verdict;

    private static bool Oppose(Reread first, Reread other) => Differ(first, other) && first.Finding.Verdict != Verdict.Undecided && other.Finding.Verdict != Verdict.Undecided;

    // Beside the first reading the measure need not be said again.
    private static string Short(Finding finding) => finding.Found.Count == 1 ? finding.Found[0].Found : string.Join("; ", finding.Found);

    private sealed record Reread(Experiment Of, Finding Finding);

    private void Section(StringBuilder text, Judged one)
    {
        var (experiment, runs) = (one.Experiment, one.Runs);
        text.Append(CultureInfo.InvariantCulture, $"<section id=\"e-{Escape(experiment.Name)}\"><h2>{Escape(experiment.Title)}</h2>\n");
        foreach (var plot in experiment.Plots)
        {
            var figure = CurveFigure.Draw(plot, experiment, runs, Mark is null ? null : "QUICK");
            text.Append($"<figure>{figure}<figcaption>{Caption(plot, experiment, runs)}</figcaption></figure>\n");
        }
        text.Append(CultureInfo.InvariantCulture, $"<div class=\"wide\"><table><tr><th>case</th><th class=\"n\">{Escape(experiment.Measure.Title)} / {Escape(experiment.Measure.Unit)}: mean</th><th class=\"n\">standard deviation</th><th class=\"n\">95 % interval of the mean</th><th class=\"n\">seeds</th><th class=\"n\">best epoch, seed by seed</th></tr>");
        foreach (var each in runs.Cases)
        {
            var sample = Sample.Of(runs.Values(each.Label, experiment.Measure));
            var (low, high) = experiment.Measure.Possible(sample.MeanInterval());
            text.Append(CultureInfo.InvariantCulture, $"<tr><td>{Escape(each.Label)}</td><td class=\"n\">{Digits(sample.Mean)}</td><td class=\"n\">{Digits(sample.Deviation)}</td><td class=\"n\">{Digits(low)} to {Digits(high)}</td><td class=\"n\">{sample.Count} of {experiment.Seeds.Count}</td><td class=\"n\">{string.Join(", ", runs.Values(each.Label, Measure.BestEpoch))}</td></tr>");
        }
        text.Append("</table></div>\n");
        text.Append(CultureInfo.InvariantCulture,
            $"<p class=\"rule\">Intervals: Student's t over seeds{Cut(experiment.Measure)}.</p>\n");
        if (experiment.Choices.Count > 0)
            text.Append("<h3>Chosen, because it was left open</h3><ul>").AppendJoin("", experiment.Choices.Select(choice => $"<li>{Escape(choice)}</li>")).Append("</ul>\n");
        Doctor(text, one);
        text.Append(experiment.Claims.Count > 0 ? "<h3>Claims</h3>\n" : "<h3>Comparisons</h3>\n");
        foreach (var finding in one.Findings) Claim(text, finding);
        text.Append("</section>\n");
    }

    private string Caption(Plot plot, Experiment experiment, CaseRuns runs)
    {
        var quantity = Capital(CurveFigure.Unit(plot.Quantity).Split(" /")[0]);
        var text = new StringBuilder($"Figure {Escape(plot.Number)}. {quantity} by epoch");
        if (plot.Quantity != Quantity.TrainLoss) text.Append("; epoch 0 is before training");
        text.Append(". Line: mean over seeds; band: ± one standard deviation, within what is possible; thin: ");
        text.Append("single runs.");
        if (CurveFigure.CloseUp(plot, experiment, runs) is not null)
            text.Append(" Above, enlarged, what lies close together.");
        if (runs.Cases.Count is > CurveFigure.MostCases and var all)
            text.Append(CultureInfo.InvariantCulture, $" The {CurveFigure.MostCases} best of {all} cases.");
        if (Mark is not null) text.Append(" Quick look: a share of epochs and data.");
        return text.ToString();
    }

    private static string Cut(Measure measure) => (double.IsFinite(measure.Least), double.IsFinite(measure.Most)) switch
    {
        (true, true) => $", cut off at {Rule.Number(measure.Least)} and {Rule.Number(measure.Most)} {measure.Unit}, "
            + "beyond which there is nothing",
        (true, false) => $", cut off at {Rule.Number(measure.Least)}, below which there is nothing",
        _ => "",
    };

    // What it says differs in numbers from seed to seed: one seed speaks for a case, the table of trials has them all.
    private static void Doctor(StringBuilder text, Judged one)
    {
        var found = one.Runs.Cases.Select(each => (each.Label, Advice: one.Runs.Advice(each.Label))).Where(each => each.Advice.Count > 0).ToArray();
        if (found.Length == 0) return;
        text.Append("<h3>Training doctor</h3><ul>");
        foreach (var (label, advice) in found)
            text.Append(CultureInfo.InvariantCulture, $"<li><b>{Escape(label)}</b>, {advice.Count} of {one.Runs.Of(label).Count} seeds; of seed {advice[0].Seed}:<ul class=\"rule\">{string.Concat(advice[0].Lines.Select(line => $"<li>{Escape(line)}</li>"))}</ul></li>");
        text.Append("</ul>\n");
    }

    private void Claim(StringBuilder text, Finding finding)
    {
        text.Append(CultureInfo.InvariantCulture, $"<div class=\"claim\"><p><b>{Escape(finding.Claim.Text)}</b>: <span class=\"verdict {Class(finding)}\">{VerdictText(finding)}</span></p>");
        if (finding.Evidence.Count > 0)
        {
            text.Append("<div class=\"wide\"><table><tr><th>compared</th><th class=\"n\">estimate</th><th class=\"n\">95 % interval</th><th>test</th><th class=\"n\">p</th><th class=\"n\">p, Holm</th><th class=\"n\">effect</th><th class=\"n\">seeds; would settle it</th></tr>");
            foreach (var one in finding.Evidence)
                text.Append(CultureInfo.InvariantCulture, $"<tr><td>{Escape($"{one.Compared}")}</td><td class=\"n\">{Rule.Number(one.Estimate)}</td><td class=\"n\">{Rule.Number(one.Low)} to {Rule.Number(one.High)}</td><td>{Escape(one.Test)}</td><td class=\"n\">{Rule.Number(one.P)}</td><td class=\"n\">{Rule.Number(one.AdjustedP)}</td><td class=\"n\">{Escape(one.Effect)}</td><td class=\"n\">{one.Seeds}; {(one.SeedsNeeded is { } needed ? $"{needed}" : "–")}</td></tr>");
            text.Append("</table></div>");
        }
        text.Append(CultureInfo.InvariantCulture, $"<p class=\"rule\">Rule: {Escape(string.Join("; and ", finding.Claim.Rules.Select(rule => rule.Text)))}.</p></div>\n");
    }

    private void AllTrials(StringBuilder text)
    {
        text.Append("<section id=\"trials\"><h2>All trials</h2><div class=\"wide\"><table><tr><th>case; trial</th><th>settings; what repeats it</th><th class=\"n\">best accuracy / %</th><th class=\"n\">epoch</th><th class=\"n\">at the end / %</th><th class=\"n\">time / s</th><th>doctor</th></tr>");
        foreach (var (trial, result) in Trials)
            text.Append(CultureInfo.InvariantCulture, $"<tr><td>{Escape(trial.Title)}<br><code>{trial.Key}</code>{(result.Problem is null ? "" : $"<br>{Escape(result.Problem)}")}</td><td>{Escape(string.Join(", ", trial.Settings.Select(setting => $"{setting.Key} {setting.Value}")))}<details><summary>command</summary><code>{Escape(result.Command)}</code></details></td><td class=\"n\">{Digits(Measure.Best.Of(result.Epochs))}</td><td class=\"n\">{Measure.BestEpoch.Of(result.Epochs)}</td><td class=\"n\">{Digits(Measure.Final.Of(result.Epochs))}</td><td class=\"n\">{result.Seconds:0}</td><td>{(result.Advice.Count == 0 ? "" : $"<details><summary>{result.Advice.Count}</summary>{string.Join("<br>", result.Advice.Select(Escape))}</details>")}</td></tr>");
        text.Append("</table></div>");
        foreach (var machine in Trials.Select(trial => trial.Result.Machine).Distinct()) text.Append(CultureInfo.InvariantCulture, $"<p>Machine: {Escape(machine)}.</p>");
        text.Append("</section>\n");
    }

    private string Class(Finding finding) => Mark is not null ? "open" : finding.Verdict switch { Verdict.Holds => "holds", Verdict.DoesNotHold => "fails", _ => "open" };

    // The effect, in deviations, that a paired test of so many seeds finds four times in five; halving the interval until it is narrow.
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

    // Of a table of Markdown: a bar would end the cell, an angle bracket begin a tag.
    // The file is read in terminals too.
    private static string Cell(string text) => Printable.Line(text.ReplaceLineEndings(" "))
        .Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static string Digits(double value) => double.IsFinite(value) ? value.ToString("0.00", CultureInfo.InvariantCulture) : "–";

    private static string Escape(string text) => ReportPage.Escape(text);
}
