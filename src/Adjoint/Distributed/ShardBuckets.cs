namespace Adjoint.Distributed;

/// <summary>
/// The <see cref="ShardBucket"/>s that tensors are divided into by size and type, so that each message carries several
/// small ones. The last tensors come first, since backward comes to them first.
/// </summary>
internal sealed class ShardBuckets
{
    private readonly ShardBucket[] buckets;
    // Where each tensor is; −1: it takes no part.
    private readonly (int Bucket, int Entry)[] places;

    /// <summary>Divides tensors into buckets.</summary>
    /// <param name="plan">How sums are added.</param>
    /// <param name="name">What they are, in messages.</param>
    /// <param name="tensors">The tensors, the same on all ranks.</param>
    /// <param name="taken">The numbers of those that take part, ascending.</param>
    /// <param name="bucketBytes">How many bytes go together, about: a larger tensor goes by itself.</param>
    /// <param name="owners">Which rank finishes each tensor; null: a piece of each bucket.</param>
    internal ShardBuckets(
        ShardPlan plan, string name, Tensor[] tensors, IReadOnlyList<int> taken, long bucketBytes,
        int[]? owners = null)
    {
        var groups = Grouped(tensors, taken, Math.Min(bucketBytes, Memory.Storage.MaxBytes / 2)).ToArray();
        places = new (int, int)[tensors.Length];
        Array.Fill(places, (-1, -1));
        foreach (var (bucket, group) in groups.Index())
            foreach (var (entry, number) in group.Index()) places[number] = (bucket, entry);
        buckets = [.. groups.Select((group, i) => new ShardBucket(
            plan, $"{name} {i} of {groups.Length}", [.. group.Select(number => tensors[number])],
            owners is null ? null : [.. group.Select(number => owners[number])]))];
    }

    /// <summary>The buckets, in the order in which they are sent.</summary>
    internal IReadOnlyList<ShardBucket> All => buckets;

    /// <summary>Begins new sums.</summary>
    internal void Clear()
    {
        foreach (var bucket in buckets) bucket.Clear();
    }

    /// <summary>
    /// Adds what a shard has of a tensor: see <see cref="ShardBucket.Add"/>. Nothing happens to one that takes no part.
    /// </summary>
    internal void Add(int number, int shard, Tensor? x, double factor)
    {
        if (places[number] is ( >= 0 and var bucket, var entry)) buckets[bucket].Add(entry, shard, x, factor);
    }

    private static IEnumerable<List<int>> Grouped(Tensor[] tensors, IReadOnlyList<int> taken, long limit)
    {
        var open = new Dictionary<DType, (List<int> Group, long Bytes)>();
        foreach (var number in taken.Reverse())
        {
            var type = tensors[number].DType.Computing();
            var bytes = (long)tensors[number].Length * type.Size();
            var (group, filled) = open.GetValueOrDefault(type, ([], 0));
            if (group.Count > 0 && filled + bytes > limit)
            {
                yield return group;
                (group, filled) = ([], 0);
            }
            group.Add(number);
            open[type] = (group, filled + bytes);
        }
        foreach (var (group, _) in open.Values) yield return group;
    }
}
