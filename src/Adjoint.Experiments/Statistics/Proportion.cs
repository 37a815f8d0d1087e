using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>What a count of successes says about the share that they come from, such as an accuracy.</summary>
public static class Proportion
{
    /// <summary>
    /// The confidence interval of the true share: Wilson's score interval (1927), (p̂ + z²/2n ± z·√(p̂(1 − p̂)/n +
    /// z²/4n²)) / (1 + z²/n), which never leaves 0 to 1.
    /// </summary>
    /// <param name="successes">The number of successes, at most n.</param>
    /// <param name="count">The number of trials, n.</param>
    /// <param name="level">How often such intervals hold the true share.</param>
    /// <returns>The ends of the interval; NaN where n is 0.</returns>
    public static (double Low, double High) Interval(long successes, long count, double level = 0.95)
    {
        if (count <= 0) return (double.NaN, double.NaN);
        var (share, z) = ((double)successes / count, Normal.InvCDF(0, 1, 0.5 + level / 2));
        var weight = z * z / count;
        var middle = (share + weight / 2) / (1 + weight);
        var reach = z * Math.Sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight);
        // At the ends the formula gives 0 and 1 on paper, and their rounding here.
        return (successes == 0 ? 0 : middle - reach, successes == count ? 1 : middle + reach);
    }
}
