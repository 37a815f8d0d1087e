using System.Globalization;
using System.Text;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>What a report shows.</summary>
/// <param name="Title">The heading.</param>
/// <param name="Settings">Name and value of each setting.</param>
/// <param name="Result">What was measured.</param>
/// <param name="Evaluation">Of the best model, on the validation samples.</param>
/// <param name="ClassNames">What the labels mean.</param>
/// <param name="Boundary">For two features: the model, to draw its decision, else null.</param>
public sealed record RunReport(
    string Title, IReadOnlyList<(string Name, string Value)> Settings, TrainingResult Result, Evaluation Evaluation,
    IReadOnlyList<string> ClassNames, Layer? Boundary)
{
    /// <summary>Validation samples that the best model got wrong, surest first.</summary>
    public IReadOnlyList<CaptionedImage> Mistakes { get; init; } = [];

    /// <summary>The best model's first layer.</summary>
    public IReadOnlyList<CaptionedImage> Filters { get; init; } = [];

    /// <summary>What watched the training, or null.</summary>
    public TrainingDoctor? Doctor { get; init; }

    /// <summary>
    /// The best model on samples that it learned from, as they are (not augmented); null where it was not measured.
    /// </summary>
    public Evaluation? Training { get; init; }

    /// <summary>How many training samples there are, of which <see cref="Training"/> may have seen a part.</summary>
    public int TrainingSamples { get; init; }

    /// <summary>
    /// The best model on samples that were kept back for the very end; null where it was not measured.
    /// </summary>
    public Evaluation? Test { get; init; }

    /// <summary>Why the run could not reach its last epoch, or null: its loss is not finite.</summary>
    public string? Problem { get; init; }

    /// <summary>The best model's layers, see <see cref="LayerRow.Of"/>.</summary>
    public IReadOnlyList<LayerRow> Layers { get; init; } = [];

    private const string Style = """
        body { max-width: 60rem }
        th, td { text-align: right } th:first-child, td:first-child { text-align: left } td { white-space: nowrap }
        .facts :is(th, td), .layers :is(th, td):not(:nth-child(n+5)), .readings :nth-child(2) { text-align: left }
        .facts td:not(:nth-child(2)), .layers td:nth-child(4) { white-space: normal }
        @media screen and (max-width: 40rem) {
          .facts tr { display: grid; grid-template-columns: 1fr auto; border-bottom: 1px solid var(--line) }
          .facts td { border: 0 }
          .facts td:last-child { grid-column: 1 / -1; color: var(--quiet) } .facts tr:first-child { display: none }
        }
        .sheet { display: flex; flex-wrap: wrap; gap: .6rem }
        .sheet figure { margin: 0; width: calc(1.6 * var(--side)); text-align: center; overflow: visible }
        .sheet img { width: var(--side); height: var(--side); image-rendering: pixelated }
        .sheet figcaption { font-size: .75rem; line-height: 1.2 }
        .confusion td { text-align: center; border: 1px solid var(--line); print-color-adjust: exact }
        """;

    /// <summary>The page: self-contained, no script, light or dark, readable on a phone and in print.</summary>
    public string ToHtml()
    {
        var text = new StringBuilder(ReportPage.Head(Title, Style));
        Facts(text);
        Figure(text, RunFigures.Accuracy(Result.Epochs),
            "Accuracy on the validation samples, before training (epoch 0) and after each epoch.");
        Figure(text, RunFigures.Loss(Result.Epochs),
            "Loss per sample. Training loss is measured while the parameters change.");
        if (Boundary is not null)
            Figure(text, DecisionBoundary.Draw(Boundary),
                "Decision of the best model over both features; the stronger the colour, the surer. Dashed: the true "
                + "boundary.");
        LayerTable(text);
        if (Doctor is not null) Diagnosis(text, Doctor);
        Classes(text);
        Confusion(text);
        Images(text, "Surest mistakes", "Validation samples that the best model got wrong, the surest first: what it said, how probable it held that, and the label. Each image is stretched to its full contrast.", Mistakes, 64);
        Images(text, "First layer", "Filters of the best model's first layer: mid-grey is 0.", Filters, 48);
        Table(text, "Epochs", ["epoch", "training loss", "validation loss", "validation accuracy", "seconds"], Result.Epochs.Select(epoch => (string[])
            [$"{epoch.Epoch}", epoch.TrainLoss is { } loss ? Format(loss, "0.0000") : "–", Format(epoch.ValidationLoss, "0.0000"), Format(epoch.ValidationAccuracy, "0.0000"), Format(epoch.Seconds, "0.00")]));
        Table(text, "Settings", ["setting", "value"], Settings.Select(setting => (string[])[setting.Name, setting.Value]));
        return text.Append("</body></html>\n").ToString();
    }

    // What was measured, each with how.
    private void Facts(StringBuilder text)
    {
        if (Result.Epochs.Count == 0) text.Append("<p>No epoch was measured.</p>\n");
        else
        {
            var (best, final) = (Result.Best, Result.Final);
            text.Append(CultureInfo.InvariantCulture,
                $"<p>Best validation accuracy <b>{Percent(best.ValidationAccuracy)}</b> after epoch {best.Epoch}; ");
            text.Append(CultureInfo.InvariantCulture, $"at the end {Percent(final.ValidationAccuracy)}.</p>\n");
        }
        if (Problem is not null) text.Append($"<p><b>The run did not reach its end.</b> {Escape(Problem)}.</p>\n");
        var facts = new List<string[]>();
        var (right, count) = Counts(Evaluation);
        if (count > 0)
            facts.Add(["validation accuracy of the best model", Percent(Evaluation.Accuracy),
                Line($"of {count:N0} samples; {Interval(right, count)} (Wilson's score interval). ")
                + "The epoch was chosen by these samples, which flatters a little."]);
        if (Test is { } test && Counts(test) is (var found, > 0 and var all))
            facts.Add(["test accuracy of the best model", Percent(test.Accuracy),
                Line($"of {all:N0} samples, measured once, at the end; {Interval(found, all)}")]);
        if (Training is { } training && Counts(training).Count is > 0 and var seen)
        {
            var of = seen < TrainingSamples ? Line($"{seen:N0} of the {TrainingSamples:N0}") : Line($"all {seen:N0}");
            var drawn = seen < TrainingSamples ? ", drawn at random" : "";
            facts.Add(["training accuracy of the best model", Percent(training.Accuracy),
                $"measured after training on {of} training samples{drawn}, not augmented"]);
        }
        if (Layers.Count > 0)
            facts.Add(["parameters", Line($"{Layers.Sum(layer => layer.Count):N0}"),
                "numbers that are learned; shared ones count once"]);
        if (Result.Capture is { } capture)
            facts.Add(["training steps", capture.Plans > 0 ? "captured" : "eager", $"{capture}"]);
        if (facts.Count > 0) text.Append(ReportPage.Table(["what", "value", "how"], facts, "facts"));
    }

    private static string Interval(long right, long count)
    {
        var (low, high) = Proportion.Interval(right, count);
        return $"95 % interval {Percent(low)} to {Percent(high)}";
    }

    private static (long Right, long Count) Counts(Evaluation evaluation)
    {
        var scores = ClassScore.Of(evaluation.Confusion);
        return (scores.Sum(score => (long)score.Right), scores.Sum(score => (long)score.Samples));
    }

    private void Diagnosis(StringBuilder text, TrainingDoctor doctor)
    {
        text.Append("<h2>Training doctor</h2>");
        string[] ending = Problem is null ? [] : [$"It diverged: {Problem}. Rule: a loss is finite."];
        IReadOnlyList<string> advice = [.. ending, .. doctor.Advice(Result.Epochs)];
        text.Append("<ul>").AppendJoin("", advice.Select(line => $"<li>{Escape(line)}</li>")).Append("</ul>\n");
        if (advice.Count == 0) text.Append("<p>Nothing to complain of.</p>\n");
        if (RunFigures.Gradients(doctor.History) is { } figure)
            Figure(text, figure, "2-norm of each layer's gradient, at the second step of each epoch.");
        if (doctor.History.Count > 0) Readings(text, doctor.History);
    }

    private void LayerTable(StringBuilder text)
    {
        if (Layers.Count == 0) return;
        string[] heads = ["layer", "is", "output of a sample", "parameters", "how many"];
        Table(text, "Layers", heads, Layers.Select(layer => (string[])
        [
            layer.Path, layer.Name, layer.Output, layer.Parameters, layer.Count == 0 ? "" : Line($"{layer.Count:N0}"),
        ]), "layers");
    }

    // What the doctor read of each layer, in the order of the layers; of one that is not listed only the path is known.
    private void Readings(StringBuilder text, IReadOnlyList<LayerReading> history)
    {
        var paths = history.Select(row => row.Layer).Distinct().ToArray();
        var known = Layers.Where(layer => paths.Contains(layer.Path));
        var listed = known.Select(layer => (layer.Path, layer.Name)).ToArray();
        var others = paths.Except(listed.Select(layer => layer.Path)).Select(path => (path, ""));
        string[] heads = ["layer", "is", "gradient norm, first epoch", "last epoch", "update / weight, first epoch",
            "last epoch", "dead or saturated, at first", "at last"];
        text.Append(ReportPage.Table(heads, listed.Concat(others).Select(layer =>
        {
            var rows = history.Where(row => row.Layer == layer.Item1).ToArray();
            return (string[])
            [
                layer.Item1, layer.Item2, .. Ends(rows, row => row.GradientNorm, "0.0E+0"),
                .. Ends(rows, row => row.UpdateRatio, "0.0E+0"), .. Ends(rows, row => row.Idle, "P1"),
            ];
        }), "readings"));

        static IEnumerable<string> Ends(LayerReading[] rows, Func<LayerReading, double> value, string format)
        {
            double[] known = [.. rows.Select(value).Where(double.IsFinite)];
            return known.Length == 0 ? ["", ""] : [Format(known[0], format), Format(known[^1], format)];
        }
    }

    private void Classes(StringBuilder text)
    {
        var scores = ClassScore.Of(Evaluation.Confusion);
        if (scores.Count == 0) return;
        text.Append("<h2>Classes</h2><p>Of the best model, on the validation samples. Precision: the share of what ");
        text.Append("was taken for the class that is of it. Recall: the share of the class that was taken for it. ");
        text.Append("–: there was none.</p>\n");
        text.Append(ReportPage.Table(["class", "samples", "taken for it", "right", "precision", "recall"],
            scores.Select((score, i) => (string[])
        [
            ClassName(i), Line($"{score.Samples:N0}"), Line($"{score.Predicted:N0}"), Line($"{score.Right:N0}"),
            Percent(score.Precision), Percent(score.Recall),
        ])));
    }

    // A network may tell more classes apart than have names.
    private string ClassName(int index) => index < ClassNames.Count ? ClassNames[index] : $"{index}";

    private void Confusion(StringBuilder text)
    {
        var counts = Evaluation.Confusion;
        var classes = counts.GetLength(0);
        if (classes == 0) return;
        text.Append("<h2>Confusion matrix</h2><p>Rows: the label. Columns: the best model's prediction.</p><div class=\"wide\"><table class=\"confusion\"><tr><th></th>");
        for (var j = 0; j < classes; j++) text.Append(CultureInfo.InvariantCulture, $"<th>{Escape(ClassName(j))}</th>");
        text.Append("</tr>");
        for (var i = 0; i < classes; i++)
        {
            var total = Enumerable.Range(0, classes).Sum(j => counts[i, j]);
            text.Append(CultureInfo.InvariantCulture, $"<tr><th>{Escape(ClassName(i))}</th>");
            for (var j = 0; j < classes; j++)
            {
                var share = total == 0 ? 0 : (double)counts[i, j] / total;
                var color = i == j ? "0,114,178" : "213,94,0";
                text.Append(CultureInfo.InvariantCulture, $"<td style=\"background:rgba({color},{share * 0.6:0.00})\">{counts[i, j]}</td>");
            }
            text.Append("</tr>");
        }
        text.Append("</table></div>\n");
    }

    private static void Images(StringBuilder text, string title, string caption, IReadOnlyList<CaptionedImage> images, int side)
    {
        if (images.Count == 0) return;
        text.Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2><p>{caption}</p><div class=\"sheet\" style=\"--side:{side}px\">");
        foreach (var (address, label) in images)
            text.Append(CultureInfo.InvariantCulture, $"<figure><img src=\"{address}\" alt=\"{Escape(label)}\"><figcaption>{Escape(label)}</figcaption></figure>");
        text.Append("</div>\n");
    }

    private static void Table(
        StringBuilder text, string title, IEnumerable<string> heads, IEnumerable<IReadOnlyList<string>> rows,
        string kind = "") =>
        text.Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2>{ReportPage.Table(heads, rows, kind)}");

    private static void Figure(StringBuilder text, string svg, string caption) =>
        text.Append(CultureInfo.InvariantCulture, $"<figure>{svg}<figcaption>{caption}</figcaption></figure>\n");

    private static string Format(double value, string format) =>
        double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture)
        : double.IsNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";

    private static string Percent(double share) =>
        double.IsNaN(share) ? "–" : share.ToString("P2", CultureInfo.InvariantCulture);

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string Escape(string text) => ReportPage.Escape(text);
}
