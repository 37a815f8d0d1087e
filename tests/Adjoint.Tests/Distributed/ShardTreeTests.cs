using Adjoint.Data;
using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

/// <summary>The tree of RFC 6962, and what each rank does in it.</summary>
public class ShardTreeTests
{
    [Theory]
    [InlineData(12, 2, "0-4 4-6, 6-8 8-12")]
    [InlineData(12, 3, "0-4, 4-8, 8-12")]
    [InlineData(12, 4, "0-2 2-3, 3-4 4-6, 6-8 8-9, 9-10 10-12")]
    [InlineData(7, 2, "0-2 2-3, 3-4 4-7")]
    [InlineData(5, 5, "0-1, 1-2, 2-3, 3-4, 4-5")]
    [InlineData(1, 1, "0-1")]
    public void Each_rank_adds_up_the_largest_nodes_of_its_range(int shards, int ranks, string expected) =>
        Assert.Equal(expected, string.Join(", ", Enumerable.Range(0, ranks).Select(rank =>
        {
            var (lo, hi, _) = ShardRange.Of(rank, ranks, shards);
            return string.Join(' ', ShardTree.Cover(lo, hi, shards).Select(node => $"{node.Lo}-{node.Hi}"));
        })));

    [Fact]
    public void Merging_halves_on_a_stack_is_the_tree()
    {
        for (var shards = 1; shards <= 40; shards++)
            for (var ranks = 1; ranks <= Math.Min(shards, 6); ranks++)
            {
                var plan = new ShardPlan(0, ranks, shards);
                var stack = new Stack<string>();
                foreach (var (node, merges) in plan.Covers.SelectMany(cover => cover).Zip(plan.Merges))
                {
                    var top = Text(node.Lo, node.Hi);
                    for (var i = 0; i < merges; i++) top = $"({stack.Pop()}+{top})";
                    stack.Push(top);
                }
                Assert.Equal(Text(0, shards), Assert.Single(stack));
            }
    }

    [Fact]
    public void One_rank_keeps_about_the_logarithm_of_its_shards()
    {
        Assert.Equal(1, new ShardPlan(0, 1, 1).Slots);
        Assert.Equal(3, new ShardPlan(0, 1, 12).Slots);
        Assert.Equal(9, new ShardPlan(0, 1, 1000).Slots);
    }

    private static string Text(int lo, int hi)
    {
        if (hi - lo == 1) return $"{lo}";
        var k = 1;
        while (2 * k < hi - lo) k *= 2;
        return $"({Text(lo, lo + k)}+{Text(lo + k, hi)})";
    }
}
