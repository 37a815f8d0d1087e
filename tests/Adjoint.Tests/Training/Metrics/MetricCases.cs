using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>
/// A row of the table of metrics; what follows from it is in <see cref="MetricCasesTests"/>.
/// </summary>
/// <param name="Name">That of the type, and after a comma what is special.</param>
/// <param name="Kind">What it is measured on.</param>
/// <param name="Create">Makes one, for logits or for probabilities.</param>
/// <param name="Reference">The value by its definition, over logits; never by the code under test.</param>
internal sealed record MetricCase(
    string Name, MetricKind Kind, Func<bool, Metric> Create, Func<MetricSamples, double> Reference)
{
    public override string ToString() => $"{Name} ({Kind})";

    /// <summary>The value over samples, in batches of the given sizes; the rest is the last one.</summary>
    internal double Of(MetricSamples samples, params ReadOnlySpan<int> batches)
    {
        var (metric, start) = (Create(true), 0);
        foreach (var size in (int[])[.. batches, samples.Count])
        {
            var part = samples.Pick(Enumerable.Range(start, Math.Min(size, samples.Count - start)));
            start += part.Count;
            if (part.Count > 0) metric.Update(part.OutputTensor(), part.TargetTensor(), part.WeightTensor());
        }
        return metric.Compute();
    }
}

/// <summary>The table of metrics.</summary>
internal static class MetricCases
{
    private static readonly (string Name, Averaging Average)[] Averages =
        [("binary", Averaging.Binary), ("macro", Averaging.Macro), ("micro", Averaging.Micro),
            ("weighted", Averaging.Weighted)];

    private static readonly MetricKind[] Decided = [MetricKind.Classes, MetricKind.Binary, MetricKind.Labels];

    internal static IReadOnlyList<MetricCase> All { get; } =
    [
        .. Of("Accuracy", [.. Decided, MetricKind.Soft],
            (logits, labels) => new Accuracy { FromLogits = logits, MultiLabel = labels }, s =>
                MetricReference.Accuracy(s)),
        .. Of("DeterminedAccuracy", [MetricKind.Classes],
            (logits, _) => new DeterminedAccuracy { FromLogits = logits }, s => MetricReference.Accuracy(s)),
        .. Of("TopKAccuracy, 2", [MetricKind.Classes, MetricKind.Soft],
            (logits, _) => new TopKAccuracy(2) { FromLogits = logits }, s => MetricReference.Accuracy(s, 2)),
        .. Averaged("Precision", (average, logits, labels) =>
                new Precision { Average = average, FromLogits = logits, MultiLabel = labels },
            (s, average) => MetricReference.Ratio(s, average, (tp, fp, _) => tp / (tp + fp))),
        .. Averaged("Recall", (average, logits, labels) =>
                new Recall { Average = average, FromLogits = logits, MultiLabel = labels },
            (s, average) => MetricReference.Ratio(s, average, (tp, _, fn) => tp / (tp + fn))),
        .. Averaged("F1", (average, logits, labels) =>
                new F1 { Average = average, FromLogits = logits, MultiLabel = labels },
            (s, average) => MetricReference.Ratio(s, average, (tp, fp, fn) => 2 * tp / (2 * tp + fp + fn))),
        .. Averaged("IoU", (average, logits, labels) =>
                new IoU { Average = average, FromLogits = logits, MultiLabel = labels },
            (s, average) => MetricReference.Ratio(s, average, (tp, fp, fn) => tp / (tp + fp + fn)),
                usualOfTwo: "macro"),
        .. Averaged("Dice", (average, logits, labels) =>
                new Dice { Average = average, FromLogits = logits, MultiLabel = labels },
            (s, average) => MetricReference.Ratio(s, average, (tp, fp, fn) => 2 * tp / (2 * tp + fp + fn)),
                usualOfTwo: "macro"),
        .. Averaged("RocAuc", (average, logits, labels) =>
                new RocAuc { Average = average, FromLogits = logits, MultiLabel = labels },
            (s, average) => MetricReference.Area(s, average, MetricReference.Roc)),
        .. Averaged("PrAuc", (average, logits, labels) =>
                new PrAuc { Average = average, FromLogits = logits, MultiLabel = labels },
            (s, average) => MetricReference.Area(s, average, MetricReference.AveragePrecision)),
        .. Of("LogLoss", [.. Decided, MetricKind.Soft],
            (logits, labels) => new LogLoss { FromLogits = logits, MultiLabel = labels }, MetricReference.LogLoss),
        .. Of("Perplexity", [MetricKind.Classes, MetricKind.Soft],
            (logits, _) => new Perplexity { FromLogits = logits }, s => Math.Exp(MetricReference.LogLoss(s))),
        .. Of("CalibrationError", Decided,
            (logits, labels) => new CalibrationError { FromLogits = logits, MultiLabel = labels },
            s => MetricReference.CalibrationError(s, 15)),
        .. Of("CalibrationError, 4", Decided,
            (logits, labels) => new CalibrationError(4) { FromLogits = logits, MultiLabel = labels },
            s => MetricReference.CalibrationError(s, 4)),
        new("Mae", MetricKind.Values, _ => new Mae(), s => MetricReference.PerValue(s, all =>
            all.Sum(one => one.Weight * Math.Abs(one.X - one.Y)) / all.Sum(one => one.Weight))),
        new("Rmse", MetricKind.Values, _ => new Rmse(), s => MetricReference.PerValue(s, all =>
            Math.Sqrt(all.Sum(one => one.Weight * Math.Pow(one.X - one.Y, 2)) / all.Sum(one => one.Weight)))),
        new("R2", MetricKind.Values, _ => new R2(), s => MetricReference.PerValue(s, MetricReference.R2)),
    ];

    private static IEnumerable<MetricCase> Of(
        string name, MetricKind[] kinds, Func<bool, bool, Metric> create, Func<MetricSamples, double> reference) =>
        kinds.Select(kind =>
            new MetricCase(name, kind, logits => create(logits, kind == MetricKind.Labels), reference));

    // With each average, and with the one that is meant where none is named.
    private static IEnumerable<MetricCase> Averaged(
        string name, Func<Averaging, bool, bool, Metric> create, Func<MetricSamples, string, double> reference,
        string usualOfTwo = "binary") =>
        from kind in Decided
        let isTwo = kind == MetricKind.Binary
        from average in Averages.Append((isTwo ? usualOfTwo : "macro", Averaging.Automatic))
        where isTwo || average.Item2 != Averaging.Binary
        select new MetricCase(average.Item2 == Averaging.Automatic ? name : $"{name}, {average.Item1}", kind,
            logits => create(average.Item2, logits, kind == MetricKind.Labels), s => reference(s, average.Item1));
}
