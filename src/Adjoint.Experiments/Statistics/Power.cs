using MathNet.Numerics;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Integration;

namespace Adjoint.Experiments;

/// <summary>How likely a t-test is to find a difference that is there, and how many seeds that takes (Cohen 1988).</summary>
public static class Power
{
    /// <summary>No answer is given beyond as many seeds.</summary>
    public const int MostSeeds = 1000;

    /// <summary>Of a two-sided test of one group, or of pairs, against a bound, for a true effect of <paramref name="effect"/> deviations.</summary>
    public static double OfOne(double effect, int count, double level = 0.05) => TwoSided(effect * Math.Sqrt(count), count - 1, level);

    /// <summary>Of a two-sided test of two groups of <paramref name="count"/> values each.</summary>
    public static double OfTwo(double effect, int count, double level = 0.05) => TwoSided(effect * Math.Sqrt(count / 2.0), 2 * count - 2, level);

    /// <summary>The fewest seeds with which a paired test finds the effect with the given power; null above <see cref="MostSeeds"/>.</summary>
    public static int? SeedsOfPairs(double effect, double power = 0.8, double level = 0.05) => Fewest(count => OfOne(effect, count, level), effect, power);

    /// <summary>The fewest seeds of each group with which a test of two groups finds the effect; null above <see cref="MostSeeds"/>.</summary>
    public static int? SeedsOfGroups(double effect, double power = 0.8, double level = 0.05) => Fewest(count => OfTwo(effect, count, level), effect, power);

    /// <summary>
    /// P(T ≤ t) of the noncentral t distribution: T = (Z + δ) / √(X/ν), Z normal, X χ² of ν degrees of freedom; ∫ Φ(t·s − δ) f(s) ds over the density f of
    /// s = √(X/ν), by Gauss and Legendre's rule.
    /// </summary>
    public static double NoncentralT(double t, double freedom, double delta)
    {
        // s has mean about 1 and deviation about 1/√(2ν); for ν = 1 it is half-normal.
        var deviation = 1 / Math.Sqrt(2 * freedom);
        var (low, high) = (Math.Max(0, 1 - 10 * deviation), 1 + 10 * deviation);
        var scale = Math.Log(2) + freedom / 2 * Math.Log(freedom / 2) - SpecialFunctions.GammaLn(freedom / 2);
        return GaussLegendreRule.Integrate(Integrand, low, high, 256);

        double Integrand(double s) => s <= 0 ? 0 : Normal.CDF(0, 1, t * s - delta) * Math.Exp(scale + (freedom - 1) * Math.Log(s) - freedom * s * s / 2);
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
