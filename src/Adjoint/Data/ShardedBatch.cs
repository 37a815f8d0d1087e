using System.Collections;

namespace Adjoint.Data;

/// <summary>A batch of which only some logical shards were read.</summary>
/// <param name="Count">The number of samples of the whole batch.</param>
/// <param name="Range">Which shards these are.</param>
/// <param name="Shards">The shards in order; null: one without samples.</param>
internal sealed record ShardedBatch(int Count, ShardRange Range, Batch?[] Shards);

/// <summary>A pass over some shards of each batch of a loader, for <c>foreach</c>.</summary>
internal readonly struct ShardedPass(DataLoader loader, ShardRange range) : IEnumerable<ShardedBatch>
{
    public IEnumerator<ShardedBatch> GetEnumerator() => loader.Begin(range);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
