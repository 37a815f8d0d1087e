using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>
/// A measure of a model over a whole data set, collected batch by batch. It depends on the samples alone, not on how
/// they were divided into batches: a metric adds up counts and sums, and divides at the end. To write one, derive and
/// override <see cref="Name"/>, <see cref="Reset"/>, <see cref="Update(Tensor, Tensor, Tensor)"/> and
/// <see cref="Compute"/>.
/// </summary>
public abstract class Metric
{
    /// <summary>
    /// The name by which results, log files and <c>--json</c> have the measure, such as <c>accuracy</c> or <c>r2</c>.
    /// </summary>
    public abstract string Name { get; }

    /// <summary>Whether a larger value is a better one, as by default; false for errors.</summary>
    public virtual bool IsHigherBetter => true;

    /// <summary>Forgets all samples, so that the next ones are measured by themselves.</summary>
    public abstract void Reset();

    /// <summary>Adds the samples of a batch.</summary>
    /// <param name="outputs">
    /// The raw outputs of the task's model: logits (n, classes), values (n) or (n, k).
    /// </param>
    /// <param name="targets">The targets of the samples: labels (n) int64, values (n) or (n, k).</param>
    /// <param name="weights">The weight of each sample (n), 0 or more; null: 1 for each.</param>
    /// <exception cref="AdjointException">The shapes or types do not fit this metric.</exception>
    public abstract void Update(Tensor outputs, Tensor targets, Tensor? weights = null);

    /// <summary>
    /// Adds the samples of a batch; by default by its targets and weights. Override it to see other tensors.
    /// </summary>
    /// <param name="outputs">The raw outputs of the task's model.</param>
    /// <param name="batch">The samples of the batch.</param>
    /// <exception cref="AdjointException">The shapes or types do not fit this metric.</exception>
    public virtual void Update(Tensor outputs, Batch batch) => Update(outputs, batch.Targets, batch.Weights);

    /// <summary>The measure over all samples since the last <see cref="Reset"/>.</summary>
    /// <returns>The measure; NaN where it is undefined, as without any sample.</returns>
    public abstract double Compute();
}
