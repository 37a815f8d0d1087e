using Adjoint.Distributed;
using Adjoint.Nn;
using ShardRange = Adjoint.Data.ShardRange;
using static Adjoint.Tests.Distributed.ShardSums;

namespace Adjoint.Tests.Distributed;

/// <summary>
/// Sums over shards are those of the tree, computed here by a recursion over plain arrays, bit for bit, on any number
/// of ranks.
/// </summary>
public class GradientExchangeTests
{
    public static TheoryData<int> RankCounts => [1, 2, 3, 4, 5];

    [Theory]
    [MemberData(nameof(RankCounts))]
    public void Gradients_and_buffers_are_those_of_the_tree(int ranks)
    {
        var seed = Random.Shared.Next();
        foreach (var shards in (int[])[1, 2, 3, 5, 7, 8, 12, 16])
        {
            if (shards < ranks) continue;
            var steps = Enumerable.Range(0, 2).Select(step => new Batch(seed + 100 * step, shards)).ToArray();
            var all = Ranks.Run(ranks, communicator =>
            {
                var (parameters, buffers) = (New(true), New(false));
                using var exchange = new GradientExchange(
                    communicator, parameters, buffers, shards, new() { BucketBytes = 300 });
                return steps.Select(batch =>
                {
                    exchange.BeginBatch(isLastOfStep: true);
                    batch.Compute(exchange, parameters, buffers);
                    exchange.Finish(batch.Scale);
                    return parameters.Select(parameter => Values(parameter.Grad)).Concat(buffers.Select(Values)!)
                        .ToArray();
                }).ToArray();
            });
            for (var step = 0; step < steps.Length; step++)
                for (var i = 0; i < Shapes.Length; i++)
                    for (var rank = 0; rank < ranks; rank++)
                    {
                        var what = $"seed {seed}, {shards} shards, step {step}, rank {rank}, tensor {i}";
                        var batch = steps[step];
                        Same(Rounded(batch.Sum(i, batch.Weights, batch.Gradients, batch.Scale), i),
                            all[rank][step][i], what);
                        var before = step == 0 ? new double[Length(i)] : all[0][0][Shapes.Length + i];
                        Same(batch.MeanOfBuffers(i) is { } mean ? Rounded(mean, i) : before,
                            all[rank][step][Shapes.Length + i], $"{what}, buffer");
                    }
        }
    }

    [Fact]
    public void The_number_of_threads_changes_nothing()
    {
        double[][]? expected = null;
        foreach (var threads in Threads.Of(1, 2, 4))
        {
            var results = Ranks.Run(2, communicator =>
            {
                var w = Tensor.Zeros(600, 500).RequireGrad();
                using var exchange = new GradientExchange(communicator, [w], [], 5);
                exchange.BeginBatch(isLastOfStep: true);
                for (var shard = exchange.Range.Lo; shard < exchange.Range.Hi; shard++)
                {
                    exchange.BeginShard(shard, shard + 1);
                    exchange.Ready(w, Tensor.Randn([600, 500], new Generator((ulong)shard)));
                    exchange.EndShard();
                }
                exchange.Finish(1.0 / 15);
                return Values(w.Grad)!;
            });
            foreach (var result in results) Same((expected ??= results)[0], result, $"{threads} threads");
        }
    }

    [Fact]
    public void Each_rank_sends_its_nodes_to_their_owners_and_its_piece_to_all()
    {
        foreach (var (ranks, shards) in ((int, int)[])[(2, 12), (3, 12), (4, 12), (3, 7)])
        {
            const int Elements = 16 * 12 * 100;
            var sent = Ranks.Run(ranks, communicator =>
            {
                var w = Tensor.Zeros(Elements).RequireGrad();
                using var exchange = new GradientExchange(communicator, [w], [], shards);
                _ = communicator.Hosts;
                var before = communicator.Statistics.BytesSent;
                Step(exchange, [w]);
                return communicator.Statistics.BytesSent - before;
            });
            for (var rank = 0; rank < ranks; rank++)
            {
                var (lo, hi, _) = ShardRange.Of(rank, ranks, shards);
                var messages = ShardTree.Cover(lo, hi, shards).Count() + 1;
                var expected = messages * 4.0 * Elements * (ranks - 1) / ranks;
                // Pieces are whole cache lines, and there is a number for each entry.
                Assert.InRange(sent[rank], expected - 64 * ranks * messages, expected + 64 * ranks * messages);
            }
        }
    }

    [Fact]
    public void Sums_are_sent_while_backward_is_under_way()
    {
        Ranks.Run(2, communicator =>
        {
            var model = new Mlp(8, [16, 16], 4, "tanh", new Generator(1));
            Tensor[] parameters = [.. model.Parameters()];
            using var exchange = new GradientExchange(communicator, parameters, [], 4, new() { BucketBytes = 64 });
            var sent = new List<int>();
            for (var step = 0; step < 2; step++)
            {
                exchange.BeginBatch(isLastOfStep: true);
                for (var shard = exchange.Range.Lo; shard < exchange.Range.Hi; shard++)
                {
                    var x = Tensor.Randn([3, 8], new Generator((ulong)shard)).RequireGrad();
                    foreach (var parameter in parameters) parameter.ZeroGrad();
                    exchange.BeginShard(shard, 1);
                    // The gradient of the samples comes after all but the first layer.
                    var scaled = x * 2;
                    var hidden = model.Forward(scaled);
                    scaled.RegisterHook(_ =>
                    {
                        sent.Add(exchange.Sent);
                        return null;
                    });
                    hidden.Square().Mean().Backward();
                    exchange.EndShard();
                }
                exchange.Finish(0.25);
            }
            // Of two shards, the first completes no node.
            Assert.Equal([0, parameters.Length, 0, parameters.Length], sent);
            return true;
        });
    }

    [Fact]
    public void Captured_steps_give_the_same_bits_on_any_number_of_ranks()
    {
        float[][] Train(int ranks, bool isCaptured) => Ranks.Run(ranks, communicator =>
        {
            var model = new Sequential(
                new Linear(6, 16, generator: new Generator(1)), new BatchNorm(16), new Tanh(),
                new Linear(16, 3, generator: new Generator(2)));
            Tensor[] parameters = [.. model.Parameters()];
            Tensor[] buffers = [.. model.NamedBuffers().Select(entry => entry.Value)];
            using var exchange = new GradientExchange(communicator, parameters, buffers, 4,
                new() { BucketBytes = 200 });
            Tensor Compute(Tensor x)
            {
                foreach (var parameter in parameters) parameter.ZeroGrad();
                var loss = model.Forward(x).Square().Mean();
                loss.Backward();
                return loss;
            }
            var captured = CapturedFunction.Create<Tensor>(Compute);
            for (var step = 0; step < 4; step++)
            {
                exchange.BeginBatch(isLastOfStep: true);
                for (var shard = exchange.Range.Lo; shard < exchange.Range.Hi; shard++)
                {
                    var x = Tensor.Randn([5, 6], new Generator(7, (ulong)(step * 4 + shard)));
                    exchange.BeginShard(shard, 5);
                    if (isCaptured) captured.Run(x);
                    else Compute(x);
                    exchange.EndShard();
                }
                exchange.Finish(1.0 / 20);
                using var _ = new NoGrad();
                foreach (var parameter in parameters) parameter.CopyFrom(parameter - parameter.Grad! * 0.1);
            }
            Assert.Equal(isCaptured, captured.IsCaptured);
            return parameters.Concat(buffers).SelectMany(x => x.Detach().ToArray<float>()).ToArray();
        });

        var expected = Train(1, isCaptured: false)[0];
        foreach (var ranks in (int[])[1, 2, 3])
            foreach (var result in Train(ranks, isCaptured: true)) Assert.Equal(expected, result);
    }

    [Fact]
    public void A_step_that_is_refused_when_it_is_recorded_counts_once()
    {
        Ranks.Run(2, communicator =>
        {
            var w = Tensor.Ones(2).RequireGrad();
            using var exchange = new GradientExchange(communicator, [w], [], 4);
            var captured = CapturedFunction.Create<Tensor>(
                (Tensor x) =>
                {
                    w.ZeroGrad();
                    var loss = (w * x).Sum();
                    loss.Backward();
                    _ = loss.Item();
                    return loss;
                }, fallBackToEager: true);
            for (var step = 0; step < 3; step++)
            {
                exchange.BeginBatch(isLastOfStep: true);
                for (var shard = exchange.Range.Lo; shard < exchange.Range.Hi; shard++)
                {
                    exchange.BeginShard(shard, 1);
                    captured.Run(Tensor.From(new[] { shard + 1f, 1 }));
                    exchange.EndShard();
                }
                exchange.Finish(0.5);
                Assert.Equal([5, 2], w.Grad!.ToArray<float>());
            }
            Assert.NotNull(captured.Refusal);
            return true;
        });
    }

    [Fact]
    public void Batches_of_one_step_add_up_shard_by_shard_also_when_it_goes_on_elsewhere()
    {
        const int Shards = 6;
        var seed = Random.Shared.Next();
        Batch[] batches = [new(seed, Shards), new(seed + 1, Shards), new(seed + 2, Shards)];
        var scale = 1 / batches.Sum(batch => batch.Weights.Sum());
        // Left to right, then the tree.
        double[]?[] Leaves(int i) =>
        [
            .. Enumerable.Range(0, Shards).Select(shard =>
            {
                double[]? sum = null;
                foreach (var batch in batches)
                    if (batch.Leaf(i, shard, batch.Weights, batch.Gradients) is { } leaf)
                        sum = sum is null ? leaf : Add(sum, leaf, i);
                return sum;
            }),
        ];

        var saved = Ranks.Run(2, communicator =>
        {
            var (parameters, buffers) = (New(true), New(false));
            using var exchange = new GradientExchange(communicator, parameters, buffers, Shards);
            for (var i = 0; i < 2; i++)
            {
                exchange.BeginBatch(isLastOfStep: false);
                batches[i].Compute(exchange, parameters, buffers);
                exchange.EndBatch();
            }
            return exchange.Accumulated.Select(entry => (entry.Shard, entry.Parameter, Sum: entry.Sum.Clone()))
                .ToArray();
        }).SelectMany(sums => sums).ToArray();
        var all = Ranks.Run(3, communicator =>
        {
            var (parameters, buffers) = (New(true), New(false));
            using var exchange = new GradientExchange(communicator, parameters, buffers, Shards);
            foreach (var (shard, parameter, sum) in saved) exchange.Accumulate(shard, parameter, sum);
            exchange.BeginBatch(isLastOfStep: true);
            batches[2].Compute(exchange, parameters, buffers);
            exchange.Finish(scale);
            Assert.Empty(exchange.Accumulated);
            return parameters.Select(parameter => Values(parameter.Grad)).ToArray();
        });
        for (var i = 0; i < Shapes.Length; i++)
            foreach (var result in all)
                Same(Rounded(Scaled(Tree(Leaves(i), 0, Shards, i), scale, i), i), result[i],
                    $"seed {seed}, tensor {i}");
    }

    [Fact]
    public void Ranks_that_own_whole_parameters_update_their_own_and_give_them_to_all()
    {
        var seed = Random.Shared.Next();
        var batch = new Batch(seed, 7);
        foreach (var gathers in (bool[])[false, true])
        {
            var all = Ranks.Run(3, communicator =>
            {
                var (parameters, buffers) = (New(true), New(false));
                using var exchange = new GradientExchange(
                    communicator, parameters, buffers, 7,
                    new() { BucketBytes = 300, OwnsWholeParameters = true, GathersGradients = gathers });
                exchange.BeginBatch(isLastOfStep: true);
                batch.Compute(exchange, parameters, buffers);
                exchange.Finish(batch.Scale);
                var gradients = parameters.Select(parameter => Values(parameter.Grad)).ToArray();
                using (new NoGrad())
                    foreach (var parameter in exchange.Owned)
                        if (parameter.Grad is { } gradient) parameter.CopyFrom(gradient);
                exchange.GatherParameters();
                var owned = exchange.Owned.Select(parameter => Array.IndexOf(parameters, parameter)).ToArray();
                return (Gradients: gradients, Owned: owned, Values: parameters.Select(Values).ToArray());
            });
            Assert.Equal(
                Enumerable.Range(0, Shapes.Length), all.SelectMany(one => one.Owned).Order());
            for (var i = 0; i < Shapes.Length; i++)
                foreach (var (gradients, owned, values) in all)
                {
                    var expected = Rounded(batch.Sum(i, batch.Weights, batch.Gradients, batch.Scale), i);
                    Same(gathers || owned.Contains(i) ? expected : null, gradients[i], $"seed {seed}, gradient {i}");
                    Same(expected ?? new double[Length(i)], values[i], $"seed {seed}, parameter {i}");
                }
        }
    }

    [Fact]
    public void Parameters_may_be_frozen_and_thawed_between_steps()
    {
        Ranks.Run(2, communicator =>
        {
            Tensor[] parameters = [.. Enumerable.Range(0, 3).Select(_ => Tensor.Zeros(4).RequireGrad())];
            using var exchange = new GradientExchange(communicator, parameters, [], 3);
            foreach (var frozen in (int[])[-1, 0, 2, -1])
            {
                for (var i = 0; i < 3; i++) parameters[i].RequireGrad(i != frozen);
                Step(exchange, [.. parameters.Where(parameter => parameter.RequiresGrad)]);
                for (var i = 0; i < 3; i++)
                    Assert.Equal(i == frozen ? null : [3, 3, 3, 3], parameters[i].Grad?.ToArray<float>());
                foreach (var parameter in parameters) parameter.ZeroGrad();
            }
            return true;
        });
    }

    [Fact]
    public void Wrong_calls_are_refused()
    {
        var w = Tensor.Zeros(4).RequireGrad();
        using var exchange = new GradientExchange(Communicator.Alone, [w], [], 2);
        exchange.BeginBatch(isLastOfStep: true);
        exchange.BeginShard(0, 1);
        exchange.Ready(w, Tensor.Ones(4));
        Assert.Contains("for the second time in one step; let the step call Backward() once",
            Assert.Throws<AdjointException>(() => exchange.Ready(w, Tensor.Ones(4))).Message, StringComparison.Ordinal);
        exchange.EndShard();
        Assert.Contains("shard 0 does not come after shard 0 of 0 to 1",
            Assert.Throws<AdjointException>(() => exchange.BeginShard(0, 1)).Message, StringComparison.Ordinal);
        Assert.Contains("fits no parameter",
            Assert.Throws<AdjointException>(() => exchange.Accumulate(0, 1, Tensor.Ones(4))).Message,
            StringComparison.Ordinal);
        Ranks.Run(2, communicator =>
        {
            Assert.Contains("each of the 2 ranks needs a shard of its own: found 1 shards",
                Assert.Throws<AdjointException>(() => new GradientExchange(communicator, [w], [], 1)).Message,
                StringComparison.Ordinal);
            return true;
        });
    }

    private static void Step(GradientExchange exchange, Tensor[] parameters)
    {
        exchange.BeginBatch(isLastOfStep: true);
        for (var shard = exchange.Range.Lo; shard < exchange.Range.Hi; shard++)
        {
            exchange.BeginShard(shard, 1);
            foreach (var parameter in parameters)
                exchange.Ready(parameter, Tensor.Ones(parameter.Shape, DType.Float32));
            exchange.EndShard();
        }
        exchange.Finish(1);
    }
}
