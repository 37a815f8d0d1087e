namespace Adjoint.Training;

/// <summary>
/// Intersection over union TP / (TP + FP + FN), Jaccard's index, of segmentations and labels (scikit-learn's
/// <c>jaccard_score</c>). By default the mean over the classes that occur, two classes included, as segmentations are
/// compared (Everingham et al. 2010).
/// </summary>
public sealed class IoU : CountMetric
{
    private protected override string ShortName => "iou";

    private protected override Averaging Usual(bool isBinary) => Averaging.Macro;

    private protected override (double Over, double Under) Ratio(
        double truePositives, double falsePositives, double falseNegatives) =>
        (truePositives, truePositives + falsePositives + falseNegatives);
}
