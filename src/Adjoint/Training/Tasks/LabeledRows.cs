using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>Cross-entropy of many labels per sample, pixels or tokens, some of which are missing.</summary>
internal static class LabeledRows
{
    /// <summary>The loss of logits (n, …, classes) with labels (n, …).</summary>
    internal static Tensor Loss(Tensor logits, Batch batch, Reduction reduction)
    {
        var labels = batch.Targets.Contiguous().Reshape(-1);
        var weights = batch.Weights?.Unsqueeze(1).Expand(batch.Count, labels.Length / batch.Count).Reshape(-1);
        return Adjoint.Loss.CrossEntropy(
            logits.Contiguous().Reshape(-1, logits.Shape[^1]), labels, reduction: reduction, weights: weights);
    }
}
