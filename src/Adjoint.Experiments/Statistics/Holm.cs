namespace Adjoint.Experiments;

/// <summary>
/// Holm's step-down correction (1979): with m tests at once, the probability of any false positive stays at the level
/// of one test.
/// </summary>
public static class Holm
{
    /// <summary>Adjusts p-values: for the i-th smallest, the largest of (m − j + 1)·pⱼ over j ≤ i, at most 1.</summary>
    /// <param name="p">The p-values of all tests; NaN is not counted.</param>
    /// <returns>The adjusted p-values, in the given order; NaN stays NaN.</returns>
    public static double[] Adjust(IReadOnlyList<double> p)
    {
        var result = Enumerable.Repeat(double.NaN, p.Count).ToArray();
        var order = Enumerable.Range(0, p.Count).Where(i => !double.IsNaN(p[i])).OrderBy(i => p[i]).ToArray();
        var largest = 0.0;
        for (var rank = 0; rank < order.Length; rank++)
            result[order[rank]] = largest = Math.Max(largest, Math.Min(1, (order.Length - rank) * p[order[rank]]));
        return result;
    }
}
