using MathNet.Numerics.Distributions;

namespace Adjoint.Experiments;

/// <summary>What a handful of numbers says about where they come from, taken as draws from a normal distribution.</summary>
/// <param name="Count">n: how many.</param>
/// <param name="Mean">x̄ = Σx / n; NaN for none.</param>
/// <param name="Deviation">s = √(Σ(x − x̄)² / (n − 1)); NaN below two.</param>
public sealed record Sample(int Count, double Mean, double Deviation)
{
    // Equal numbers, and differences of pairs that are equal on paper, spread by their rounding: that is none.
    private const double Rounding = 1e-12;

    /// <summary>The summary of values. A deviation of 10⁻¹² of the largest value or less is rounding, and 0.</summary>
    public static Sample Of(IReadOnlyCollection<double> values)
    {
        var mean = values.Count == 0 ? double.NaN : values.Sum() / values.Count;
        if (values.Count < 2) return new(values.Count, mean, double.NaN);
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1));
        return new(values.Count, mean, deviation <= Rounding * values.Max(Math.Abs) ? 0 : deviation);
    }

    /// <summary>Where the true mean lies: x̄ ± t·s/√n, with t of n − 1 degrees of freedom. NaN below two.</summary>
    public (double Low, double High) MeanInterval(double level = 0.95) => Around(level, Math.Sqrt(1.0 / Count));

    /// <summary>Where one more draw will lie: x̄ ± t·s·√(1 + 1/n). NaN below two.</summary>
    public (double Low, double High) NextInterval(double level = 0.95) => Around(level, Math.Sqrt(1 + 1.0 / Count));

    private (double, double) Around(double level, double scale)
    {
        if (Count < 2) return (double.NaN, double.NaN);
        var reach = StudentT.InvCDF(0, 1, Count - 1, 0.5 + level / 2) * Deviation * scale;
        return (Mean - reach, Mean + reach);
    }
}
