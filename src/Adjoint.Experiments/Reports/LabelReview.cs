using System.Globalization;
using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>How well each label is predicted, and the worst samples.</summary>
internal sealed class LabelReview(LearningTask task, Dataset data) : TaskReview
{
    private readonly WorstSamples worst = new(task, data);
    private readonly Precision precision = new() { MultiLabel = true };
    private readonly Recall recall = new() { MultiLabel = true };
    private readonly F1 f1 = new() { MultiLabel = true };
    private readonly RocAuc area = new() { MultiLabel = true };
    private long[] samples = [];

    public override void Observe(Tensor outputs, Batch batch)
    {
        worst.Observe(outputs, batch);
        if (batch.Count == 0) return;
        foreach (var metric in (Metric[])[precision, recall, f1, area]) metric.Update(outputs, batch);
        var targets = batch.Targets.Detach().To(DType.Float64).ToArray<double>();
        if (samples.Length == 0) samples = new long[targets.Length / batch.Count];
        for (var i = 0; i < targets.Length; i++)
            if (targets[i] > 0.5) samples[i % samples.Length]++;
    }

    internal override IEnumerable<XElement> Sections()
    {
        if (samples.Length == 0) return [];
        var columns = (IReadOnlyList<double>[])
            [precision.PerClass(), recall.PerClass(), f1.PerClass(), area.PerClass()];
        return
        [
            new("h2", "Labels"),
            new("p",
                "Of the best model, on the validation samples. Predicted is what has a probability above ½. ROC-AUC: "
                + "how often a sample with the label gets a higher probability than one without. –: there were none."),
            ReportPage.Table(["label", "samples", "precision", "recall", "F1", "ROC-AUC"],
                samples.Select((count, k) => (string[])
                [
                    k < data.ClassNames.Count ? data.ClassNames[k] : $"{k}",
                    count.ToString("N0", CultureInfo.InvariantCulture),
                    .. columns.Select(column => double.IsNaN(column[k])
                        ? "–" : column[k].ToString("0.0000", CultureInfo.InvariantCulture)),
                ])),
            .. worst.Sections(),
        ];
    }
}
