namespace Adjoint.Training;

/// <summary>
/// Dice's coefficient 2·TP / (2·TP + FP + FN) of segmentations (Dice 1945), in numbers the same as F1. By default the
/// mean over the classes that occur, two classes included.
/// </summary>
public sealed class Dice : CountMetric
{
    private protected override string ShortName => "dice";

    private protected override Averaging Usual(bool isBinary) => Averaging.Macro;

    private protected override (double Over, double Under) Ratio(
        double truePositives, double falsePositives, double falseNegatives) =>
        (2 * truePositives, 2 * truePositives + falsePositives + falseNegatives);
}
