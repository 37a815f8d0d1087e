using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>Cross-entropy of many labels per sample, pixels or tokens, some of which are missing.</summary>
internal static class LabeledRows
{
    /// <summary>The loss of logits (n, …, classes) with labels (n, …).</summary>
    internal static Tensor Loss(Tensor logits, Batch batch, Reduction reduction)
    {
        var classes = logits.Shape[^1];
        var labels = batch.Targets.Contiguous().Reshape(-1);
        // A missing label is some other for the time of being looked up, and counts 0.
        var isKnown = labels.NotEqualTo(BatchRules.Missing);
        var own = Tensor.Where(isKnown, labels, 0);
        var losses = -logits.Contiguous().Reshape(-1, classes).LogSoftmax().SelectPerRow(own);
        var weights = isKnown.To(losses.DType);
        if (batch.Weights is { } given)
            weights *= given.To(losses.DType).Unsqueeze(1).Expand(batch.Count, labels.Length / batch.Count).Reshape(-1);
        var sum = (losses * weights).Sum();
        return reduction == Reduction.Mean ? sum / weights.Sum() : sum;
    }
}
