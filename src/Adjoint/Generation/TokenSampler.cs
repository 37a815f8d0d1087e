using System.Globalization;
using Adjoint.Kernels;

namespace Adjoint.Generation;

/// <summary>
/// Draws the next token from logits. In this order, as in Hugging Face's transformers: logits are divided by the
/// temperature, the k most likely tokens are kept, then of these the nucleus of probability p (Holtzman et al. 2020,
/// "The curious case of neural text degeneration"); what is left is drawn in proportion to its probability. All of it
/// is computed in double. Equal seeds and logits give the same tokens, whatever the number of threads.
/// </summary>
public sealed class TokenSampler
{
    // Keeps these counters apart from those of other streams of the same seed.
    private const uint Tag = 0x70CE_0000;

    private readonly SamplingOptions options;
    private ulong drawn;

    /// <summary>Creates a sampler, which is to be used by one thread at a time.</summary>
    /// <param name="options">Temperature, top-k, top-p and seed; null: the model's own distribution, seed 0.</param>
    /// <exception cref="AdjointException">A number is out of its range.</exception>
    public TokenSampler(SamplingOptions? options = null)
    {
        this.options = options ?? new();
        var (temperature, topK, topP) = (this.options.Temperature, this.options.TopK, this.options.TopP);
        if (!(temperature >= 0 && double.IsFinite(temperature)))
            throw new AdjointException(string.Create(CultureInfo.InvariantCulture,
                $"TokenSampler: the temperature must be 0 or more, and finite: found {temperature}; 0 takes the most "
                + $"likely token, 1 the model's own distribution"));
        if (topK < 1)
            throw new AdjointException(
                $"TokenSampler: top-k must keep 1 token or more: found {topK}; leave it out for all");
        if (!(topP is >= 0 and <= 1))
            throw new AdjointException(string.Create(CultureInfo.InvariantCulture,
                $"TokenSampler: top-p must be from 0 to 1: found {topP}; 1 is all tokens"));
    }

    /// <summary>A token that is never drawn, unless no other is possible; null: none.</summary>
    internal int? Excluded { get; init; }

    /// <summary>Draws a token.</summary>
    /// <param name="logits">
    /// The logits (vocabulary) of the tokens, of a floating type; −∞ is a token that cannot come.
    /// </param>
    /// <returns>The token, from 0 to vocabulary − 1.</returns>
    /// <exception cref="AdjointException">
    /// The logits have another shape or type, one is NaN or +∞, or all are −∞.
    /// </exception>
    public int Next(Tensor logits)
    {
        var (weights, sum) = Weigh(logits);
        // Also where there is no choice: how many numbers were drawn does not depend on logits.
        var (x0, x1, _, _) = Philox.Block((uint)drawn, (uint)(drawn >> 32), 0, Tag, (uint)options.Seed,
            (uint)(options.Seed >> 32));
        drawn++;
        var place = (((ulong)x0 << 32 | x1) >> 11) * (1.0 / (1ul << 53)) * sum;
        // The first whose sum is above the number that was drawn; the product may be rounded up to the whole.
        var last = -1;
        for (var token = 0; token < weights.Length; token++)
        {
            if (weights[token] == 0) continue;
            last = token;
            place -= weights[token];
            if (place < 0) break;
        }
        return last;
    }

    /// <summary>The distribution that <see cref="Next"/> draws from.</summary>
    /// <param name="logits">The logits (vocabulary), as for <see cref="Next"/>.</param>
    /// <returns>The probability of each token, 0 for one that is filtered out.</returns>
    /// <exception cref="AdjointException">As for <see cref="Next"/>.</exception>
    public double[] Probabilities(Tensor logits)
    {
        var (weights, sum) = Weigh(logits);
        return Array.ConvertAll(weights, weight => weight / sum);
    }

    // exp((logit − most) / T), 0 for what is filtered out; and the sum.
    private (double[] Weights, double Sum) Weigh(Tensor logits)
    {
        var scores = Read(logits);
        if (Excluded is { } excluded && scores.Index().Any(one => one.Index != excluded && double.IsFinite(one.Item)))
            scores[excluded] = double.NegativeInfinity;
        var first = scores.AsSpan().IndexOf(scores.Max());
        if (options.Temperature == 0)
        {
            var only = new double[scores.Length];
            only[first] = 1;
            return (only, 1);
        }
        var most = scores[first];
        // The largest is exactly 1, whatever the temperature.
        var weights = Array.ConvertAll(scores, score => score == most
            ? 1 : Math.Exp((score - most) / options.Temperature));
        if (options.TopK is { } k && k < scores.Length) KeepMostLikely(scores, weights, k);
        if (options.TopP < 1) KeepNucleus(weights);
        return (weights, weights.Sum());
    }

    private static void KeepMostLikely(double[] scores, double[] weights, int k)
    {
        // The least likely of those kept comes out first: of equal ones the last. By scores, since weights may be
        // equal where those differ: 0.
        var kept = new PriorityQueue<int, (double Score, int Place)>(k + 1);
        for (var token = 0; token < scores.Length; token++)
            if (kept.Count < k) kept.Enqueue(token, (scores[token], -token));
            else weights[kept.EnqueueDequeue(token, (scores[token], -token))] = 0;
    }

    private void KeepNucleus(double[] weights)
    {
        var needed = options.TopP * weights.Sum();
        // All below the mean of what may be left out sum to less than that, so the nucleus is in the others: few where
        // a vocabulary is large.
        var least = (1 - options.TopP) * weights.Sum() / weights.Length / 2;
        (double Weight, int Token)[] order =
            [.. weights.Index().Where(one => one.Item > least).Select(one => (one.Item, one.Index))];
        Array.Sort(order, (one, other) => (other.Weight, one.Token).CompareTo((one.Weight, other.Token)));
        Array.Clear(weights);
        var sum = 0.0;
        foreach (var (weight, token) in order)
        {
            weights[token] = weight;
            sum += weight;
            if (sum >= needed) break;
        }
    }

    private static double[] Read(Tensor logits)
    {
        if (logits.Rank != 1 || logits.Length == 0 || !logits.DType.IsFloating())
            throw new AdjointException(
                $"TokenSampler: logits (vocabulary) of a floating type are needed: found {logits.Shape} "
                + $"{logits.DType.Label()}; take one place of one sequence");
        using var _ = new NoGrad();
        var scores = logits.To(DType.Float64).ToArray<double>();
        for (var token = 0; token < scores.Length; token++)
            if (double.IsNaN(scores[token]) || double.IsPositiveInfinity(scores[token]))
                throw new AdjointException(
                    $"TokenSampler: logits must be numbers: found {(double.IsNaN(scores[token]) ? "NaN" : "∞")} for "
                    + $"token {token} of {scores.Length}; the model has diverged: take an earlier one, or train with "
                    + "a lower learning rate");
        if (double.IsNegativeInfinity(scores.Max()))
            throw new AdjointException(
                $"TokenSampler: at least one token must be possible: found the logit −∞ for all {scores.Length}");
        return scores;
    }
}
