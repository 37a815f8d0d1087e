namespace Adjoint.Training;

/// <summary>
/// The area under the precision-recall curve as average precision Σ (Rᵢ − Rᵢ₋₁)·Pᵢ, with recall R and precision P at
/// each score from the highest down, without interpolation (scikit-learn's <c>average_precision_score</c>). 0 for a
/// class without a positive, as there; NaN over no element.
/// </summary>
public sealed class PrAuc : RankingMetric
{
    private protected override string ShortName => "prAuc";

    private protected override double Area(
        IEnumerable<(double Positives, double Negatives)> steps, double positives, double negatives)
    {
        if (positives == 0) return negatives == 0 ? double.NaN : 0;
        var (truePositives, predicted, sum) = (0.0, 0.0, 0.0);
        foreach (var step in steps)
        {
            truePositives += step.Positives;
            predicted += step.Positives + step.Negatives;
            sum += step.Positives * (truePositives / predicted);
        }
        return sum / positives;
    }
}
