using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>Student's t: how an estimate compares with a bound, measured in its standard error. Two-sided.</summary>
/// <param name="Estimate">The mean, or the difference of means.</param>
/// <param name="StandardError">Of the estimate.</param>
/// <param name="DegreesOfFreedom">ν.</param>
/// <param name="Bound">What the estimate is compared with.</param>
public sealed record TTest(double Estimate, double StandardError, double DegreesOfFreedom, double Bound = 0)
{
    /// <summary>(estimate − bound) / standard error.</summary>
    public double T => (Estimate - Bound) / StandardError;

    /// <summary>
    /// The probability of a |t| this large where estimate and bound are equal in truth. NaN where values are too few, or do not spread at all:
    /// then nothing says how far they would.
    /// </summary>
    public double P => StandardError > 0 && DegreesOfFreedom > 0 ? 2 * StudentT.CDF(0, 1, DegreesOfFreedom, -Math.Abs(T)) : double.NaN;

    /// <summary>Where the true value lies: estimate ± t·standard error.</summary>
    public (double Low, double High) Interval(double level = 0.95)
    {
        if (!(StandardError >= 0) || !(DegreesOfFreedom > 0)) return (double.NaN, double.NaN);
        var reach = StudentT.InvCDF(0, 1, DegreesOfFreedom, 0.5 + level / 2) * StandardError;
        return (Estimate - reach, Estimate + reach);
    }

    /// <summary>
    /// Two independent groups, whose spreads may differ: (x̄ − ȳ) / √(s²/n + r²/m), with the degrees of freedom of Welch (1947), ν = (s²/n + r²/m)² /
    /// ((s²/n)²/(n − 1) + (r²/m)²/(m − 1)).
    /// </summary>
    public static TTest Welch(Sample a, Sample b)
    {
        var (u, v) = (a.Deviation * a.Deviation / a.Count, b.Deviation * b.Deviation / b.Count);
        return new(a.Mean - b.Mean, Math.Sqrt(u + v), (u + v) * (u + v) / (u * u / (a.Count - 1) + v * v / (b.Count - 1)));
    }

    /// <summary>One group against a bound: (x̄ − bound) / (s/√n), ν = n − 1. The differences of pairs are such a group (Student 1908).</summary>
    public static TTest One(Sample values, double bound = 0) => new(values.Mean, values.Deviation / Math.Sqrt(values.Count), values.Count - 1, bound);

    /// <summary>Pairs: the first minus the second of each.</summary>
    /// <exception cref="AdjointException">The numbers of values differ.</exception>
    public static TTest Paired(IReadOnlyList<double> a, IReadOnlyList<double> b) => a.Count == b.Count
        ? One(Sample.Of([.. a.Zip(b, (x, y) => x - y)]))
        : throw new AdjointException($"TTest.Paired: both groups need as many values: found {a.Count} and {b.Count}; use Welch for groups that do not pair");
}
