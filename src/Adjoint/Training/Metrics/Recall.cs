namespace Adjoint.Training;

/// <summary>
/// Recall TP / (TP + FN): which share of what is true was found; 0 where nothing is true (scikit-learn's
/// <c>recall_score</c>). By default of class 1 of two classes, else the mean over classes.
/// </summary>
public sealed class Recall : CountMetric
{
    private protected override string ShortName => "recall";

    private protected override (double Over, double Under) Ratio(
        double truePositives, double falsePositives, double falseNegatives) =>
        (truePositives, truePositives + falseNegatives);
}
