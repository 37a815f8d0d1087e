using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

/// <summary>Tensors between ranks: all values arrive, and no rank allocates what it does not get.</summary>
public class TensorMessagesTests
{
    private const int Large = 1 << 22;

    [Fact]
    public void Broadcast_gives_all_ranks_the_tensors_of_rank_0()
    {
        var results = Ranks.Run(3, rank =>
        {
            var nothing = TensorMessages.Broadcast(rank, "nothing", null);
            var given = rank.Rank > 0
                ? null
                : ((IReadOnlyDictionary<string, Tensor>, IReadOnlyDictionary<string, string>)?)(
                    Samples(7), new Dictionary<string, string> { ["optimizer"] = "Adam" });
            var before = GC.GetAllocatedBytesForCurrentThread();
            var found = TensorMessages.Broadcast(rank, "state", given)!.Value;
            return (nothing, found, Allocated: GC.GetAllocatedBytesForCurrentThread() - before);
        });
        Assert.All(results, result =>
        {
            Assert.Null(result.nothing);
            Assert.Equal("Adam", Assert.Single(result.found.Notes).Value);
            Same(Samples(7), result.found.Tensors);
        });
        // The message, and not the tensors once more.
        Assert.InRange(results[0].Allocated, 0, 1.5 * Large);
    }

    [Fact]
    public void Collect_gives_rank_0_the_tensors_of_all_and_others_nothing()
    {
        var results = Ranks.Run(3, rank =>
        {
            var own = rank.Rank == 2
                ? []
                : Samples(rank.Rank).ToDictionary(pair => $"{rank.Rank}.{pair.Key}", pair => pair.Value);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var found = TensorMessages.Collect(rank, "state", own);
            return (own, found, Allocated: GC.GetAllocatedBytesForCurrentThread() - before);
        });
        Same(
            results.SelectMany(result => result.own).ToDictionary(pair => pair.Key, pair => pair.Value),
            results[0].found);
        Same(results[1].own, results[1].found);
        Assert.Empty(results[2].found);
        Assert.InRange(results[2].Allocated, 0, Large / 4);
    }

    [Fact]
    public void All_gather_gives_all_ranks_a_number_and_a_tensor_of_each()
    {
        var results = Ranks.Run(3, rank => TensorMessages.AllGather(
            rank, "outputs", 0.5 + rank.Rank, rank.Rank == 1 ? null : Tensor.Full([2, rank.Rank], rank.Rank)));
        Assert.All(results, result =>
        {
            Assert.Equal([0.5, 1.5, 2.5], result.Select(one => one.Number));
            Assert.Null(result[1].Tensor);
            Assert.Equal([2, 0], result[0].Tensor!.Shape);
            Assert.Equal([2f, 2f, 2f, 2f], result[2].Tensor!.ToArray<float>());
        });
    }

    private static Dictionary<string, Tensor> Samples(int seed) => new()
    {
        ["weight"] = Tensor.Full([Large / 4], seed + 0.25f),
        ["none"] = Tensor.Zeros([0, 3]),
        ["step"] = Tensor.Scalar(seed),
    };

    private static void Same(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> found)
    {
        Assert.Equal(expected.Keys, found.Keys);
        foreach (var (name, tensor) in expected)
        {
            Assert.Equal(tensor.Shape, found[name].Shape);
            Assert.Equal(tensor.ToArray<float>(), found[name].ToArray<float>());
        }
    }
}
