using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>
/// Each pixel is of one class: cross-entropy of logits (n, classes, h, w) with labels (n, h, w) int64. Pixels with the
/// label −100 are left out. The loss is the mean over all other pixels, each with its sample's weight.
/// </summary>
public sealed class SegmentationTask : LearningTask
{
    /// <inheritdoc/>
    public override string Name => "segmentation";

    /// <inheritdoc/>
    public override string Score { get; init; } = "iou";

    /// <inheritdoc/>
    public override Tensor Loss(Tensor output, Batch batch)
    {
        var labels = batch.Targets;
        if (output.Rank != 4 || labels.Rank != 3 || output.Shape[0] != labels.Shape[0]
            || output.Shape[2] != labels.Shape[1] || output.Shape[3] != labels.Shape[2])
            throw new AdjointException(
                $"{Name}: logits (n, classes, h, w) and labels (n, h, w) are needed: found {output.Shape} and "
                + $"{labels.Shape}; use a model whose outputs have the size of the label images");
        return LabeledRows.Loss(output.Permute(0, 2, 3, 1), batch, Reduction);
    }

    /// <summary>The number of pixels with a label, each with its sample's weight.</summary>
    /// <inheritdoc cref="LearningTask.Weight"/>
    public override double Weight(Batch batch) => BatchRules.Known(batch);

    /// <inheritdoc/>
    public override void Check(Batch batch)
    {
        base.Check(batch);
        BatchRules.RequireType(Name, batch.Targets, isFloating: false);
        BatchRules.RequireKnown(Name, batch);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> CreateMetrics() =>
        Metrics?.Invoke() ?? [new IoU(), new Dice(), new Accuracy()];

    /// <summary>The probabilities of the classes at each pixel.</summary>
    /// <param name="output">Logits (n, classes, h, w).</param>
    /// <returns>Probabilities (n, classes, h, w).</returns>
    public override Tensor Predict(Tensor output) => output.Softmax(axis: 1);
}
