namespace Adjoint.Training;

/// <summary>What metrics compute from the outputs of one element; float64, without overflow.</summary>
internal static class Scores
{
    /// <summary>The first of the largest.</summary>
    internal static int Largest(ReadOnlySpan<double> values)
    {
        var best = 0;
        for (var k = 1; k < values.Length; k++)
            if (values[k] > values[best]) best = k;
        return best;
    }

    /// <summary>From the score of the second of two classes, in the first place, to the scores of both.</summary>
    internal static void OfTwo(bool fromLogits, Span<double> scores)
    {
        scores[1] = scores[0];
        scores[0] = fromLogits ? 0 : 1 - scores[1];
    }

    /// <summary>ln Σ e^x, without overflow; −∞ of nothing.</summary>
    internal static double LogSumExp(ReadOnlySpan<double> x)
    {
        if (x.IsEmpty) return double.NegativeInfinity;
        var max = x[Largest(x)];
        if (double.IsNegativeInfinity(max)) return max;
        var sum = 0.0;
        foreach (var value in x) sum += Math.Exp(value - max);
        return max + Math.Log(sum);
    }

    /// <summary>ln (1 + e^x), without overflow.</summary>
    internal static double Softplus(double x) =>
        Math.Max(x, 0) + LogOfOnePlus(Math.Exp(-Math.Abs(x)));

    /// <summary>1 / (1 + e^−x).</summary>
    internal static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>Probabilities e^x / Σ e^x, in place.</summary>
    internal static void Softmax(Span<double> x)
    {
        var (max, sum) = (x[Largest(x)], 0.0);
        foreach (ref var value in x)
        {
            value = Math.Exp(value - max);
            sum += value;
        }
        foreach (ref var value in x) value /= sum;
    }

    /// <summary>
    /// ln(p / (1 − p)) for p = softmax(x): x less ln Σ e^x of the others, which keeps all digits near 1. The same bits
    /// whatever the order of the others.
    /// </summary>
    internal static void LogOdds(ReadOnlySpan<double> x, Span<double> odds)
    {
        Span<double> sorted = odds.Length <= 64 ? stackalloc double[odds.Length] : new double[odds.Length];
        // Relative to the largest, so that a shift of all changes nothing.
        var max = x[Largest(x)];
        for (var k = 0; k < x.Length; k++) sorted[k] = x[k] - max;
        sorted.Sort();
        var (sum, others) = (0.0, LogSumExp(sorted[..^1]));
        foreach (var value in sorted) sum += Math.Exp(value);
        // Below the largest, that one is among the others: nothing cancels.
        for (var k = 0; k < x.Length; k++)
            odds[k] = x[k] == max ? -others : x[k] - max - Math.Log(sum - Math.Exp(x[k] - max));
    }

    // Kahan's correction: what 1 + z loses is divided out again.
    private static double LogOfOnePlus(double z) => 1 + z == 1 ? z : Math.Log(1 + z) * (z / (1 + z - 1));
}
