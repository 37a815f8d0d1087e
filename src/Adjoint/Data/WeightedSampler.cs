using System.Globalization;

namespace Adjoint.Data;

/// <summary>
/// Samples drawn with replacement, each with a probability proportional to its weight: rare classes can come as often
/// as common ones (<see cref="Balanced"/>). Each draw takes log₂ n steps.
/// </summary>
public sealed class WeightedSampler : Sampler
{
    private readonly ulong seed;
    // Of the weights up to and with each sample.
    private readonly double[] sums;

    /// <summary>Creates a sampler.</summary>
    /// <param name="weights">The weight of each sample, 0 or more; one of weight 0 never comes.</param>
    /// <param name="count">The number of samples to draw in a pass; null: as many as there are weights.</param>
    /// <param name="seed">The seed of the draws.</param>
    /// <exception cref="AdjointException">
    /// A weight is negative, NaN or infinite, none is positive, or the number is negative.
    /// </exception>
    public WeightedSampler(IReadOnlyList<double> weights, int? count = null, ulong seed = 0)
    {
        (Count, this.seed) = (RequireCount(nameof(WeightedSampler), count ?? weights.Count), seed);
        (sums, var sum) = (new double[weights.Count], 0.0);
        for (var i = 0; i < sums.Length; i++)
        {
            if (!(weights[i] >= 0 && double.IsFinite(weights[i])))
                throw new AdjointException(string.Create(CultureInfo.InvariantCulture,
                    $"WeightedSampler: weights must be 0 or more, and finite: found {weights[i]} for sample {i}"));
            sums[i] = sum += weights[i];
        }
        if (Count > 0 && !(sum > 0 && double.IsFinite(sum)))
            throw new AdjointException(string.Create(CultureInfo.InvariantCulture,
                $"WeightedSampler: the weights must have a positive, finite sum: found {sum} for {sums.Length} "
                + $"samples; give a sample a weight above 0"));
    }

    /// <summary>A sampler under which every class comes equally often, whatever its number of samples.</summary>
    /// <typeparam name="T">The type of a class: a label, a text.</typeparam>
    /// <param name="classes">The class of each sample.</param>
    /// <param name="count">The number of samples to draw in a pass; null: as many as there are.</param>
    /// <param name="seed">The seed of the draws.</param>
    /// <returns>A sampler of weights 1 / (number of samples of the class).</returns>
    /// <exception cref="AdjointException">The number is negative, or there are no samples.</exception>
    public static WeightedSampler Balanced<T>(IReadOnlyList<T> classes, int? count = null, ulong seed = 0)
        where T : notnull
    {
        var sizes = classes.CountBy(one => one).ToDictionary();
        return new([.. classes.Select(one => 1.0 / sizes[one])], count, seed);
    }

    /// <inheritdoc/>
    public override int Count { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Order(int epoch)
    {
        var random = new SampleRandom(seed, epoch, 0, SampleRandom.OfSamplers);
        var order = new int[Count];
        foreach (ref var sample in order.AsSpan())
        {
            // The first whose sum is above the number that was drawn: one of weight 0 has the sum of the one before.
            var drawn = random.Uniform() * sums[^1];
            var (low, high) = (0, sums.Length - 1);
            while (low < high)
            {
                var middle = low + (high - low) / 2;
                if (sums[middle] > drawn) high = middle;
                else low = middle + 1;
            }
            sample = low;
        }
        return order;
    }
}
