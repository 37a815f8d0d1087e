using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>
/// One-way analysis of variance (Fisher 1925): do the means of several groups differ by more than the variance within
/// the groups explains?
/// </summary>
/// <param name="Between">Sum of squares of the groups' means about the mean of all, Σ nᵢ(x̄ᵢ − x̄)².</param>
/// <param name="Within">Sum of squares of the values about the mean of their group.</param>
/// <param name="Groups">The number of groups, k.</param>
/// <param name="Count">The number of values in all groups, N.</param>
public sealed record Anova(double Between, double Within, int Groups, int Count)
{
    /// <summary>The statistic F = (Between / (k − 1)) / (Within / (N − k)).</summary>
    public double F => Between / (Groups - 1) / (Within / (Count - Groups));

    /// <summary>
    /// The probability of an F this large if all means are equal. NaN where values are too few, or do not vary within
    /// their groups.
    /// </summary>
    public double P => Groups > 1 && Count > Groups && Within > 0
        ? 1 - FisherSnedecor.CDF(Groups - 1, Count - Groups, F)
        : double.NaN;

    /// <summary>
    /// ω², the share of the variance that the groups explain, with little bias (Hays 1963); at least 0.
    /// </summary>
    public double OmegaSquared
    {
        get
        {
            var error = Within / (Count - Groups);
            return Math.Max(0, (Between - (Groups - 1) * error) / (Between + Within + error));
        }
    }

    /// <summary>Analyzes groups of values.</summary>
    /// <param name="groups">The values of each group.</param>
    /// <returns>Sums of squares and counts, from which F and p follow.</returns>
    public static Anova Of(IReadOnlyList<IReadOnlyList<double>> groups)
    {
        var all = groups.Sum(group => group.Count);
        var mean = groups.Sum(group => group.Sum()) / all;
        var means = groups.Select(group => group.Sum() / group.Count).ToArray();
        return new(
            groups.Zip(means, (group, own) => group.Count * (own - mean) * (own - mean)).Sum(),
            groups.Sum(group => group.Count < 2 ? 0 : (group.Count - 1) * Math.Pow(Sample.Of([.. group]).Deviation, 2)),
                groups.Count, all);
    }
}
