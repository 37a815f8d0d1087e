namespace Adjoint.Experiments;

/// <summary>
/// The size of a difference in standard deviations: unlike t, it does not grow with the number of values.
/// </summary>
public static class EffectSize
{
    /// <summary>
    /// Two groups: Cohen's d = (x̄ − ȳ) / s over the pooled deviation s, times Hedges' J = 1 − 3/(4ν − 1), ν = n + m −
    /// 2, which corrects the bias of few values (Hedges 1981).
    /// </summary>
    /// <param name="a">The summary of one group, x.</param>
    /// <param name="b">The summary of the other group, y.</param>
    /// <returns>Hedges' g; positive where the first mean is larger.</returns>
    public static double OfTwo(Sample a, Sample b)
    {
        var freedom = a.Count + b.Count - 2;
        var pooled = Math.Sqrt(((a.Count - 1) * a.Deviation * a.Deviation + (b.Count - 1) * b.Deviation * b.Deviation)
            / freedom);
        return (a.Mean - b.Mean) / pooled * Correction(freedom);
    }

    /// <summary>
    /// One group, or the differences of pairs, against a bound: (x̄ − bound) / s, corrected in the same way, ν = n − 1.
    /// </summary>
    /// <param name="values">The summary of the group.</param>
    /// <param name="bound">What its mean is compared with.</param>
    /// <returns>Hedges' g; positive where the mean is above the bound.</returns>
    public static double OfOne(Sample values, double bound = 0) =>
        (values.Mean - bound) / values.Deviation * Correction(values.Count - 1);

    // With one degree of freedom J is 0: nothing is known of the size.
    private static double Correction(int freedom) => 1 - 3 / (4.0 * freedom - 1);
}
