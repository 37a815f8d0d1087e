using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>What a count of successes says about the share that they come from, such as an accuracy.</summary>
public static class Proportion
{
    /// <summary>
    /// Where the true share lies: Wilson's score interval (1927), (p̂ + z²/2n ± z·√(p̂(1 − p̂)/n + z²/4n²)) / (1 +
    /// z²/n), which never leaves 0 to 1. NaN for none.
    /// </summary>
    /// <param name="successes">How many of them.</param>
    /// <param name="count">n: of how many.</param>
    /// <param name="level">How often such intervals hold the true share.</param>
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
