using Adjoint.Distributed;
using Adjoint.Nn;

namespace Adjoint.Tests.Distributed;

/// <summary>Tensors that a program exchanges itself: bits, types, shapes, and what does not pass.</summary>
public class TensorExchangeTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public void All_gather_gives_each_rank_the_tensors_of_all(int size)
    {
        // Rank r has r + 1 rows, of another type each, and a view for which memory is not in order.
        Tensor Own(int rank) => Tensor.From(Values(rank)).Reshape(3, rank + 1).Transpose(0, 1).To(Types[rank]);
        foreach (var all in Ranks.Run(size, world => world.AllGather("rows", Own(world.Rank))))
            for (var rank = 0; rank < size; rank++)
            {
                Assert.Equal((Types[rank], rank + 1, 3), (all[rank].DType, all[rank].Shape[0], all[rank].Shape[1]));
                var expected =
                    from row in Enumerable.Range(0, rank + 1)
                    from column in Enumerable.Range(0, 3)
                    select Values(rank)[column * (rank + 1) + row];
                Assert.Equal(expected, all[rank].To(DType.Float32).ToArray<float>());
            }
    }

    [Fact]
    public void What_is_gathered_outlives_a_backward_pass_and_has_no_history() => Ranks.Run(2, world =>
    {
        var w = Tensor.From([2f, 3]).RequireGrad();
        var y = w * w;
        var all = world.AllGather("y", y);
        y.Sum().Backward();
        // Recycles what the first pass left.
        (w * w).Sum().Backward();
        Assert.All(all, one => Assert.Equal((false, 4f, 9f), (one.RequiresGrad, one[0].Item(), one[1].Item())));
        return 0;
    });

    [Theory, InlineData(1), InlineData(3)]
    public void Broadcast_gives_all_ranks_the_weights_of_the_root(int size)
    {
        for (var root = 0; root < size; root++)
        {
            Mlp Own(int rank) => new(4, [5], 2, "relu", new Generator((ulong)rank));
            var models = Ranks.Run(size, world =>
            {
                var model = Own(world.Rank);
                model.LoadStateDict(world.Broadcast("weights", model.StateDict(), root));
                return model.Parameters().SelectMany(one => one.ToArray<float>()).ToArray();
            });
            var expected = Own(root).Parameters().SelectMany(one => one.ToArray<float>()).ToArray();
            Assert.All(models, model => Assert.Equal(expected, model));
        }
    }

    [Fact]
    public void Other_ranks_need_not_give_any() => Ranks.Run(2, world =>
    {
        var given = new Dictionary<string, Tensor> { ["b"] = Tensor.From([float.NaN, -0f]), ["a"] = Tensor.Scalar(7) };
        var got = world.Broadcast("numbers", world.Rank == 1 ? given : null, root: 1);
        Assert.Equal(["b", "a"], got.Keys);
        Assert.Equal(
            given["b"].ToArray<float>().Select(BitConverter.SingleToInt32Bits),
            got["b"].ToArray<float>().Select(BitConverter.SingleToInt32Bits));
        Assert.Equal(7, got["a"].Item());
        return 0;
    });

    [Theory, InlineData(1), InlineData(2)]
    public void A_function_that_exchanges_between_operations_is_not_captured(int size)
    {
        foreach (var (call, name) in (IEnumerable<(Action<Communicator, Tensor>, string)>)
            [
                ((world, x) => world.AllGather("x", x), "all-gather 'x'"),
                ((world, x) => world.Broadcast("x", new Dictionary<string, Tensor> { ["x"] = x }),
                    "broadcast 'x' from"),
                ((world, x) => world.Barrier("x"), "barrier 'x'"),
            ])
            Assert.All(Ranks.Failures(size, world =>
            {
                var function = CapturedFunction.Create<Tensor>(x =>
                {
                    call(world, x);
                    return x + 1;
                });
                for (var i = 0; i < 3; i++) function.Run(Tensor.Ones(2));
            }), error => Assert.Contains(
                name, Assert.IsType<CaptureException>(error).Message, StringComparison.Ordinal));
    }

    private static readonly DType[] Types = [DType.Float32, DType.Int64, DType.BFloat16];

    private static float[] Values(int rank) => [.. Enumerable.Range(0, 3 * (rank + 1)).Select(i => i + 10f * rank)];
}
