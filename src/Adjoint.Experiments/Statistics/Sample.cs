using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>What a handful of numbers says about the normal distribution that they are drawn from.</summary>
/// <param name="Count">The number of values, n.</param>
/// <param name="Mean">The mean x̄ = Σx / n; NaN for no values.</param>
/// <param name="Deviation">The standard deviation s = √(Σ(x − x̄)² / (n − 1)); NaN below two values.</param>
public sealed record Sample(int Count, double Mean, double Deviation)
{
    // Equal numbers, and differences of pairs that are equal on paper, spread by their rounding: that is none.
    private const double Rounding = 1e-12;

    /// <summary>
    /// Summarizes values. A deviation of 10⁻¹² of the largest value or less is rounding, and counts as 0.
    /// </summary>
    /// <param name="values">The values in any order.</param>
    /// <returns>Number, mean and standard deviation.</returns>
    public static Sample Of(IReadOnlyCollection<double> values)
    {
        var mean = values.Count == 0 ? double.NaN : values.Sum() / values.Count;
        if (values.Count < 2) return new(values.Count, mean, double.NaN);
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        return new(values.Count, mean, deviation <= Rounding * values.Max(Math.Abs) ? 0 : deviation);
    }

    /// <summary>The confidence interval of the true mean: x̄ ± t·s/√n, with t of n − 1 degrees of freedom.</summary>
    /// <param name="level">How often such intervals hold the true value, such as 0.95.</param>
    /// <returns>The ends of the interval; NaN below two values.</returns>
    public (double Low, double High) MeanInterval(double level = 0.95) => Around(level, Math.Sqrt(1.0 / Count));

    /// <summary>The prediction interval of one more draw: x̄ ± t·s·√(1 + 1/n).</summary>
    /// <param name="level">How often such intervals hold the next draw, such as 0.95.</param>
    /// <returns>The ends of the interval; NaN below two values.</returns>
    public (double Low, double High) NextInterval(double level = 0.95) => Around(level, Math.Sqrt(1 + 1.0 / Count));

    private (double, double) Around(double level, double scale)
    {
        if (Count < 2) return (double.NaN, double.NaN);
        var reach = StudentT.InvCDF(0, 1, Count - 1, 0.5 + level / 2) * Deviation * scale;
        return (Mean - reach, Mean + reach);
    }
}
