using System.Numerics;

namespace Adjoint.Distributed;

/// <summary>
/// The order in which the gradients of S shards are added, which is the same for any number of ranks: a binary tree
/// over the shards. The sum over [lo, hi) is that over its first k shards plus that over the others, with k the largest
/// power of two below hi − lo: the Merkle tree of RFC 6962.
/// </summary>
internal static class ShardTree
{
    /// <summary>
    /// The nodes of the tree that lie within a range of shards and in no larger such node, from left to right.
    /// </summary>
    internal static IEnumerable<(int Lo, int Hi)> Cover(int lo, int hi, int shards) => Cover(lo, hi, (0, shards));

    /// <summary>Whether two adjacent nodes are the two halves of one.</summary>
    internal static bool AreHalves((int Lo, int Hi) left, (int Lo, int Hi) right, int shards)
    {
        var (lo, hi) = (0, shards);
        while (hi - lo > 1)
        {
            if (lo == left.Lo && hi == right.Hi) return lo + Half(lo, hi) == left.Hi;
            var middle = lo + Half(lo, hi);
            if (right.Hi <= middle) hi = middle;
            else lo = middle;
        }
        return false;
    }

    /// <summary>
    /// How the sums of adjacent nodes, which come from left to right, are added: after each, so many of those on top of
    /// a stack are added to those below them.
    /// </summary>
    internal static IEnumerable<int> Merges(IEnumerable<(int Lo, int Hi)> nodes, int shards)
    {
        var stack = new Stack<(int Lo, int Hi)>();
        foreach (var node in nodes)
        {
            var (top, merges) = (node, 0);
            while (stack.TryPeek(out var below) && AreHalves(below, top, shards))
            {
                top = (stack.Pop().Lo, top.Hi);
                merges++;
            }
            stack.Push(top);
            yield return merges;
        }
    }

    private static IEnumerable<(int Lo, int Hi)> Cover(int lo, int hi, (int Lo, int Hi) node)
    {
        if (node.Hi <= lo || hi <= node.Lo) return [];
        if (lo <= node.Lo && node.Hi <= hi) return [node];
        var middle = node.Lo + Half(node.Lo, node.Hi);
        return Cover(lo, hi, (node.Lo, middle)).Concat(Cover(lo, hi, (middle, node.Hi)));
    }

    // The largest power of two below the length.
    private static int Half(int lo, int hi) => 1 << BitOperations.Log2((uint)(hi - lo - 1));
}
