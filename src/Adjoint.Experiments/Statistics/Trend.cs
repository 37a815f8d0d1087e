namespace Adjoint.Experiments;

/// <summary>Straight lines through points.</summary>
public static class Trend
{
    /// <summary>The slope of the least-squares line, Σ(x − x̄)(y − ȳ) / Σ(x − x̄)².</summary>
    /// <param name="x">The positions of the points.</param>
    /// <param name="y">Their values, as many.</param>
    /// <returns>The slope in y's unit per x's unit; NaN below two different x.</returns>
    public static double Slope(IReadOnlyList<double> x, IReadOnlyList<double> y)
    {
        var (meanX, meanY) = (x.Average(), y.Average());
        return x.Zip(y, (a, b) => (a - meanX) * (b - meanY)).Sum() / x.Sum(a => (a - meanX) * (a - meanX));
    }
}
