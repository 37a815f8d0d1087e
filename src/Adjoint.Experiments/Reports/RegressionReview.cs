using System.Globalization;
using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>Predicted against true values, residuals, and the worst samples.</summary>
internal sealed class RegressionReview(LearningTask task, Dataset data) : TaskReview
{
    // More points hide each other and make the page heavy; of several values those first are drawn.
    private const int MostPoints = 2000, MostFigures = 3;

    private readonly WorstSamples worst = new(task, data);
    private readonly List<double[]> truth = [], predictions = [];

    public override void Observe(Tensor outputs, Batch batch)
    {
        worst.Observe(outputs, batch);
        if (batch.Count == 0) return;
        var columns = batch.Targets.Length / batch.Count;
        truth.AddRange(Numbers(batch.Targets).Chunk(columns));
        predictions.AddRange(Numbers(outputs).Chunk(columns));
    }

    internal override IEnumerable<XElement> Sections()
    {
        if (truth.Count == 0) yield break;
        var columns = truth[0].Length;
        yield return new("h2", "Predictions");
        for (var k = 0; k < Math.Min(columns, MostFigures); k++)
        {
            var name = columns == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $", value {k + 1} of {columns}");
            var pairs = truth.Zip(predictions, (y, x) => (True: y[k], Predicted: x[k]))
                .Where(pair => double.IsFinite(pair.True) && double.IsFinite(pair.Predicted)).ToArray();
            if (pairs.Length == 0) continue;
            var some = Spread(pairs);
            var drawn = some.Length < pairs.Length ? string.Create(CultureInfo.InvariantCulture,
                $" {some.Length:N0} of {pairs.Length:N0} samples.") : "";
            yield return ReportPage.Figure(PredictionFigures.Predicted(some, $"predicted-{k}"),
                $"Predicted against true values of the validation samples{name}. On the line both are equal.{drawn}");
            yield return ReportPage.Figure(PredictionFigures.Residuals(some, $"residuals-{k}"),
                $"Residuals, predicted − true, against the prediction{name}: without a pattern, the model has found "
                + $"what the inputs tell.{drawn}");
            yield return ReportPage.Figure(
                PredictionFigures.Histogram([.. pairs.Select(pair => pair.Predicted - pair.True)], $"histogram-{k}"),
                $"How often residuals occur{name}.");
        }
        foreach (var section in worst.Sections()) yield return section;
    }

    // Evenly spread over the samples: a file may be sorted.
    private static (double True, double Predicted)[] Spread((double, double)[] pairs) => pairs.Length <= MostPoints
        ? pairs
        : [.. Enumerable.Range(0, MostPoints).Select(i => pairs[(int)((long)i * pairs.Length / MostPoints)])];

    private static double[] Numbers(Tensor tensor) => tensor.Detach().To(DType.Float64).ToArray<double>();
}
