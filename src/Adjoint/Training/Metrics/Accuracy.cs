namespace Adjoint.Training;

/// <summary>
/// The fraction of elements whose largest output is their label's: Σ w·[arg max = label] / Σ w. Of equal outputs the
/// first counts. With <see cref="ClassificationMetric.MultiLabel"/>, the fraction of elements all of whose labels are
/// right (scikit-learn's <c>accuracy_score</c>: subset accuracy). NaN over no element.
/// </summary>
public sealed class Accuracy : DecisionMetric
{
    private double right, total;

    /// <inheritdoc/>
    public override string Name => "accuracy";

    private protected override void Clear() => (right, total) = (0, 0);

    private protected override void AddClass(ReadOnlySpan<double> outputs, int label, double weight) =>
        Add(Decide(outputs) == label, weight);

    private protected override void AddLabels(
        ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight)
    {
        var areRight = true;
        for (var k = 0; k < outputs.Length; k++)
            areRight &= targets[k] == Loss.IgnoredLabel || IsAbove(outputs[k]) == targets[k] > 0.5;
        Add(areRight, weight);
    }

    private protected override double Value() => right / total;

    private void Add(bool isRight, double weight)
    {
        total += weight;
        if (isRight) right += weight;
    }
}
