namespace Adjoint.Training;

/// <summary>
/// The area under the ROC curve: the probability that a positive has a higher score than a negative, ties counting ½
/// (Hanley &amp; McNeil 1982; scikit-learn's <c>roc_auc_score</c>, one-vs-rest for several classes). NaN where there is
/// no positive or no negative; a macro average is then NaN, too, and a weighted one leaves classes without positives
/// out.
/// </summary>
public sealed class RocAuc : RankingMetric
{
    private protected override string ShortName => "rocAuc";

    private protected override double Area(
        IEnumerable<(double Positives, double Negatives)> steps, double positives, double negatives)
    {
        var (above, pairs) = (0.0, 0.0);
        foreach (var step in steps)
        {
            pairs += step.Negatives * (above + step.Positives / 2);
            above += step.Positives;
        }
        return pairs / (positives * negatives);
    }
}
