using System.Collections.Concurrent;
using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>What the ranks of a data parallel training read, together, are the batches of one process.</summary>
public class ShardedLoaderTests
{
    private const int Shards = 12;

    public static TheoryData<string> Loaders =>
        ["sequential", "shuffled", "drop last", "sampler", "stream", "mixed stream", "middle", "small", "many workers"];

    [Theory]
    [MemberData(nameof(Loaders))]
    public void The_ranks_together_read_the_batches_of_one_process(string kind)
    {
        foreach (var ranks in (int[])[1, 2, 3, 4])
            for (var epoch = 0; epoch < 2; epoch++)
            {
                var whole = New(kind, epoch).ToArray();
                var shared = Enumerable.Range(0, ranks).Select(rank =>
                    New(kind, epoch).InShards(ShardRange.Of(rank, ranks, Shards)).ToArray()).ToArray();
                for (var at = 0; at < whole.Length; at++)
                {
                    Batch?[] shards = [.. shared.SelectMany(batches => batches[at].Shards)];
                    Assert.Equal(Shards, shards.Length);
                    Assert.All(shared, batches => Assert.Equal(whole[at].Count, batches[at].Count));
                    Batch[] own = [.. shards.OfType<Batch>()];
                    Assert.Equal(whole[at].Indices, own.SelectMany(shard => shard.Indices));
                    Assert.Equal(whole[at].Inputs.ToArray<float>(),
                        own.SelectMany(shard => shard.Inputs.ToArray<float>()));
                    // The shards of one batch differ by one sample at most, and the larger ones are spread.
                    var smallest = whole[at].Count / Shards;
                    Assert.All(shards, shard => Assert.InRange(shard?.Count ?? 0, smallest, smallest + 1));
                }
                Assert.All(shared, batches => Assert.Equal(whole.Length, batches.Length));
            }
    }

    [Fact]
    public void The_samples_of_other_ranks_are_not_read()
    {
        var seen = new ConcurrentBag<int>[3];
        for (var rank = 0; rank < 3; rank++)
        {
            var data = new Counting(50, seen[rank] = []);
            foreach (var _ in new DataLoader(data, 20, new() { Shuffle = true, Workers = 2 })
                .InShards(ShardRange.Of(rank, 3, Shards))) { }
        }
        // Each sample by one rank, and by it once.
        Assert.Equal(Enumerable.Range(0, 50), seen.SelectMany(one => one).Order());
        Assert.All(seen, one => Assert.InRange(one.Count, 15, 18));
    }

    [Fact]
    public void Transforms_of_batches_depend_on_the_shard_alone()
    {
        float[] Values(int ranks) =>
        [
            .. Enumerable.Range(0, ranks).SelectMany(rank =>
                new DataLoader(new Counting(26, []), 24, new() { Seed = 3, BatchTransforms = [new AddNoise()] })
                    .InShards(ShardRange.Of(rank, ranks, Shards)).SelectMany((batch, number) =>
                        batch.Shards.Select((shard, i) => (number, rank, i, shard))))
                .OrderBy(one => (one.number, one.rank, one.i))
                .SelectMany(one => one.shard?.Inputs.ToArray<float>() ?? []),
        ];
        var alone = Values(1);
        Assert.Equal(26, alone.Length);
        foreach (var ranks in (int[])[2, 3, 4]) Assert.Equal(alone, Values(ranks));
        // Shard s of batch b draws what batch b·S + s would: 0.1·u with u of (seed, epoch, b·S + s).
        for (var shard = 0; shard < Shards; shard++)
        {
            var random = new SampleRandom(3, 0, shard, SampleRandom.OfBatches);
            var noise = (float)random.Uniform();
            Assert.Equal([2 * shard + noise, 2 * shard + 1 + noise], alone[(2 * shard)..(2 * shard + 2)]);
        }
    }

    [Fact]
    public void Shards_are_padded_each_by_itself()
    {
        var loader = new DataLoader(new Growing(), 8, new() { Collate = new PaddingCollate("inputs") });
        var shapes = Enumerable.Range(0, 2).SelectMany(rank =>
            loader.InShards(ShardRange.Of(rank, 2, 4)).Single().Shards.Select(shard => shard!.Inputs.Shape.ToString()));
        Assert.Equal(((Shape[])[(int[])[2, 2], (int[])[2, 4], (int[])[2, 6], (int[])[2, 8]])
            .Select(shape => shape.ToString()), shapes);
    }

    private static DataLoader New(string kind, int epoch)
    {
        DataLoaderOptions options = new() { Seed = 5, Transforms = [new AddToSample()] };
        var data = new Counting(kind == "small" ? 5 : kind == "sampler" ? 9 : 53, []);
        DataLoader loader = kind switch
        {
            "shuffled" => new(data, 20, options with { Shuffle = true }),
            "drop last" => new(data, 20, options with { DropLast = true }),
            "sampler" => new(data, 20, options with { Sampler = new Twice(9) }),
            "stream" => new(new StreamingDataset("s", 53, Numbers), 20, options),
            "mixed stream" => new(new StreamingDataset("s", 53, Numbers) { ShuffleBuffer = 7, Seed = 2 }, 20, options),
            "middle" => new(data, 20, options with { Shuffle = true }) { Start = 1 },
            "many workers" => new(data, 6, options with { Prefetch = 5, Workers = 3 }),
            _ => new(data, 20, options with { Prefetch = 0 }),
        };
        loader.Epoch = epoch;
        return loader;
    }

    private static IEnumerable<Sample> Numbers(int epoch) =>
        Enumerable.Range(0, 30).Select(i => new Sample { ["inputs"] = Tensor.From([100f * epoch + i], 1) });

    private sealed class Counting(int count, ConcurrentBag<int> seen) : Dataset("counting")
    {
        public override int Count => count;

        public override IReadOnlyList<Field> Fields { get; } = [new("inputs", [1], DType.Float32)];

        public override Sample this[int index]
        {
            get
            {
                seen.Add(index);
                return new() { ["inputs"] = Tensor.From([(float)index], 1) };
            }
        }
    }

    private sealed class Growing() : Dataset("growing")
    {
        public override int Count => 8;

        public override Sample this[int index] => new() { ["inputs"] = Tensor.Ones(index + 1) };
    }

    private sealed class Twice(int count) : Sampler
    {
        public override int Count => 3 * count;

        public override IReadOnlyList<int> Order(int epoch) =>
            [.. Enumerable.Range(0, 3 * count).Select(i => (i * 7 + epoch) % count)];
    }

    private sealed class AddToSample : InPlaceTransform
    {
        public override Shape OutputShape(Shape sample) => sample;

        public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random) =>
            sample[0] += (float)random.Uniform();
    }

    private sealed class AddNoise : BatchTransform
    {
        public override Batch Apply(Batch batch, ref SampleRandom random)
        {
            var noise = (float)random.Uniform();
            return batch.With("inputs", batch.Inputs + noise);
        }
    }
}
