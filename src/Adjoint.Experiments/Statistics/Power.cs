using MathNet.Numerics;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Integration;

namespace Adjoint.Experiments;

/// <summary>
/// How likely a t-test is to find a difference that is there, and how many seeds that takes (Cohen 1988).
/// </summary>
public static class Power
{
    /// <summary>The largest number of seeds that is given as an answer.</summary>
    public const int MostSeeds = 1000;

    /// <summary>The power of a two-sided t-test of one group, or of pairs, against a bound.</summary>
    /// <param name="effect">The true effect, in standard deviations.</param>
    /// <param name="count">The number of values, or of pairs.</param>
    /// <param name="level">The level of significance: p at most this counts as found.</param>
    /// <returns>The probability that the test finds the effect.</returns>
    public static double OfOne(double effect, int count, double level = 0.05) =>
        TwoSided(effect * Math.Sqrt(count), count - 1, level);

    /// <summary>The power of a two-sided t-test of two groups.</summary>
    /// <param name="effect">The true effect, in standard deviations.</param>
    /// <param name="count">The number of values of each group.</param>
    /// <param name="level">The level of significance: p at most this counts as found.</param>
    /// <returns>The probability that the test finds the effect.</returns>
    public static double OfTwo(double effect, int count, double level = 0.05) =>
        TwoSided(effect * Math.Sqrt(count / 2.0), 2 * count - 2, level);

    /// <summary>The fewest seeds with which a paired t-test finds an effect with the given power.</summary>
    /// <param name="effect">The true effect, in standard deviations.</param>
    /// <param name="power">The probability with which the effect is to be found.</param>
    /// <param name="level">The level of significance: p at most this counts as found.</param>
    /// <returns>The number of pairs; null above <see cref="MostSeeds"/>.</returns>
    public static int? SeedsOfPairs(double effect, double power = 0.8, double level = 0.05) =>
        Fewest(count => OfOne(effect, count, level), effect, power);

    /// <summary>
    /// The fewest seeds of each group with which a t-test of two groups finds an effect with the given power.
    /// </summary>
    /// <param name="effect">The true effect, in standard deviations.</param>
    /// <param name="power">The probability with which the effect is to be found.</param>
    /// <param name="level">The level of significance: p at most this counts as found.</param>
    /// <returns>The number of values of each group; null above <see cref="MostSeeds"/>.</returns>
    public static int? SeedsOfGroups(double effect, double power = 0.8, double level = 0.05) =>
        Fewest(count => OfTwo(effect, count, level), effect, power);

    /// <summary>
    /// The noncentral t distribution, P(T ≤ t): T = (Z + δ) / √(X/ν), Z normal, X χ² of ν degrees of freedom. It is ∫
    /// Φ(t·s − δ) f(s) ds over the density f of s = √(X/ν), by Gauss–Legendre quadrature.
    /// </summary>
    /// <param name="t">The value that T is compared with.</param>
    /// <param name="freedom">The degrees of freedom ν, at least 1.</param>
    /// <param name="delta">The noncentrality δ.</param>
    /// <returns>The probability, 0 to 1.</returns>
    public static double NoncentralT(double t, double freedom, double delta)
    {
        // s has mean about 1 and deviation about 1/√(2ν); for ν = 1 it is half-normal.
        var deviation = 1 / Math.Sqrt(2 * freedom);
        var (low, high) = (Math.Max(0, 1 - 10 * deviation), 1 + 10 * deviation);
        var scale = Math.Log(2) + freedom / 2 * Math.Log(freedom / 2) - SpecialFunctions.GammaLn(freedom / 2);
        return GaussLegendreRule.Integrate(Integrand, low, high, 256);

        double Integrand(double s) => s <= 0
            ? 0
            : Normal.CDF(0, 1, t * s - delta) * Math.Exp(scale + (freedom - 1) * Math.Log(s) - freedom * s * s / 2);
    }

    private static double TwoSided(double delta, double freedom, double level)
    {
        if (freedom < 1) return 0;
        var critical = StudentT.InvCDF(0, 1, freedom, 1 - level / 2);
        return 1 - NoncentralT(critical, freedom, delta) + NoncentralT(-critical, freedom, delta);
    }

    // Power grows with the number of values, so the search can halve.
    private static int? Fewest(Func<int, double> powerOf, double effect, double wanted)
    {
        if (!double.IsFinite(effect) || powerOf(MostSeeds) < wanted) return null;
        var (low, high) = (1, MostSeeds);
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            if (powerOf(middle) >= wanted) high = middle;
            else low = middle;
        }
        return high;
    }
}
