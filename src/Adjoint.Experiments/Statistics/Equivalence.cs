using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>Are two means as good as equal? That a test finds no difference does not say so; this does (Schuirmann 1987: two one-sided tests).</summary>
public static class Equivalence
{
    /// <summary>The larger p of the two tests that the difference is above −margin and below +margin. NaN where the t-test has none.</summary>
    public static double P(TTest difference, double margin) => double.IsNaN(difference.P)
        ? double.NaN
        : Math.Max(
            1 - StudentT.CDF(0, 1, difference.DegreesOfFreedom, (difference.Estimate + margin) / difference.StandardError),
            StudentT.CDF(0, 1, difference.DegreesOfFreedom, (difference.Estimate - margin) / difference.StandardError));
}
