using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>
/// Each sample is of one class: cross-entropy of logits (n, classes). Targets are labels (n) int64, or probabilities
/// (n, classes) of a floating type, such as those of mixed samples. Samples with the label −100 are left out.
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
        if (!targets.DType.IsFloating()) BatchRules.RequireKnown(Name, batch);
    }

    /// <summary>The number of samples with a label, each with its weight.</summary>
    /// <inheritdoc cref="LearningTask.Weight"/>
    public override double Weight(Batch batch) =>
        batch.Targets.DType.IsFloating() ? base.Weight(batch) : BatchRules.Known(batch);

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> CreateMetrics() => Metrics?.Invoke() ?? [new Accuracy(), new F1()];

    /// <summary>The probabilities of the classes.</summary>
    /// <param name="output">Logits (n, classes).</param>
    /// <returns>Probabilities (n, classes).</returns>
    public override Tensor Predict(Tensor output) => output.Softmax();

    private static Tensor Loss(Tensor logits, Batch batch, double smoothing, Reduction reduction)
    {
        var targets = batch.Targets;
        return Adjoint.Loss.CrossEntropy(
            logits, targets.DType.IsFloating() ? targets.To(logits.DType) : targets, smoothing, reduction,
            batch.Weights);
    }
}
