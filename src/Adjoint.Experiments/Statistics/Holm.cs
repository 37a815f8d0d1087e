namespace Adjoint.Experiments;

/// <summary>Holm's step-down correction (1979): with m tests at once, the chance of any false alarm stays at the level of one.</summary>
public static class Holm
{
    /// <summary>Adjusted p-values, in the given order: for the i-th smallest, the largest of (m − j + 1)·pⱼ over j ≤ i, at most 1. NaN stays NaN and is not counted.</summary>
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
