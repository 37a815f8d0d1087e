namespace Adjoint.Data;

/// <summary>
/// Consecutive logical shards of each batch, [First, End) of Count: what one rank of a data parallel training computes
/// with. Of a batch of n samples, shard s has those from s·n/Count to (s + 1)·n/Count, rounded down, whoever reads
/// them.
/// </summary>
internal readonly record struct ShardRange(int First, int End, int Count)
{
    /// <summary>The whole batch as one shard.</summary>
    internal static ShardRange Whole => new(0, 1, 1);

    /// <summary>The shards of one of several ranks, as equally many as possible.</summary>
    internal static ShardRange Of(int rank, int ranks, int count) =>
        new((int)((long)rank * count / ranks), (int)((rank + 1L) * count / ranks), count);

    /// <summary>The number of shards.</summary>
    internal int Length => End - First;

    /// <summary>The samples of a shard in a batch of so many: from the first to before the end.</summary>
    internal (int First, int End) SamplesOf(int shard, int batchSize) =>
        ((int)((long)shard * batchSize / Count), (int)((shard + 1L) * batchSize / Count));
}
