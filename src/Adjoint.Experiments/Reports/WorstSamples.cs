using System.Globalization;
using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>The samples with the largest losses, as pictures where they are images.</summary>
/// <param name="task">What the model is for, which says what a loss is.</param>
/// <param name="data">The samples, with the names of their classes.</param>
/// <param name="most">At most this many samples are kept.</param>
public sealed class WorstSamples(LearningTask task, Dataset data, int most = 24) : TaskReview
{
    // A loss is computed for each by itself: more take longer than the validation.
    private const int Seen = 10_000;
    private const int FewValues = 8;

    private readonly PriorityQueue<(int Sample, string Target, string Prediction), double> worst = new();
    private int seen;

    /// <inheritdoc/>
    public override void Observe(Tensor outputs, Batch batch)
    {
        if (batch.Count == 0) return;
        using var recording = new NoGrad();
        var predicted = task.Predict(outputs);
        for (var i = 0; i < batch.Count && seen < Seen; i++, seen++)
        {
            var own = Row(batch, i);
            var loss = task.TotalLoss(outputs.Slice(0, i, 1), own) / task.Weight(own);
            if (!double.IsFinite(loss) || worst.Count == most && !(loss > LeastOfWorst())) continue;
            var target = own.Has(Field.Targets) ? Describe(own.Targets) : "";
            worst.Enqueue((seen, target, Describe(predicted.Slice(0, i, 1))), loss);
            if (worst.Count > most) worst.Dequeue();
        }
    }

    /// <summary>The samples that were kept, the largest loss first.</summary>
    /// <returns>The position of each in the data set, and its loss.</returns>
    public IReadOnlyList<(int Sample, double Loss)> Ranking() =>
        [.. Ordered().Select(item => (item.Element.Sample, item.Priority))];

    internal override IEnumerable<XElement> Sections()
    {
        if (worst.Count == 0) return [];
        var of = seen == Seen ? string.Create(CultureInfo.InvariantCulture, $"the first {Seen:N0} ") : "";
        XElement[] head =
        [
            new("h2", "Worst samples"),
            new("p", $"Of {of}validation samples, those with the largest losses of the best model, the largest first."),
        ];
        if (ImageSheet.CanShow(data.SampleShape))
            return [.. head, ImageSheet.Show([.. Ordered().Select(Picture)], 64)];
        return
        [
            .. head,
            ReportPage.Table(["sample", "loss", "true", "predicted", "inputs"], Ordered().Select(item => (string[])
            [
                $"{item.Element.Sample}", Number(item.Priority), item.Element.Target, item.Element.Prediction,
                Values(data[item.Element.Sample][Field.Inputs]),
            ])),
        ];
    }

    private IEnumerable<((int Sample, string Target, string Prediction) Element, double Priority)> Ordered() =>
        worst.UnorderedItems.OrderByDescending(item => item.Priority).ThenBy(item => item.Element.Sample);

    private double LeastOfWorst() => worst.TryPeek(out _, out var loss) ? loss : double.NaN;

    private CaptionedImage Picture(((int Sample, string Target, string Prediction) Element, double Priority) item) =>
        new(ImageSheet.Draw(data, item.Element.Sample),
            $"{item.Element.Prediction}; it is {item.Element.Target} (loss {Number(item.Priority)})");

    // A class by its name, several values in parts.
    private string Describe(Tensor row)
    {
        var names = data.ClassNames;
        if (task is ClassificationTask && (row.DType.IsFloating() ? row.Length == names.Count : row.Length == 1))
        {
            var at = (int)(row.DType.IsFloating() ? row.ArgMax(row.Rank - 1) : row).Reshape(-1).ItemAt(0);
            var name = at < names.Count ? names[at] : $"{at}";
            return row.DType.IsFloating() ? string.Create(CultureInfo.InvariantCulture,
                $"{name} ({row.Reshape(-1).ItemAt(at):P0})") : name;
        }
        // What is predicted of each token of a text would fill the page.
        return row.Rank > 2 ? "" : Values(row);
    }

    private static string Values(Tensor row)
    {
        var few = row.Detach().To(DType.Float64).Reshape(-1).Slice(0, 0, Math.Min(FewValues, row.Length));
        var text = string.Join(", ", few.ToArray<double>().Select(Number));
        return row.Length > FewValues ? $"{text}, …" : text;
    }

    private static string Number(double value) => value.ToString("G5", CultureInfo.InvariantCulture);

    /// <summary>One sample of a batch, as a batch.</summary>
    internal static Batch Row(Batch batch, int i) =>
        new(batch.Names.Select(name => (name, batch[name].Slice(0, i, 1).Contiguous())));
}
