using Adjoint.Data;

namespace Adjoint.Training;

/// <summary>Cross-entropy of many labels per sample, pixels or tokens, some of which are missing.</summary>
internal static class LabeledRows
{
    /// <summary>The loss of logits (n, …, classes) with labels (n, …).</summary>
    internal static Tensor Loss(Tensor logits, Batch batch, Reduction reduction)
    {
        var (labels, weights) = Of(batch);
        return Adjoint.Loss.CrossEntropy(Rows(logits), labels, reduction: reduction, weights: weights);
    }

    /// <summary>The loss of hidden states (n, …, width) before an output layer, with labels (n, …).</summary>
    internal static Tensor Loss(Tensor hidden, Tensor weight, Tensor? bias, Batch batch, Reduction reduction)
    {
        var (labels, weights) = Of(batch);
        return Adjoint.Loss.LinearCrossEntropy(
            Rows(hidden), weight, bias, labels, reduction: reduction, weights: weights);
    }

    private static Tensor Rows(Tensor x) => x.Contiguous().Reshape(-1, x.Shape[^1]);

    private static (Tensor Labels, Tensor? Weights) Of(Batch batch)
    {
        var labels = batch.Targets.Contiguous().Reshape(-1);
        return (labels, batch.Weights?.Unsqueeze(1).Expand(batch.Count, labels.Length / batch.Count).Reshape(-1));
    }
}
