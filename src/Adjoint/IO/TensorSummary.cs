namespace Adjoint.IO;

/// <summary>
/// What the values of a tensor are like: extremes, mean, standard deviation, a histogram, and how many are no finite
/// numbers. All are computed in float64; truth values count as 0 and 1.
/// </summary>
public sealed record TensorSummary
{
    /// <summary>The number of bins of a histogram.</summary>
    public const int Bins = 20;

    private const int MostFirst = 8, Chunk = 1 << 18;

    private TensorSummary(Tensor tensor)
    {
        using var _ = new NoGrad();
        var flat = tensor.Detach().To(Device.Cpu).Contiguous().Reshape(-1);
        Count = flat.Length;
        First = Values(flat.Slice(0, 0, Math.Min(MostFirst, flat.Length)));
        Minimum = double.PositiveInfinity;
        Maximum = double.NegativeInfinity;
        Each(flat, x =>
        {
            if (double.IsNaN(x)) NaNs++;
            else if (double.IsPositiveInfinity(x)) PositiveInfinities++;
            else if (double.IsNegativeInfinity(x)) NegativeInfinities++;
            else
            {
                if (x == 0) Zeros++;
                Minimum = Math.Min(Minimum, x);
                Maximum = Math.Max(Maximum, x);
            }
        });
        var finite = Count - NaNs - PositiveInfinities - NegativeInfinities;
        if (finite == 0)
        {
            Minimum = Maximum = Mean = Deviation = double.NaN;
            return;
        }
        // Divided by a power of two, which rounds nothing, so that no sum and no square overflows.
        var largest = Math.Max(Math.Abs(Minimum), Math.Abs(Maximum));
        var scale = largest == 0 ? 1 : Math.ScaleB(1, Math.Min(1023, Math.ILogB(largest) + 1));
        double sum = 0, squares = 0;
        Each(flat, x =>
        {
            if (double.IsFinite(x)) sum += x / scale;
        });
        var (mean, low, range) = (sum / finite, Minimum / scale, Maximum / scale - Minimum / scale);
        var bins = new long[Bins];
        Each(flat, x =>
        {
            if (!double.IsFinite(x)) return;
            squares += (x / scale - mean) * (x / scale - mean);
            bins[range == 0 ? Bins / 2 : Math.Min(Bins - 1, (int)((x / scale - low) / range * Bins))]++;
        });
        (Mean, Deviation, Histogram) = (mean * scale, Math.Sqrt(squares / finite) * scale, bins);
    }

    /// <summary>The number of elements.</summary>
    public long Count { get; }

    /// <summary>The number of elements that are NaN.</summary>
    public long NaNs { get; private set; }

    /// <summary>The number of elements that are ∞.</summary>
    public long PositiveInfinities { get; private set; }

    /// <summary>The number of elements that are −∞.</summary>
    public long NegativeInfinities { get; private set; }

    /// <summary>The number of elements that are 0 or −0.</summary>
    public long Zeros { get; private set; }

    /// <summary>The smallest finite element; NaN where there is none.</summary>
    public double Minimum { get; private set; }

    /// <summary>The largest finite element; NaN where there is none.</summary>
    public double Maximum { get; private set; }

    /// <summary>The mean of the finite elements; NaN where there is none.</summary>
    public double Mean { get; }

    /// <summary>
    /// The standard deviation of the finite elements, √(Σ(x − mean)²/n); NaN where there is none.
    /// </summary>
    public double Deviation { get; }

    /// <summary>
    /// How many finite elements lie in each of <see cref="Bins"/> parts of the same width between
    /// <see cref="Minimum"/> and <see cref="Maximum"/>; where these are the same, all are in the part in the middle.
    /// Empty where there is no finite element.
    /// </summary>
    public IReadOnlyList<long> Histogram { get; } = [];

    /// <summary>The first elements in row-major order, 8 or all.</summary>
    public IReadOnlyList<double> First { get; }

    /// <summary>Summarizes the values of a tensor.</summary>
    /// <param name="tensor">The tensor, of any type and layout.</param>
    /// <returns>The summary of its values.</returns>
    public static TensorSummary Of(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        return new(tensor);
    }

    // In parts, so that a large tensor needs no copy in float64.
    private static void Each(Tensor flat, Action<double> see)
    {
        for (var at = 0; at < flat.Length; at += Chunk)
            foreach (var x in Values(flat.Slice(0, at, Math.Min(Chunk, flat.Length - at)))) see(x);
    }

    private static double[] Values(Tensor flat) => flat.To(DType.Float64).ToArray<double>();
}
