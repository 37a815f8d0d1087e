using Adjoint.Data;

namespace Adjoint.Tests.Data;

public class StreamingDatasetTests
{
    [Fact]
    public void A_pass_takes_its_number_of_samples_and_begins_again_where_the_stream_ends()
    {
        Assert.Equal([0f, 1, 2, 3, 4, 0, 1], Values(new("short", 7, _ => Numbers(5)), 3));
        Assert.Equal([0f, 1, 2], Values(new("long", 3, _ => Numbers(int.MaxValue)), 2));
        var loader = new DataLoader(new StreamingDataset("by pass", 4, epoch => Numbers(4, 10 * epoch)), 3);
        Assert.Equal((2, 4), (loader.Count, loader.SampleCount));
        Assert.Equal([0f, 1, 2, 3], loader.SelectMany(batch => batch.Inputs.ToArray<float>()));
        Assert.Equal([10f, 11, 12, 13], loader.SelectMany(batch => batch.Inputs.ToArray<float>()));
        Assert.Equal([3], new DataLoader(new StreamingDataset("s", 4, _ => Numbers(4)), 3).Last().Indices);
        Assert.Empty(Values(new("none", 0, _ => Numbers(5)), 3));
    }

    [Fact]
    public void A_stream_may_wait_for_its_samples() =>
        Assert.Equal([0f, 1, 2, 0], Values(new("waits", 4, _ => Slowly(3)), 2));

    [Fact]
    public void Mapped_samples_come_in_the_same_order()
    {
        var data = new StreamingDataset("numbers", 5, _ => Numbers(5)) { ClassNames = ["a"], ShuffleBuffer = 3 };
        var mapped = data.Map(sample => new() { ["twice"] = sample["inputs"] * 2 });
        Assert.Equal("twice", Assert.Single(mapped.Fields).Name);
        Assert.Equal(["a"], mapped.ClassNames);
        Assert.Equal(Values(data, 2).Select(value => 2 * value),
            new DataLoader(mapped, 2).SelectMany(batch => batch["twice"].ToArray<float>()));
    }

    [Fact]
    public void The_buffer_mixes_within_its_reach_and_gives_each_sample_once()
    {
        float[] Order(int buffer, ulong seed, int epoch) => Values(
            new("numbers", 1000, _ => Numbers(1000)) { ShuffleBuffer = buffer, Seed = seed }, 50, epoch);
        var order = Order(100, 1, 0);
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (float)i), order.Order());
        // What comes at place i is one of the first i + 1 + 100 that are not gone.
        for (var i = 0; i < 1000; i++) Assert.InRange(order[i], 0, i + 100);
        Assert.InRange(order.Index().Average(one => Math.Abs(one.Index - one.Item)), 50, 150);
        Assert.NotEqual(order, Order(100, 2, 0));
        Assert.NotEqual(order, Order(100, 1, 1));
        Assert.Equal(order, Order(100, 1, 0));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => (float)i), Order(0, 1, 0));
        // More than there are: a random permutation, the first sample anywhere.
        var places = Enumerable.Range(0, 200).Select(seed => Array.IndexOf(Order(2000, (ulong)seed, 0), 0f)).ToArray();
        Assert.InRange(places.Average(), 400, 600);
    }

    // Killed after any batch, and gone on with another number of workers: the same bits.
    [Fact]
    public void A_pass_that_is_resumed_goes_on_with_the_same_samples()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        DataLoader Loader(int prefetch, int workers) => new(
            new StreamingDataset("numbers", 101, epoch => Numbers(60, epoch)) { ShuffleBuffer = 16, Seed = 3 }, 8,
            new() { Seed = 5, Prefetch = prefetch, Workers = workers, Transforms = [new Noise()] })
        { Epoch = 4 };
        string Bits(Batch batch) =>
            string.Join(' ', batch.Indices) + ":" + string.Join(' ', batch.Inputs.Reshape(-1).ToArray<float>());
        var whole = Loader(0, 1).Select(Bits).ToArray();
        for (var run = 0; run < 12; run++)
        {
            var (kill, workers) = (random.Next(whole.Length + 1), 1 + run % 3);
            var before = Loader(random.Next(5), workers).Take(kill).Select(Bits).ToArray();
            var resumed = Loader(random.Next(5), 1 + random.Next(3));
            resumed.Start = kill;
            string[] both = [.. before, .. resumed.Select(Bits)];
            Assert.True(whole.SequenceEqual(both), $"killed after {kill} batches, {workers} workers");
        }
    }

    [Fact]
    public void A_stream_is_closed_when_its_loop_is_left_and_read_by_one_at_a_time()
    {
        var (open, reading, most) = (0, 0, 0);
        IEnumerable<Sample> Watched()
        {
            Interlocked.Increment(ref open);
            try
            {
                for (var i = 0; ; i++)
                {
                    most = Math.Max(most, Interlocked.Increment(ref reading));
                    Thread.Yield();
                    Interlocked.Decrement(ref reading);
                    yield return new() { ["inputs"] = Tensor.Scalar(i) };
                }
            }
            finally
            {
                Interlocked.Decrement(ref open);
            }
        }
        var loader = new DataLoader(new StreamingDataset("watched", 1000, _ => Watched()), 4,
            new() { Prefetch = 6, Workers = 3 });
        foreach (var batch in loader)
            if (batch.Indices[0] >= 20) break;
        Assert.Equal((0, 1), (open, most));
        loader.Epoch = 0;
        Assert.Equal(1000, loader.Sum(batch => batch.Count));
        Assert.Equal((0, 1), (open, most));
    }

    [Theory, InlineData(0, 1), InlineData(3, 1), InlineData(5, 3)]
    public void What_a_stream_throws_comes_out_as_it_is_where_its_batch_would(int prefetch, int workers)
    {
        IEnumerable<Sample> Broken() => Numbers(20).Select(sample => sample["inputs"].Item() == 13
            ? throw new InvalidTimeZoneException("thirteen") : sample);
        var seen = 0;
        var error = Assert.Throws<InvalidTimeZoneException>(() =>
        {
            foreach (var batch in new DataLoader(new StreamingDataset("broken", 20, _ => Broken()), 4,
                new() { Prefetch = prefetch, Workers = workers })) seen += batch.Count;
        });
        Assert.Equal(("thirteen", "broken[13]", 12), (error.Message, error.Data[DataLoader.SampleKey], seen));
    }

    [Fact]
    public void What_a_stream_cannot_do_is_refused_with_a_remedy()
    {
        var data = new StreamingDataset("live", 10, _ => Numbers(10));
        string Fails(Func<object?> call) => Assert.Throws<AdjointException>(call).Message;
        Assert.Contains("Dataset live: a stream has no positions, so sample 3 cannot be asked for",
            Fails(() => data[3]), StringComparison.Ordinal);
        Assert.Contains("a stream has no positions", Fails(() => data.Split(0.2).Train.Load(0)),
            StringComparison.Ordinal);
        Assert.Contains("live is a stream, which comes in its own order: leave out Shuffle and Sampler",
            Fails(() => new DataLoader(data, 2, new() { Shuffle = true })), StringComparison.Ordinal);
        Assert.Contains("leave out Shuffle and Sampler",
            Fails(() => new DataLoader(data, 2, new() { Sampler = new SequentialSampler(10) })),
            StringComparison.Ordinal);
        Assert.Contains("the stream of pass 0 gave no sample, and 3 are a pass",
            Fails(() => Values(new("empty", 3, _ => Numbers(0)), 1)), StringComparison.Ordinal);
        Assert.Contains("sample 0 is null; leave it out",
            Fails(() => Values(new("null", 3, _ => (Sample[])[null!]), 1)), StringComparison.Ordinal);
        Assert.Contains("must not be negative: found -1", Fails(() => new StreamingDataset("s", -1, _ => Numbers(1))),
            StringComparison.Ordinal);
        Assert.Contains("ShuffleBuffer must not be negative: found -1",
            Fails(() => new StreamingDataset("s", 1, _ => Numbers(1)) { ShuffleBuffer = -1 }),
            StringComparison.Ordinal);
    }

    private static float[] Values(StreamingDataset data, int batchSize, int epoch = 0) =>
        [.. new DataLoader(data, batchSize) { Epoch = epoch }.SelectMany(batch => batch.Inputs.ToArray<float>())];

    private static IEnumerable<Sample> Numbers(int count, int first = 0) =>
        Enumerable.Range(0, count).Select(i => new Sample { ["inputs"] = Tensor.Scalar(first + i) });

    private static async IAsyncEnumerable<Sample> Slowly(int count)
    {
        foreach (var sample in Numbers(count))
        {
            await Task.Delay(1);
            yield return sample;
        }
    }

    private sealed class Noise : InPlaceTransform
    {
        public override Shape OutputShape(Shape sample) => sample;

        public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random) =>
            sample[0] += random.Next(1000) / 4096f;
    }
}
