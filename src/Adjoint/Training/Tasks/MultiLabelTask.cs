using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>
/// Each sample has any number of labels at once: binary cross-entropy of logits (n, labels) with targets (n, labels) of
/// a floating type, from 0 to 1. A target of −100 is not known, and is left out. The loss is the mean over all targets
/// that are known, each with its sample's weight.
/// </summary>
public sealed class MultiLabelTask : LearningTask
{
    /// <inheritdoc/>
    public override string Name => "multi-label";

    /// <inheritdoc/>
    public override string Score { get; init; } = "f1";

    /// <inheritdoc/>
    public override Tensor Loss(Tensor output, Batch batch)
    {
        var targets = batch.Targets.To(output.DType);
        if (targets.Shape != output.Shape)
            throw new AdjointException(
                $"{Name}: logits and targets (n, labels) must have one shape: found {output.Shape} and "
                + $"{targets.Shape}; give the last layer as many outputs as there are labels");
        var isKnown = targets.NotEqualTo(Adjoint.Loss.IgnoredLabel);
        var mask = isKnown.To(output.DType);
        var weights = ForEach(batch.Weights, output.Shape);
        return Adjoint.Loss.BceWithLogits(output, Tensor.Where(isKnown, targets, 0), Reduction,
            weights is null ? mask : mask * weights.To(output.DType));
    }

    /// <summary>The number of targets that are known, each with its sample's weight.</summary>
    /// <inheritdoc cref="LearningTask.Weight"/>
    public override double Weight(Batch batch) => BatchRules.Known(batch);

    /// <inheritdoc/>
    public override void Check(Batch batch)
    {
        base.Check(batch);
        BatchRules.RequireType(Name, batch.Targets, isFloating: true);
        BatchRules.RequireFinite(Name, batch);
        var values = BatchRules.Numbers(batch.Targets);
        var at = Array.FindIndex(values, value => value is not (>= 0 and <= 1 or Adjoint.Loss.IgnoredLabel));
        if (at >= 0)
            throw new AdjointException(
                $"{Name}: a target must be from 0 to 1, or −100 where it is not known: found {values[at]} for "
                + BatchRules.NameOf(batch, at / (values.Length / batch.Count)));
        BatchRules.RequireKnown(Name, batch);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> CreateMetrics() =>
        Metrics?.Invoke() ?? [new F1 { MultiLabel = true }, new RocAuc { MultiLabel = true }];

    /// <summary>The probability of each label.</summary>
    /// <param name="output">Logits (n, labels).</param>
    /// <returns>Probabilities (n, labels).</returns>
    public override Tensor Predict(Tensor output) => output.Sigmoid();
}
