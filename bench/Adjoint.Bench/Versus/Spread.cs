namespace Adjoint.Bench;

/// <summary>Median and quartiles of so many values.</summary>
internal sealed record Spread(double Median, double Lower, double Upper, int Count)
{
    /// <summary>Of at least one value.</summary>
    internal static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return new(Quantile(sorted, 0.5), Quantile(sorted, 0.25), Quantile(sorted, 0.75), sorted.Length);
    }

    // Linear between neighbors, as NumPy's default.
    private static double Quantile(double[] sorted, double share)
    {
        var at = share * (sorted.Length - 1);
        var (below, above) = ((int)Math.Floor(at), (int)Math.Ceiling(at));
        return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
    }
}
