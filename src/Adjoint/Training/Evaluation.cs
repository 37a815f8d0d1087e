using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>The measures of a model on a data set.</summary>
/// <param name="Loss">The mean loss; NaN where there are no samples.</param>
/// <param name="Metrics">The metrics of the task, by name.</param>
public sealed record Evaluation(double Loss, IReadOnlyDictionary<string, double> Metrics)
{
    private const int MostSamples = 1000, MostTokens = 16_384;

    /// <summary>The metric <c>accuracy</c>; NaN where the task has none.</summary>
    public double Accuracy => Metrics.GetValueOrDefault("accuracy", double.NaN);

    /// <summary>
    /// For samples of one class each, the confusion matrix [label, prediction], counts of samples; null for other
    /// tasks. Targets of probabilities count as the class of the largest.
    /// </summary>
    public int[,]? Confusion { get; init; }

    /// <summary>
    /// How many samples to measure at once, so that outputs need little memory: 1000, and of texts as many windows as
    /// have 16,384 tokens together.
    /// </summary>
    /// <param name="data">The samples to measure.</param>
    /// <returns>The number of samples in a batch, 1 or more.</returns>
    public static int BatchSizeOf(Dataset data) => data.Preprocessing is TextPreprocessing
        ? Math.Clamp(MostTokens / Math.Max(1, data.SampleShape.Elements), 1, MostSamples)
        : MostSamples;

    /// <summary>
    /// Measures a model in evaluation mode, without recording a graph; the modes of its modules are restored
    /// afterwards.
    /// </summary>
    /// <param name="model">The model to measure.</param>
    /// <param name="task">What it is for: loss and metrics.</param>
    /// <param name="batches">The samples, such as a <see cref="DataLoader"/>.</param>
    /// <param name="views">The views of each sample to average over; null: the sample itself.</param>
    /// <param name="observe">
    /// Called for each batch with the model's outputs, in order; null, or a task without outputs: nothing is called.
    /// </param>
    /// <returns>Loss, metrics and, for classes, the confusion matrix.</returns>
    /// <exception cref="AdjointException">The samples do not fit the task, or not the model.</exception>
    public static Evaluation Run(
        Module model, LearningTask task, IEnumerable<Batch> batches, TestTimeAugmentation? views = null,
        Action<Tensor, Batch>? observe = null)
    {
        using var recording = new NoGrad();
        using var use = model.EvalScope();
        var sums = new Sums(task, observe);
        foreach (var batch in batches)
        {
            task.Check(batch);
            var (total, output) = task.Measure(model, batch, views ?? TestTimeAugmentation.None);
            sums.Add(total, output, batch);
        }
        return sums.Result();
    }

    /// <summary>What the batches of a data set add up to, in their order.</summary>
    internal sealed class Sums(LearningTask task, Action<Tensor, Batch>? observe = null)
    {
        private readonly IReadOnlyList<Metric> metrics = task.CreateMetrics();
        private readonly ConfusionCount? confusion = task is ClassificationTask ? new() : null;
        private double loss, weight;

        /// <summary>
        /// Adds a batch: the sum of its losses, and the model's outputs, null where the task has none.
        /// </summary>
        internal void Add(double total, Tensor? output, Batch batch)
        {
            loss += total;
            weight += task.Weight(batch);
            if (output is null) return;
            observe?.Invoke(output, batch);
            foreach (var metric in metrics) task.Update(metric, output, batch);
            confusion?.Add(output, batch.Targets);
        }

        internal Evaluation Result() =>
            new(loss / weight, MetricValues.Of(metrics)) { Confusion = confusion?.Counts };
    }

    /// <summary>How often each label was taken for each class.</summary>
    private sealed class ConfusionCount
    {
        internal int[,] Counts { get; private set; } = new int[0, 0];

        internal void Add(Tensor logits, Tensor targets)
        {
            var predicted = logits.ArgMax().ToArray<long>();
            var labels = (targets.DType.IsFloating() ? targets.ArgMax() : targets).ToArray<long>();
            if (Counts.Length == 0) Counts = new int[logits.Shape[1], logits.Shape[1]];
            for (var i = 0; i < labels.Length; i++)
                if (labels[i] != Adjoint.Loss.IgnoredLabel) Counts[labels[i], predicted[i]]++;
        }
    }
}
