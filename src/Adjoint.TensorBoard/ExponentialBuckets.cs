using System.Numerics;
using Adjoint.TensorBoard.Format;

namespace Adjoint.TensorBoard;

/// <summary>
/// TensorBoard's buckets of a histogram: limits 10⁻¹² · 1.1ᵏ below 10²⁰, the largest double, the negatives of all
/// these, and 0. A value belongs to the bucket whose limit is the first above it.
/// </summary>
internal static class ExponentialBuckets
{
    private static readonly double[] Limits = MakeLimits();

    /// <summary>Counts the finite ones among the values; the rest have no bucket.</summary>
    internal static HistogramProto Count<T>(ReadOnlySpan<T> values) where T : unmanaged, INumber<T>
    {
        var counts = new long[Limits.Length];
        var (min, max, number, sum, squares) = (double.PositiveInfinity, double.NegativeInfinity, 0L, 0.0, 0.0);
        foreach (var element in values)
        {
            var value = double.CreateTruncating(element);
            if (!double.IsFinite(value)) continue;
            counts[BucketOf(value)]++;
            (min, max) = (Math.Min(min, value), Math.Max(max, value));
            number++;
            sum += value;
            squares += value * value;
        }
        var histogram = new HistogramProto
        {
            Min = number > 0 ? min : 0,
            Max = number > 0 ? max : 0,
            Num = number,
            Sum = sum,
            SumSquares = squares,
        };
        // Of empty buckets in a row the last is enough: its limit is where the next one begins.
        for (var i = 0; i < counts.Length; i++)
            if (counts[i] > 0)
            {
                if (i > 0 && counts[i - 1] == 0) Add(Limits[i - 1], 0);
                Add(Limits[i], counts[i]);
            }
        if (number == 0) Add(double.MaxValue, 0);
        return histogram;

        void Add(double limit, long count)
        {
            histogram.BucketLimit.Add(limit);
            histogram.Bucket.Add(count);
        }
    }

    private static int BucketOf(double value)
    {
        var found = Array.BinarySearch(Limits, value);
        // The largest double itself is counted in the last bucket.
        return Math.Min(found >= 0 ? found + 1 : ~found, Limits.Length - 1);
    }

    private static double[] MakeLimits()
    {
        var positive = new List<double>();
        for (var limit = 1e-12; limit < 1e20; limit *= 1.1) positive.Add(limit);
        positive.Add(double.MaxValue);
        return [.. positive.Select(limit => -limit).Reverse(), 0, .. positive];
    }
}
