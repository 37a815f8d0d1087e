namespace Adjoint.Explorer;

/// <summary>Numbers that describe a tensor. Minimum, mean, maximum and norm are of the finite elements.</summary>
internal sealed record TensorSummary(int Count, double Minimum, double Mean, double Maximum, double Norm, int Zeros,
    int NaNs, int Infinities)
{
    private const int Bins = 32;

    internal static TensorSummary Of(ReadOnlySpan<double> values)
    {
        var (minimum, maximum, sum, squares) = (double.PositiveInfinity, double.NegativeInfinity, 0.0, 0.0);
        var (zeros, nans, infinities) = (0, 0, 0);
        foreach (var value in values)
        {
            if (double.IsNaN(value)) nans++;
            else if (double.IsInfinity(value)) infinities++;
            else
            {
                if (value < minimum) minimum = value;
                if (value > maximum) maximum = value;
                if (value == 0) zeros++;
                sum += value;
                squares += value * value;
            }
        }
        var finite = values.Length - nans - infinities;
        return finite == 0
            ? new(values.Length, double.NaN, double.NaN, double.NaN, double.NaN, 0, nans, infinities)
            : new(values.Length, minimum, sum / finite, maximum, Math.Sqrt(squares), zeros, nans, infinities);
    }

    /// <summary>How many finite elements lie in each of equal bins from minimum to maximum.</summary>
    internal int[] Histogram(ReadOnlySpan<double> values)
    {
        var counts = new int[Bins];
        var width = (Maximum - Minimum) / Bins;
        foreach (var value in values)
            if (double.IsFinite(value))
                counts[width > 0 ? Math.Min(Bins - 1, (int)((value - Minimum) / width)) : 0]++;
        return counts;
    }
}
