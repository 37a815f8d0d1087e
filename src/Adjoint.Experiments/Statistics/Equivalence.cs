using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>
/// Are two means the same within a margin? That a test finds no difference does not say so; this does (Schuirmann 1987:
/// two one-sided tests).
/// </summary>
public static class Equivalence
{
    /// <summary>The larger p of the two tests that the difference is above −margin and below +margin.</summary>
    /// <param name="difference">The test of the difference of the means.</param>
    /// <param name="margin">How far the means may lie apart, in their unit.</param>
    /// <returns>The p of the equivalence; NaN where the t-test has none.</returns>
    public static double P(TTest difference, double margin) => double.IsNaN(difference.P)
        ? double.NaN
        : Math.Max(
            1 - StudentT.CDF(0, 1, difference.DegreesOfFreedom, (difference.Estimate + margin)
                / difference.StandardError),
            StudentT.CDF(0, 1, difference.DegreesOfFreedom, (difference.Estimate - margin) / difference.StandardError));
}
