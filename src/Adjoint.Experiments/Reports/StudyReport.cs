using System.Globalization;
using System.Text;

namespace Adjoint.Experiments;

/// <summary>What a study shows: figures, claims with verdicts, trials.</summary>
/// <param name="Title">The heading of the page.</param>
/// <param name="Experiments">In the order in which they are shown.</param>
/// <param name="Trials">Every trial that is complete, with its result.</param>
public sealed record StudyReport(
    string Title, IReadOnlyList<ExperimentOutcome> Experiments,
    IReadOnlyList<(Trial Trial, TrialResult Result)> Trials)
{
    /// <summary>What a reader should know first, such as how long it all took; null leaves it out.</summary>
    public string? Note { get; init; }

    /// <summary>Where the time went, or null where it is not known.</summary>
    public SweepTime? Time { get; init; }

    /// <summary>What marks it as a quick look, which judges nothing, or null for a whole study.</summary>
    public string? Mark { get; init; }

    /// <summary>Writes the page: self-contained, no script, light or dark, readable on a phone and in print.</summary>
    /// <returns>The whole page as HTML.</returns>
    public string ToHtml() => new StudyPage(this).Write();

    /// <summary>Writes the verdicts as a table of Markdown, for a README.</summary>
    /// <returns>The table, a row for each claim.</returns>
    public string ToMarkdown()
    {
        var rows = VerdictRows();
        var hasOthers = rows.Any(row => row.Others.Count > 0);
        var text = new StringBuilder("| figure | claim | verdict | found |");
        text.Append(hasOthers ? " read another way |\n" : "\n").Append("|---|---|---|---|");
        text.Append(hasOthers ? "---|\n" : "\n");
        foreach (var (first, others) in rows)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {first.Of.Name} | {Cell(first.Finding.Claim.Text)} | {VerdictText(first.Finding)} | ");
            text.Append(Cell(string.Join("; ", first.Finding.Found))).Append(" |");
            if (hasOthers)
                text.Append(' ').AppendJoin("<br>", others.Select(other => Other(first, other))).Append(" |");
            text.Append('\n');
        }
        return text.ToString();

        string Other(VerdictRow first, VerdictRow other)
        {
            var verdict = VerdictText(other.Finding);
            var marked = first.DiffersFrom(other) ? $"**{verdict}**" : verdict;
            return $"{marked}, {Cell(other.Of.Reading!.Label)}: {Cell(other.Short)}";
        }
    }

    /// <summary>A verdict in words. A quick look judges nothing.</summary>
    /// <param name="finding">A claim with its verdict.</param>
    /// <returns>Such as <c>holds</c> or <c>undecided</c>.</returns>
    public string VerdictText(Finding finding) => Mark is not null ? "not judged (quick)" : finding.Verdict switch
    {
        Verdict.Holds => "holds",
        Verdict.DoesNotHold => "does not hold",
        _ => "undecided",
    };

    /// <summary>
    /// The verdicts, one row a claim: that of the first reading, whatever it is, and those of the other readings of
    /// the same.
    /// </summary>
    internal IReadOnlyList<(VerdictRow First, IReadOnlyList<VerdictRow> Others)> VerdictRows() =>
    [
        .. from readings in Experiments.GroupBy(one => one.Experiment.Reading is { } reading
               ? (reading.Of, IsReading: true)
               : (one.Experiment.Name, IsReading: false))
           from row in readings.SelectMany(one => one.Findings.Select((finding, claim) =>
               (Claim: claim, Row: new VerdictRow(one.Experiment, finding)))).GroupBy(one => one.Claim, one => one.Row)
           select (row.First(), (IReadOnlyList<VerdictRow>)[.. row.Skip(1)]),
    ];

    // Of a table of Markdown: a bar would end the cell, an angle bracket begin a tag.
    // The file is read in terminals too.
    private static string Cell(string text) => Printable.Line(text.ReplaceLineEndings(" "))
        .Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}

/// <summary>A claim's verdict in one reading of what a source leaves open.</summary>
/// <param name="Of">The experiment.</param>
/// <param name="Finding">The verdict.</param>
internal sealed record VerdictRow(Experiment Of, Finding Finding)
{
    /// <summary>What was found; beside the first reading the measure need not be said again.</summary>
    internal string Short => Finding.Found.Count == 1 ? Finding.Found[0].Found : string.Join("; ", Finding.Found);

    internal bool DiffersFrom(VerdictRow other) => Finding.Verdict != other.Finding.Verdict;

    /// <summary>Whether one verdict is the opposite of the other.</summary>
    internal bool Opposes(VerdictRow other) => DiffersFrom(other)
        && Finding.Verdict != Verdict.Undecided && other.Finding.Verdict != Verdict.Undecided;
}
