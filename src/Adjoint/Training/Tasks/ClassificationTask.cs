using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>
/// Each sample is of one class: cross-entropy of logits (n, classes). Targets are labels (n) int64, or probabilities
/// (n, classes) of a floating type, such as those of mixed samples.
/// </summary>
public sealed class ClassificationTask : LearningTask
{
    private readonly double labelSmoothing;

    /// <inheritdoc/>
    public override string Name => "classification";

    /// <inheritdoc/>
    public override string Score { get; init; } = "accuracy";

    /// <summary>The label smoothing of <see cref="Loss.CrossEntropy"/>, in [0, 1); 0 by default.</summary>
    /// <exception cref="AdjointException">The value is out of range.</exception>
    public double LabelSmoothing
    {
        get => labelSmoothing;
        init => labelSmoothing = value is >= 0 and < 1
            ? value
            : throw new AdjointException($"{Name}: label smoothing must be in [0, 1): found {value}");
    }

    /// <inheritdoc/>
    public override Tensor Loss(Tensor output, Batch batch) => Loss(output, batch, LabelSmoothing, Reduction);

    /// <summary>The sum of the cross-entropies without label smoothing, which is a device of training.</summary>
    /// <inheritdoc cref="LearningTask.TotalLoss"/>
    public override double TotalLoss(Tensor output, Batch batch) => Loss(output, batch, 0, Reduction.Sum).Item();

    /// <inheritdoc/>
    public override void Check(Batch batch)
    {
        base.Check(batch);
        var targets = batch.Targets;
        if (targets.DType.IsFloating() && targets.Rank == 2) BatchRules.RequireFinite(Name, batch);
        else BatchRules.RequireType(Name, targets, isFloating: false);
        if (targets.DType.IsFloating()) return;
        var labels = targets.ToArray<long>();
        var at = Array.FindIndex(labels, label => label < 0);
        if (at < 0) return;
        var missing = labels[at] == BatchRules.Missing ? ", which stands for a missing label" : "";
        throw new AdjointException(
            $"{Name}: the label of {BatchRules.NameOf(batch, at)} is {labels[at]}{missing}; leave such samples out");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> CreateMetrics() => Metrics?.Invoke() ?? [new Accuracy()];

    /// <summary>The probabilities of the classes.</summary>
    /// <param name="output">Logits (n, classes).</param>
    /// <returns>Probabilities (n, classes).</returns>
    public override Tensor Predict(Tensor output) => output.Softmax();

    private static Tensor Loss(Tensor logits, Batch batch, double smoothing, Reduction reduction)
    {
        var targets = batch.Targets;
        if (batch.Weights is null && !targets.DType.IsFloating())
            return Adjoint.Loss.CrossEntropy(logits, targets, smoothing, reduction);
        var losses = SampleLosses(logits, targets, smoothing);
        if (batch.Weights?.To(losses.DType) is not { } weights)
            return reduction == Reduction.Mean ? losses.Mean() : losses.Sum();
        var sum = (losses * weights).Sum();
        return reduction == Reduction.Mean ? sum / weights.Sum() : sum;
    }

    private static Tensor SampleLosses(Tensor logits, Tensor targets, double smoothing)
    {
        if (targets.DType.IsFloating() ? targets.Shape != logits.Shape : targets.Rank != 1
            || logits.Rank != 2 || logits.Shape[0] != targets.Shape[0])
            throw new AdjointException(
                "classification: logits (n, classes) with labels (n) or probabilities (n, classes) are needed: found "
                + $"{logits.Shape} and {targets.Shape}; use .Reshape(…) on one of them");
        var log = logits.LogSoftmax();
        var own = targets.DType.IsFloating() ? (log * targets.To(log.DType)).Sum(1) : log.SelectPerRow(targets);
        return smoothing == 0 ? -own : -(own * (1 - smoothing) + log.Mean(1) * smoothing);
    }
}
