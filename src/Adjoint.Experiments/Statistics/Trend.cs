namespace Adjoint.Experiments;

/// <summary>Straight lines through points.</summary>
public static class Trend
{
    /// <summary>The slope of the least-squares line, Σ(x − x̄)(y − ȳ) / Σ(x − x̄)². NaN below two different x.</summary>
    public static double Slope(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        var (meanX, meanY) = (x.Average(), y.Average());
        return x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum() / x.Sum(a => (a - meanX) * (a - meanX));
    }
}
