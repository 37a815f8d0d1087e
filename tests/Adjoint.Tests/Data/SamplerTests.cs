using Adjoint.Data;

namespace Adjoint.Tests.Data;

public class SamplerTests
{
    public static TheoryData<string> Names() => [.. SamplerCases.All.Select(row => row.Name)];

    [Fact]
    public void Every_sampler_has_a_row() =>
        Assert.Equal(
            typeof(Sampler).Assembly.GetExportedTypes().Where(type => type.IsSubclassOf(typeof(Sampler)))
                .Select(type => type.Name).Order(),
            SamplerCases.All.Select(row => row.Name.Split(", ")[0]).Distinct().Order());

    [Theory, MemberData(nameof(Names))]
    public void The_order_depends_on_seed_and_epoch_alone(string name)
    {
        var row = Row(name);
        foreach (var count in (int[])[0, 1, 7, 8, 9, 100])
        {
            var sampler = row.Create(5, count);
            var order = sampler.Order(3).ToArray();
            Assert.Equal(sampler.Count, order.Length);
            Assert.All(order, sample => Assert.InRange(sample, 0, count - 1));
            if (row.IsPermutation) Assert.Equal(Enumerable.Range(0, count), order.Order());
            _ = sampler.Order(0);
            Assert.Equal(order, sampler.Order(3));
            Assert.Equal(order, row.Create(5, count).Order(3));
            if (count < 100) continue;
            Assert.Equal(row.IsRandom, !order.SequenceEqual(sampler.Order(4)));
            Assert.Equal(row.IsRandom, !order.SequenceEqual(row.Create(6, count).Order(3)));
        }
    }

    // Killed after any batch, and gone on by another process with another number of workers: the same bits.
    [Theory, MemberData(nameof(Names))]
    public void A_pass_that_is_resumed_goes_on_with_the_same_samples(string name)
    {
        var row = Row(name);
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        DataLoader Loader(int workers) => new(new Ragged(101), SamplerCases.BatchSize, new()
        {
            Sampler = row.Create(7, 101),
            Seed = 7,
            Workers = workers,
            Prefetch = 2 * workers - 2,
            Transforms = [new Noise()],
            Collate = new PaddingCollate("inputs"),
        })
        { Epoch = 2 };
        var whole = Loader(1).Select(Bits).ToArray();
        for (var run = 0; run < 6; run++)
        {
            var (workers, kill) = (1 + run % 3, random.Next(whole.Length + 1));
            var before = Loader(workers).Take(kill).Select(Bits).ToArray();
            var resumed = Loader(1 + random.Next(3));
            resumed.Start = kill;
            string[] both = [.. before, .. resumed.Select(Bits)];
            Assert.True(whole.SequenceEqual(both), $"killed after {kill} batches, {workers} workers");
            Assert.Equal((3, 0), (resumed.Epoch, resumed.Start));
        }
    }

    [Fact]
    public void Weights_are_probabilities()
    {
        double[] weights = [0, 1, 2, 0, 4, 1, 0];
        var hits = new int[7];
        foreach (var sample in new WeightedSampler(weights, 80_000, 3).Order(1)) hits[sample]++;
        for (var i = 0; i < 7; i++)
            // 5 deviations of the binomial distribution.
            Assert.InRange(hits[i] - 10_000 * weights[i], -5 * Math.Sqrt(10_000 * weights[i]),
                5 * Math.Sqrt(10_000 * weights[i]));
        var classes = Enumerable.Range(0, 1000).Select(i => i < 10 ? "rare" : "common").ToArray();
        var rare = WeightedSampler.Balanced(classes, 10_000).Order(0).Count(sample => sample < 10);
        Assert.InRange(rare, 4750, 5250);
    }

    [Theory]
    [InlineData(new[] { 1, double.NaN }, "found NaN for sample 1")]
    [InlineData(new[] { 1, -0.5 }, "weights must be 0 or more, and finite: found -0.5 for sample 1")]
    [InlineData(new[] { double.PositiveInfinity }, "for sample 0")]
    [InlineData(new[] { 0.0, 0 }, "must have a positive, finite sum: found 0 for 2 samples; give a sample a weight")]
    [InlineData(new[] { double.MaxValue, double.MaxValue }, "positive, finite sum")]
    public void Weights_from_which_nothing_can_be_drawn_are_refused(double[] weights, string message) =>
        Assert.Contains(message, Assert.Throws<AdjointException>(() => new WeightedSampler(weights)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void Batches_have_similar_lengths_and_come_in_a_random_order()
    {
        var random = new Random(1);
        int[] lengths = [.. Enumerable.Range(0, 1003).Select(_ => random.Next(1, 500))];
        var batches = new LengthSampler(lengths, 10).Order(0).Select(sample => lengths[sample]).Chunk(10).ToArray();
        // Of 500 lengths in 100 batches, each batch has about 5.
        Assert.InRange(batches.Average(batch => batch.Max() - batch.Min()), 0, 8);
        Assert.Equal(3, batches[^1].Length);
        var means = batches.Select(batch => batch.Average()).ToArray();
        Assert.InRange(means.Zip(means.Skip(1)).Count(pair => pair.First < pair.Second), 30, 70);
        Assert.Contains("found -1 for sample 1",
            Assert.Throws<AdjointException>(() => new LengthSampler([1, -1], 2)).Message, StringComparison.Ordinal);
        Assert.Contains("must be positive", Assert.Throws<AdjointException>(() => new LengthSampler([1], 0)).Message,
            StringComparison.Ordinal);
        var data = new Ragged(60);
        Assert.Equal(new LengthSampler([.. Enumerable.Range(0, 60).Select(SamplerCases.LengthOf)], 4, 3, 9).Order(2),
            LengthSampler.Of(data, "inputs", 4, 3, 9).Order(2));
        Assert.Contains("'targets' of sample 0 of ragged has no axis",
            Assert.Throws<AdjointException>(() => LengthSampler.Of(data, "targets", 4)).Message,
            StringComparison.Ordinal);
    }

    private static SamplerCase Row(string name) => SamplerCases.All.Single(row => row.Name == name);

    private static string Bits(Batch batch) =>
        string.Join(' ', batch.Indices) + ":" + string.Join(' ', batch.Inputs.ToArray<float>())
        + ":" + string.Join(' ', batch["inputs.lengths"].ToArray<long>());

    private sealed class Ragged(int count) : Dataset("ragged")
    {
        public override int Count => count;

        public override Sample this[int index] => new()
        {
            ["inputs"] = Tensor.Full((int[])[SamplerCases.LengthOf(index)], index),
            ["targets"] = Tensor.Scalar(index, DType.Int64),
        };
    }

    private sealed class Noise : InPlaceTransform
    {
        public override Shape OutputShape(Shape sample) => sample;

        public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random) =>
            sample[0] += random.Next(1000) / 4096f;
    }
}
