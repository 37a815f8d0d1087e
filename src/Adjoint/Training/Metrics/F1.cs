namespace Adjoint.Training;

/// <summary>
/// F1 = 2·TP / (2·TP + FP + FN), the harmonic mean of precision and recall; 0 where there is neither a prediction nor a
/// target (scikit-learn's <c>f1_score</c>). By default of class 1 of two classes, else the mean over classes.
/// </summary>
public sealed class F1 : CountMetric
{
    private protected override string ShortName => "f1";

    private protected override (double Over, double Under) Ratio(
        double truePositives, double falsePositives, double falseNegatives) =>
        (2 * truePositives, 2 * truePositives + falsePositives + falseNegatives);
}
