namespace Adjoint.Training;

/// <summary>
/// Precision TP / (TP + FP): which share of what was predicted is right; 0 where nothing was predicted
/// (scikit-learn's <c>precision_score</c>). By default of class 1 of two classes, else the mean over classes.
/// </summary>
public sealed class Precision : CountMetric
{
    private protected override string ShortName => "precision";

    private protected override (double Over, double Under) Ratio(
        double truePositives, double falsePositives, double falseNegatives) =>
        (truePositives, truePositives + falsePositives);
}
