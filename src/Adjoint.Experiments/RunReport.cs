using System.Globalization;
using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Shared;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>What the report of a run shows.</summary>
/// <param name="Title">The heading of the page.</param>
/// <param name="Settings">Name and value of each setting.</param>
/// <param name="Result">The epochs of the run.</param>
/// <param name="Evaluation">The best model on the validation samples.</param>
/// <param name="ClassNames">The names of the classes, in order of their labels.</param>
/// <param name="Boundary">For two features: the best model, to draw its decision boundary; else null.</param>
public sealed record RunReport(
    string Title, IReadOnlyList<(string Name, string Value)> Settings, TrainingResult Result, Evaluation Evaluation,
    IReadOnlyList<string> ClassNames, Layer? Boundary)
{
    /// <summary>Validation samples that the best model got wrong, the most confident first.</summary>
    public IReadOnlyList<CaptionedImage> Mistakes { get; init; } = [];

    /// <summary>The best model's first layer.</summary>
    public IReadOnlyList<CaptionedImage> Filters { get; init; } = [];

    /// <summary>What the model is for; by default to tell classes apart.</summary>
    public LearningTask Task { get; init; } = new ClassificationTask();

    /// <summary>The best model's predictions on the validation samples; null where they are not shown.</summary>
    public TaskReview? Review { get; init; }

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

    /// <summary>What each rank did, where the run had several; else null.</summary>
    public RankEpochs? Ranks { get; init; }

    private const string Style = """
        body { max-width: 60rem }
        th, td { text-align: right } th:first-child, td:first-child { text-align: left } td { white-space: nowrap }
        .facts :is(th, td), .layers :is(th, td):not(:nth-child(n+5)), .readings :nth-child(2) { text-align: left }
        .ranks :is(th, td):nth-child(2) { text-align: left }
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

    /// <summary>Writes the page: self-contained, no script, light or dark, readable on a phone and in print.</summary>
    /// <returns>The whole page as HTML.</returns>
    public string ToHtml() => ReportPage.Write(Title, Style,
        Facts(),
        MetricNames.Select(name => ReportPage.Figure(RunFigures.Metric(Result.Epochs, name),
            $"{Capital(name)} on the validation samples, before training (epoch 0) and after each epoch.")),
        ReportPage.Figure(RunFigures.Loss(Result.Epochs, LossUnit),
            "Loss per sample. Training loss is measured while the parameters change."),
        Boundary is null ? null : ReportPage.Figure(DecisionBoundary.Draw(Boundary),
            "Decision of the best model over both features; the stronger the color, the more confident. Dashed: the "
            + "true boundary."),
        LayerTable(), Diagnosis(), Classes(), Confusion(), Review?.Sections(),
        Images("Most confident mistakes",
            "Validation samples that the best model got wrong, the most confident first: its prediction, the "
            + "probability that it gave to it, and the label. Each image is stretched to its full contrast.",
            Mistakes, 64),
        Images("First layer", "Filters of the best model's first layer: mid-gray is 0.", Filters, 48),
        Table("Epochs",
            ["epoch", "training loss", "validation loss", .. MetricNames.Select(name => $"validation {name}"),
                "seconds"],
            Result.Epochs.Select(epoch => (string[])
            [
                Line($"{epoch.Epoch}"), epoch.TrainLoss is { } loss ? Format(loss, "0.0000") : "–",
                Format(epoch.ValidationLoss, "0.0000"),
                .. MetricNames.Select(name => Format(epoch.Metrics.GetValueOrDefault(name, double.NaN),
                    Task is ClassificationTask ? "0.0000" : "G5")),
                Format(epoch.Seconds, "0.00"),
            ])),
        RankTable(),
        Table("Settings", ["setting", "value"],
            Settings.Select(setting => (string[])[setting.Name, setting.Value])));

    // What was measured, each with how.
    private IEnumerable<XElement> Facts()
    {
        if (Result.Epochs.Count == 0) yield return new("p", "No epoch was measured.");
        else
        {
            var (best, final) = (Result.Best, Result.Final);
            yield return new("p", $"Best {ScoreName} ", new XElement("b", Score(best)),
                $" after epoch {best.Epoch}; after the last epoch {Score(final)}.");
        }
        if (Problem is not null)
            yield return new("p", new XElement("b", "The run did not reach its end."), $" {Problem}.");
        var facts = new List<string[]>();
        var (right, count) = Counts(Evaluation);
        if (count > 0)
            facts.Add(["validation accuracy of the best model", Percent(Evaluation.Accuracy),
                Line($"of {count:N0} samples; {Interval(right, count)} (Wilson's score interval). ")
                + "The epoch was chosen by these samples, so this is slightly optimistic."]);
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
        if (Evaluation.Confusion is null)
            foreach (var (measured, of) in (IEnumerable<(Evaluation?, string)>)
                [(Evaluation, "validation"), (Test, "test"), (Training, "training")])
                if (measured is not null)
                    facts.AddRange(measured.Metrics.Prepend(new("loss", measured.Loss)).Select(one => (string[])
                        [$"{of} {one.Key} of the best model", Format(one.Value, "G5"), How(of)]));
        if (Layers.Count > 0)
            facts.Add(["parameters", Line($"{Layers.Sum(layer => layer.Count):N0}"),
                "learned numbers; shared ones count once"]);
        if (Result.Capture is { } capture)
            facts.Add(["training steps", capture.Plans > 0 ? "captured" : "eager", $"{capture}"]);
        if (facts.Count > 0) yield return ReportPage.Table(["what", "value", "how"], facts, "facts");
    }

    // The metrics of the epochs; of classes the accuracy, even where no epoch was measured.
    private IReadOnlyList<string> MetricNames => Result.Epochs.Count > 0 ? [.. Result.Epochs[0].Metrics.Keys]
        : Task is ClassificationTask ? ["accuracy"] : [];

    private string ScoreName => Result.Score.Name switch
    {
        MonitoredMetric.TrainLoss => "training loss",
        MonitoredMetric.Loss => "validation loss",
        var name => $"validation {name}",
    };

    private string LossUnit => Task switch
    {
        ClassificationTask or SegmentationTask or NextTokenTask => "mean cross-entropy / nats",
        MultiLabelTask => "mean binary cross-entropy / nats",
        _ => "mean loss",
    };

    private string Score(EpochResult epoch) => Result.Score.Name is "accuracy" or "determinedAccuracy"
        ? Percent(Result.Score.Of(epoch))
        : Format(Result.Score.Of(epoch), "G5");

    private static string How(string of) => of switch
    {
        "validation" => "The epoch was chosen by these samples, so this is slightly optimistic.",
        "test" => "measured once, at the end",
        _ => "measured after training, not augmented",
    };

    private static string Capital(string name) => $"{char.ToUpperInvariant(name[0])}{name[1..]}";

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

    private IEnumerable<XElement> RankTable()
    {
        if (Ranks?.Overall is not { Count: > 0 } ranks) return [];
        var skew = RankEpochs.Skew(ranks);
        return
        [
            new("h2", "Ranks"),
            new("p", Line($"{ranks.Count} processes trained together, on ")
                + $"{Format(Ranks.Last.Sum(one => one.SamplesPerSecond), "N0")} samples per second in the last epoch. "
                + "The table is over all epochs: the mean of samples / s, the sum of everything else. The skew is "
                + $"{(double.IsNaN(skew) ? "–" : skew.ToString("P1", CultureInfo.InvariantCulture))} "
                + "(the longest time of computing over the mean, minus 1: the others wait for the slowest). Hidden is "
                + "the time in which something was sent or received during computing, so that it cost nothing."),
            ReportPage.Table(
                ["rank", "host", "samples / s", "compute / s", "wait / s", "hidden / s", "sent / MB"],
                ranks.Select(one => (string[])
                [
                    Line($"{one.Rank}"), one.Host, Format(one.SamplesPerSecond, "N0"),
                    Format(one.ComputeSeconds, "0.00"), Format(one.WaitSeconds, "0.00"),
                    Format(one.HiddenSeconds, "0.00"), Format(one.Bytes / 1e6, "N1"),
                ]), "ranks"),
        ];
    }

    private IEnumerable<XElement?> Diagnosis()
    {
        if (Doctor is null) yield break;
        string[] ending = Problem is null ? [] : [$"It diverged: {Problem}. Rule: the loss is finite."];
        string[] advice = [.. ending, .. Doctor.Advice(Result.Epochs)];
        yield return new("h2", "Training doctor");
        yield return advice.Length == 0
            ? new("p", "No problems found.")
            : new("ul", advice.Select(line => new XElement("li", line)));
        if (RunFigures.Gradients(Doctor.History) is { } figure)
            yield return ReportPage.Figure(figure,
                "2-norm of each layer's gradient, at the second step of each epoch.");
        if (Doctor.History.Count > 0) yield return Readings(Doctor.History);
    }

    private IEnumerable<XElement> LayerTable()
    {
        if (Layers.Count == 0) return [];
        return Table("Layers", ["layer", "is", "output of a sample", "parameters", "how many"],
            Layers.Select(layer => (string[])
            [
                layer.Path, layer.Name, layer.Output, layer.Parameters,
                layer.Count == 0 ? "" : Line($"{layer.Count:N0}"),
            ]), "layers");
    }

    // What the doctor read of each layer, in the order of the layers; of one that is not listed only the path is known.
    private XElement Readings(IReadOnlyList<LayerReading> history)
    {
        var paths = history.Select(row => row.Layer).Distinct().ToArray();
        var known = Layers.Where(layer => paths.Contains(layer.Path));
        var listed = known.Select(layer => (layer.Path, layer.Name)).ToArray();
        var others = paths.Except(listed.Select(layer => layer.Path)).Select(path => (Path: path, Name: ""));
        string[] heads = ["layer", "is", "gradient norm, first epoch", "last epoch", "update / weight, first epoch",
            "last epoch", "dead or saturated, before training", "after the last epoch"];
        return ReportPage.Table(heads, listed.Concat(others).Select(layer =>
        {
            var rows = history.Where(row => row.Layer == layer.Path).ToArray();
            return (string[])
            [
                layer.Path, layer.Name, .. Ends(rows, row => row.GradientNorm, "0.0E+0"),
                .. Ends(rows, row => row.UpdateRatio, "0.0E+0"), .. Ends(rows, row => row.Idle, "P1"),
            ];
        }), "readings");

        static IEnumerable<string> Ends(LayerReading[] rows, Func<LayerReading, double> value, string format)
        {
            double[] known = [.. rows.Select(value).Where(double.IsFinite)];
            return known.Length == 0 ? ["", ""] : [Format(known[0], format), Format(known[^1], format)];
        }
    }

    private IEnumerable<XElement> Classes()
    {
        var scores = ClassScore.Of(Evaluation.Confusion);
        if (scores.Count == 0) return [];
        return
        [
            new("h2", "Classes"),
            new("p", "Of the best model, on the validation samples. Precision: the share of the samples predicted as "
                + "the class that belong to it. Recall: the share of the class that was predicted as such. –: there "
                + "were none."),
            ReportPage.Table(["class", "samples", "predicted", "right", "precision", "recall"],
                scores.Select((score, i) => (string[])
                [
                    ClassName(i), Line($"{score.Samples:N0}"), Line($"{score.Predicted:N0}"),
                    Line($"{score.Right:N0}"), Percent(score.Precision), Percent(score.Recall),
                ])),
        ];
    }

    // A network may tell more classes apart than have names.
    private string ClassName(int index) => index < ClassNames.Count ? ClassNames[index] : Line($"{index}");

    private IEnumerable<XElement> Confusion()
    {
        if (Evaluation.Confusion is not { } counts) return [];
        int[] classes = [.. Enumerable.Range(0, counts.GetLength(0))];
        if (classes.Length == 0) return [];
        return
        [
            new("h2", "Confusion matrix"), new("p", "Rows: the label. Columns: the best model's prediction."),
            ReportPage.Wide("confusion",
            [
                new("tr", new XElement("th", ""), classes.Select(j => new XElement("th", ClassName(j)))),
                .. classes.Select(i => new XElement("tr",
                    new XElement("th", ClassName(i)), classes.Select(j => Cell(i, j, classes.Sum(k => counts[i, k]))))),
            ]),
        ];

        XElement Cell(int i, int j, int total)
        {
            var share = total == 0 ? 0 : (double)counts[i, j] / total;
            var color = Line($"rgba({(i == j ? "0,114,178" : "213,94,0")},{share * 0.6:0.00})");
            return new("td", new XAttribute("style", $"background:{color}"), counts[i, j]);
        }
    }

    private static IEnumerable<XElement> Images(
        string title, string caption, IReadOnlyList<CaptionedImage> images, int side)
    {
        if (images.Count == 0) return [];
        return
        [
            new("h2", title), new("p", caption),
            ImageSheet.Show(images, side),
        ];
    }

    private static IEnumerable<XElement> Table(
        string title, IEnumerable<string> heads, IEnumerable<IReadOnlyList<string>> rows, string kind = "") =>
        [new("h2", title), ReportPage.Table(heads, rows, kind)];

    private static string Format(double value, string format) =>
        double.IsFinite(value) ? value.ToString(format, CultureInfo.InvariantCulture)
        : double.IsNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";

    private static string Percent(double share) =>
        double.IsNaN(share) ? "–" : share.ToString("P2", CultureInfo.InvariantCulture);

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
