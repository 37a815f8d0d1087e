namespace Adjoint.Data;

/// <summary>
/// All samples, each once, in batches of similar lengths that come in a random order: so little of a padded batch
/// (<see cref="PaddingCollate"/>) is padding. The batches are new in every pass, where lengths are equal or batches are
/// drawn from pools.
/// </summary>
public sealed class LengthSampler : Sampler
{
    private readonly int[] lengths;
    private readonly int batchSize;
    private readonly int poolSize;
    private readonly ulong seed;

    /// <summary>Creates a sampler.</summary>
    /// <param name="lengths">The length of each sample.</param>
    /// <param name="batchSize">The batch size of the loader, 1 or more.</param>
    /// <param name="poolBatches">
    /// Samples are shuffled, taken in pools of so many batches, and sorted by length in each: the more, the more alike
    /// are the lengths in a batch, and the less is left to chance; 1 or more.
    /// </param>
    /// <param name="seed">The seed of the orders.</param>
    /// <exception cref="AdjointException">A size is not positive, or a length is negative.</exception>
    public LengthSampler(IReadOnlyList<int> lengths, int batchSize, int poolBatches = 100, ulong seed = 0)
    {
        if (batchSize < 1 || poolBatches < 1)
            throw new AdjointException(
                $"LengthSampler: batch size and number of batches in a pool must be positive: found {batchSize} and "
                + $"{poolBatches}");
        this.lengths = [.. lengths];
        if (Array.FindIndex(this.lengths, length => length < 0) is >= 0 and var bad)
            throw new AdjointException(
                $"LengthSampler: lengths must not be negative: found {lengths[bad]} for sample {bad}");
        (this.batchSize, this.seed) = (batchSize, seed);
        poolSize = (int)Math.Min(int.MaxValue, (long)batchSize * poolBatches);
    }

    /// <summary>A sampler by the size of a field's first axis, for which every sample is read once.</summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="field">The name of the field.</param>
    /// <param name="batchSize">The batch size of the loader, 1 or more.</param>
    /// <param name="poolBatches">The number of batches in a pool, 1 or more.</param>
    /// <param name="seed">The seed of the orders.</param>
    /// <returns>A sampler of these lengths.</returns>
    /// <exception cref="AdjointException">A size is not positive, or the field has no axis.</exception>
    public static LengthSampler Of(
        Dataset dataset, string field, int batchSize, int poolBatches = 100, ulong seed = 0)
    {
        var lengths = new int[dataset.Count];
        for (var i = 0; i < lengths.Length; i++)
        {
            var shape = dataset.Read(i)[field].Shape;
            lengths[i] = shape.Rank > 0
                ? shape[0]
                : throw new AdjointException(
                    $"LengthSampler: '{field}' of sample {i} of {dataset.Name} has no axis, so no length; name "
                    + "another field");
        }
        return new(lengths, batchSize, poolBatches, seed);
    }

    /// <inheritdoc/>
    public override int Count => lengths.Length;

    /// <inheritdoc/>
    public override IReadOnlyList<int> Order(int epoch)
    {
        var order = new Generator(seed, (ulong)epoch).Permutation(Count);
        for (var start = 0; start < Count; start += Math.Min(poolSize, Count - start))
        {
            var pool = order.AsSpan(start, Math.Min(poolSize, Count - start));
            // Stable, so that equal lengths stay in their random order.
            int[] sorted = [.. pool.ToArray().OrderBy(sample => lengths[sample])];
            sorted.CopyTo(pool);
        }
        // Full batches change places; one that is not full stays the last.
        var full = Count / batchSize;
        var batches = new Generator(seed, (ulong)epoch).Fork(1).Permutation(full);
        var result = new int[Count];
        for (var batch = 0; batch < full; batch++)
            order.AsSpan(batches[batch] * batchSize, batchSize).CopyTo(result.AsSpan(batch * batchSize));
        order.AsSpan(full * batchSize).CopyTo(result.AsSpan(full * batchSize));
        return result;
    }
}
