using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>
/// Student's two-sided t-test: how an estimate compares with a bound, measured in its standard error.
/// </summary>
/// <param name="Estimate">The mean, or the difference of means.</param>
/// <param name="StandardError">The standard error of the estimate.</param>
/// <param name="DegreesOfFreedom">The degrees of freedom, ν.</param>
/// <param name="Bound">What the estimate is compared with.</param>
public sealed record TTest(double Estimate, double StandardError, double DegreesOfFreedom, double Bound = 0)
{
    /// <summary>The statistic t = (estimate − bound) / standard error.</summary>
    public double T => (Estimate - Bound) / StandardError;

    /// <summary>
    /// The probability of a |t| this large if estimate and bound are equal. NaN where values are too few, or do not
    /// vary at all: then nothing says how much they would.
    /// </summary>
    public double P => StandardError > 0 && DegreesOfFreedom > 0
        ? 2 * StudentT.CDF(0, 1, DegreesOfFreedom, -Math.Abs(T))
        : double.NaN;

    /// <summary>The confidence interval of the true value: estimate ± t·standard error.</summary>
    /// <param name="level">How often such intervals hold the true value, such as 0.95.</param>
    /// <returns>The ends of the interval; NaN where the standard error is unknown.</returns>
    public (double Low, double High) Interval(double level = 0.95)
    {
        if (!(StandardError >= 0) || !(DegreesOfFreedom > 0)) return (double.NaN, double.NaN);
        var reach = StudentT.InvCDF(0, 1, DegreesOfFreedom, 0.5 + level / 2) * StandardError;
        return (Estimate - reach, Estimate + reach);
    }

    /// <summary>
    /// Two independent groups, whose variances may differ: (x̄ − ȳ) / √(s²/n + r²/m), with the degrees of freedom of
    /// Welch (1947), ν = (s²/n + r²/m)² / ((s²/n)²/(n − 1) + (r²/m)²/(m − 1)).
    /// </summary>
    /// <param name="a">The summary of one group: x̄, s, n.</param>
    /// <param name="b">The summary of the other group: ȳ, r, m.</param>
    /// <returns>The test of the first mean minus the second.</returns>
    public static TTest Welch(Sample a, Sample b)
    {
        var (u, v) = (a.Deviation * a.Deviation / a.Count, b.Deviation * b.Deviation / b.Count);
        return new(a.Mean - b.Mean, Math.Sqrt(u + v),
            (u + v) * (u + v) / (u * u / (a.Count - 1) + v * v / (b.Count - 1)));
    }

    /// <summary>
    /// One group against a bound: (x̄ − bound) / (s/√n), ν = n − 1. The differences of pairs are such a group (Student
    /// 1908).
    /// </summary>
    /// <param name="values">The summary of the group.</param>
    /// <param name="bound">What its mean is compared with.</param>
    /// <returns>The test of the mean.</returns>
    public static TTest One(Sample values, double bound = 0) =>
        new(values.Mean, values.Deviation / Math.Sqrt(values.Count), values.Count - 1, bound);

    /// <summary>Pairs of values: the test of the differences, the first minus the second of each.</summary>
    /// <param name="a">The first value of each pair.</param>
    /// <param name="b">The second value of each pair.</param>
    /// <returns>The test of the mean difference.</returns>
    /// <exception cref="AdjointException">The numbers of values differ.</exception>
    public static TTest Paired(IReadOnlyList<double> a, IReadOnlyList<double> b) => a.Count == b.Count
        ? One(Sample.Of([.. a.Zip(b, (x, y) => x - y)]))
        : throw new AdjointException(
            $"TTest.Paired: both groups need as many values: found {a.Count} and {b.Count}; use Welch for groups " +
            $"that do not pair");
}
