using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

/// <summary>Sums over ranks: the tree's bits on all ranks, gradients of all ranks' losses, replays.</summary>
public class SumOverRanksTests
{
    [Fact]
    public void All_ranks_get_the_sum_of_the_tree()
    {
        var x = Enumerable.Range(0, 5).Select(rank => Tensor.Randn([3, 7], new Generator((ulong)rank))).ToArray();
        var all = Ranks.Run(5, communicator => x[communicator.Rank].SumOverRanks(communicator).ToArray<float>());
        var given = x.Select(one => one.ToArray<float>()).ToArray();
        foreach (var sums in all)
            Assert.Equal(
                Enumerable.Range(0, 21).Select(i =>
                    (given[0][i] + given[1][i]) + (given[2][i] + given[3][i]) + given[4][i]), sums);
    }

    [Fact]
    public void Numbers_that_are_not_finite_pass()
    {
        var sums = Ranks.Run(2, communicator => Tensor.From(communicator.Rank == 0
            ? [1, float.NaN, float.PositiveInfinity, float.PositiveInfinity, -0f]
            : new[] { 2f, 1, 1, float.NegativeInfinity, -0f }).SumOverRanks(communicator).ToArray<float>());
        foreach (var sum in sums)
        {
            Assert.Equal([3, float.NaN, float.PositiveInfinity, float.NaN, -0f], sum);
            Assert.True(float.IsNegative(sum[4]));
        }
    }

    [Fact]
    public void The_gradient_is_that_of_the_sum_of_all_losses_also_in_replays()
    {
        foreach (var isCaptured in (bool[])[false, true])
        {
            var gradients = Ranks.Run(3, communicator =>
            {
                var (w, rank) = (Tensor.From(new[] { 1.0, 2 }).RequireGrad(), communicator.Rank + 1.0);
                Tensor Loss(Tensor x)
                {
                    w.ZeroGrad();
                    // L of rank r: r·Σ s², with s = Σ over ranks of w·x.
                    var loss = (w * x).SumOverRanks(communicator).Square().Sum() * rank;
                    loss.Backward();
                    return loss;
                }
                var captured = CapturedFunction.Create<Tensor>(Loss);
                for (var call = 0; call < 4; call++)
                {
                    var x = Tensor.From(new[] { rank, call });
                    if (isCaptured) captured.Run(x);
                    else Loss(x);
                }
                Assert.Equal(isCaptured, captured.IsCaptured);
                return w.Grad!.ToArray<double>();
            });
            // Σ ranks r = 6; s = (1·6, 2·9) in the last call; ∂/∂w = 6·2·s·x.
            for (var rank = 0; rank < 3; rank++)
                Assert.Equal([6 * 2 * 6.0 * (rank + 1), 6 * 2 * 18.0 * 3], gradients[rank]);
        }
    }

    [Fact]
    public void Ranks_with_other_shapes_are_told_apart()
    {
        var errors = Ranks.Failures(
            2, communicator => Tensor.Zeros(communicator.Rank + 2).SumOverRanks(communicator));
        Assert.All(errors, error => Assert.IsType<RankFailureException>(error));
        Assert.Contains("sum of (2,) over ranks", errors[0]!.Message, StringComparison.Ordinal);
    }
}
