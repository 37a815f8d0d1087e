using Adjoint.Data;

namespace Adjoint.Distributed;

/// <summary>
/// What one rank does in the <see cref="ShardTree"/>, step after step: where it adds its own shards, which sums it
/// sends, and how it adds up those of all ranks.
/// </summary>
internal sealed class ShardPlan
{
    internal ShardPlan(int rank, int ranks, int shards)
    {
        (Rank, Ranks, Shards) = (rank, ranks, shards);
        (Lo, Hi, _) = ShardRange.Of(rank, ranks, shards);
        Covers = [.. Enumerable.Range(0, ranks).Select(r => CoverOf(r, ranks, shards))];
        Rounds = Covers.Max(cover => cover.Length);
        Merges = [.. ShardTree.Merges(Covers.SelectMany(cover => cover), shards)];
        var (own, depth) = (Covers[rank], 0);
        var merges = ShardTree.Merges(Enumerable.Range(Lo, Hi - Lo).Select(s => (s, s + 1)), shards).ToArray();
        Leaves = new (int, int, int)[merges.Length];
        for (var i = 0; i < merges.Length; i++)
        {
            Leaves[i] = (depth, merges[i], Array.FindIndex(own, node => node.Hi == Lo + i + 1));
            depth += 1 - merges[i];
            Slots = Math.Max(Slots, depth);
        }
    }

    internal int Rank { get; }
    internal int Ranks { get; }
    internal int Shards { get; }

    /// <summary>The first shard of this rank.</summary>
    internal int Lo { get; }

    /// <summary>The first shard of the next rank.</summary>
    internal int Hi { get; }

    /// <summary>The nodes that each rank adds up by itself.</summary>
    internal (int Lo, int Hi)[][] Covers { get; }

    /// <summary>The largest number of nodes of a rank, each of which is sent in a round of its own.</summary>
    internal int Rounds { get; }

    /// <summary>How many sums a rank keeps at most while it adds up its shards: about log₂ of their number.</summary>
    internal int Slots { get; }

    /// <summary>
    /// For each own shard: how many sums there are before it, how many of those it is merged with, and which of the
    /// own nodes, which then lies in the slot of that number, is complete after it: −1 where none is.
    /// </summary>
    internal (int Depth, int Merges, int Node)[] Leaves { get; }

    /// <summary>After which of the nodes of all ranks how many sums are merged.</summary>
    internal int[] Merges { get; }

    /// <summary>Which of its nodes a rank sends in a round; −1: none. The last one goes in the last round.</summary>
    internal int NodeOf(int rank, int round) => Math.Max(-1, round - Rounds + Covers[rank].Length);

    private static (int Lo, int Hi)[] CoverOf(int rank, int ranks, int shards)
    {
        var range = ShardRange.Of(rank, ranks, shards);
        return [.. ShardTree.Cover(range.First, range.End, shards)];
    }
}
