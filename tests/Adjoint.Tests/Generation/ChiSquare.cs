namespace Adjoint.Tests.Generation;

/// <summary>Whether counts come from a distribution (Pearson 1900).</summary>
internal static class ChiSquare
{
    /// <summary>
    /// Fails where the statistic is above the quantile of 1 − 10⁻⁶ (Wilson and Hilferty 1931), or what has the
    /// probability 0 came.
    /// </summary>
    internal static void AssertFits(IReadOnlyList<int> counts, IReadOnlyList<double> probabilities)
    {
        var total = counts.Sum();
        var (statistic, kinds) = (0.0, 0);
        for (var i = 0; i < counts.Count; i++)
        {
            if (probabilities[i] == 0)
            {
                Assert.Equal(0, counts[i]);
                continue;
            }
            var expected = probabilities[i] * total;
            Assert.True(expected >= 5, $"too few draws for {i}: {expected} expected");
            statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
            kinds++;
        }
        var degrees = Math.Max(1, kinds - 1);
        var spread = 2.0 / 9 / degrees;
        var most = degrees * Math.Pow(1 - spread + 4.7534 * Math.Sqrt(spread), 3);
        Assert.True(statistic < most, $"χ² {statistic} above {most}: {string.Join(", ", counts)}");
    }
}
