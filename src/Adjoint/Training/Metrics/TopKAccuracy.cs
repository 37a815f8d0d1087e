namespace Adjoint.Training;

/// <summary>
/// The fraction of elements whose label is among the k largest outputs (scikit-learn's <c>top_k_accuracy_score</c>).
/// Among equal outputs the first classes come first, so that k = 1 is <see cref="Accuracy"/>. NaN over no element.
/// </summary>
/// <param name="k">How many of the largest outputs may be the label's: 1 or more, up to the classes.</param>
public sealed class TopKAccuracy(int k = 5) : ClassificationMetric
{
    private double right, total;

    /// <inheritdoc/>
    public override string Name => $"top{k}";

    private protected override void Clear() => (right, total) = (0, 0);

    private protected override void Begin(int classes)
    {
        if (k < 1 || k > classes) throw Error($"k must be in 1..{classes}, the number of classes: found {k}");
    }

    private protected override void AddClass(ReadOnlySpan<double> outputs, int label, double weight)
    {
        var before = 0;
        for (var other = 0; other < outputs.Length; other++)
            if (outputs[other] > outputs[label] || outputs[other] == outputs[label] && other < label) before++;
        total += weight;
        if (before < k) right += weight;
    }

    private protected override double Value() => right / total;
}
