using Adjoint.Generation;

namespace Adjoint.Tests.Generation;

/// <summary>Draws and filters against plain definitions in double.</summary>
public class TokenSamplerTests
{
    [Theory]
    [InlineData(1, null, 1)]
    [InlineData(0.5, null, 1)]
    [InlineData(2, 5, 1)]
    [InlineData(0.7, null, 0.8)]
    [InlineData(1.3, 6, 0.9)]
    public void Draws_follow_the_distribution(double temperature, int? topK, double topP)
    {
        float[] logits = [0.3f, -1.2f, 2.1f, 1.4f, -0.5f, 0.9f, 1.1f, -0.1f];
        var options = new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP, Seed = 1804 };
        var sampler = new TokenSampler(options);
        var counts = new int[logits.Length];
        var x = Tensor.From(logits);
        for (var i = 0; i < 20_000; i++) counts[sampler.Next(x)]++;
        ChiSquare.AssertFits(counts, Reference([.. logits], temperature, topK, topP));
    }

    [Fact]
    public void Filters_are_those_of_the_definition()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var run = 0; run < 200; run++)
        {
            var logits = Enumerable.Range(0, random.Next(1, 60)).Select(_ => 6 * random.NextDouble() - 3).ToArray();
            var (temperature, topK, topP) = (0.1 + 2 * random.NextDouble(), random.Next(1, 70), random.NextDouble());
            var options = new SamplingOptions { Temperature = temperature, TopK = topK, TopP = topP };
            var found = new TokenSampler(options).Probabilities(Tensor.From(logits));
            var expected = Reference(logits, temperature, topK, topP);
            for (var i = 0; i < logits.Length; i++)
                Assert.True(Math.Abs(found[i] - expected[i]) < 1e-12, $"run {run}, token {i}");
        }
    }

    [Fact]
    public void Temperature_0_takes_the_most_likely_and_the_first_of_equal_ones()
    {
        Assert.Equal(2, Draw([1, 5, 7, 7, -3], new() { Temperature = 0 }));
        Assert.Equal(0, Draw([4, 4, 4], new() { Temperature = 0, TopK = 2, TopP = 0.5 }));
        Assert.Equal([0, 0, 1, 0], Probabilities([0, 1, 3, 2], new() { Temperature = 0 }));
        // The limit of small temperatures, without 0/0.
        Assert.Equal([0, 0, 1, 0], Probabilities([0, 1, 3, 2], new() { Temperature = double.Epsilon }));
        Assert.Equal([0.25, 0.25, 0.25, 0.25],
            Probabilities([0, 1, 3, 2], new() { Temperature = double.MaxValue }));
    }

    [Fact]
    public void A_nucleus_has_at_least_the_most_likely_token()
    {
        Assert.Equal([0, 1, 0], Probabilities([1, 2, 1], new() { TopP = 0 }));
        Assert.Equal([1, 0, 0], Probabilities([2, 2, 2], new() { TopP = 0 }));
        Assert.Equal([0, 1, 0], Probabilities([1, 2, 1], new() { TopP = 1e-300 }));
        // Exactly a half: two of four equal tokens are enough, the first ones.
        Assert.Equal([0.5, 0.5, 0, 0], Probabilities([3, 3, 3, 3], new() { TopP = 0.5 }));
        Assert.Equal(4, Probabilities([3, 3, 3, -700], new() { TopP = 1 }).Count(one => one > 0));
        Assert.Equal(3, Probabilities([3, 3, 3, -700], new() { TopP = 1 - 1e-15 }).Count(one => one > 0));
        Assert.Equal([1], Probabilities([-5], new() { TopP = 0.3 }));
    }

    [Fact]
    public void The_most_likely_k_are_the_first_of_equal_ones()
    {
        Assert.Equal([0.5, 0.5, 0, 0], Probabilities([1, 1, 1, 1], new() { TopK = 2 }));
        Assert.Equal([0, 1, 0, 0], Probabilities([1, 2, 2, 0], new() { TopK = 1 }));
        Assert.Equal(Probabilities([1, 2, 3], new()), Probabilities([1, 2, 3], new() { TopK = int.MaxValue }));
        // Of k tokens, those that cannot come do not come.
        Assert.Equal([0, 1, 0], Probabilities([float.NegativeInfinity, 0, float.NegativeInfinity], new() { TopK = 2 }));
        // Top-k comes first: of the two that it keeps one has more than 0.6, of all three none has.
        Assert.Equal([0, 1, 0], Probabilities([1, 2, 1.4f], new() { TopK = 2, TopP = 0.6 }));
        Assert.Equal([false, true, true], Probabilities([1, 2, 1.4f], new() { TopP = 0.6 }).Select(one => one > 0));
    }

    [Fact]
    public void A_seed_draws_the_same_whatever_came_before()
    {
        var x = Tensor.Randn([50], new Generator(3));
        int[] Run(ulong seed)
        {
            var sampler = new TokenSampler(new() { Seed = seed });
            return [.. Enumerable.Range(0, 100).Select(_ => sampler.Next(x))];
        }
        var first = Run(ulong.MaxValue);
        _ = Tensor.Rand(3);
        Assert.Equal(first, Run(ulong.MaxValue));
        Assert.NotEqual(first, Run(ulong.MaxValue - (1ul << 32)));
        Assert.NotEqual(first, Run(0));
    }

    [Fact]
    public void Every_floating_type_is_read_in_double()
    {
        double[] numbers = [0.5, -1.25, 2, 0];
        foreach (var type in Enum.GetValues<DType>().Where(type => type.IsFloating()))
            Assert.Equal(new TokenSampler().Probabilities(Tensor.From(numbers)),
                new TokenSampler().Probabilities(Tensor.From(numbers).To(type)));
        // In float32 each of these would have 24 bits, and their sum not be 1.
        var many = new TokenSampler().Probabilities(Tensor.Zeros(100_000));
        Assert.Equal(1, many.Sum(), 1e-11);
        Assert.Equal(1e-5, many[0], 1e-20);
    }

    [Fact]
    public void What_is_no_number_is_refused()
    {
        Refuses("logits must be numbers: found NaN for token 1 of 3; the model has diverged: take an earlier one, or "
            + "train with a lower learning rate", () => Draw([0, float.NaN, 1], new()));
        Refuses("logits must be numbers: found ∞ for token 2 of 3; the model has diverged: take an earlier one, or "
            + "train with a lower learning rate",
            () => Draw([0, 1, float.PositiveInfinity], new() { Temperature = 0 }));
        Refuses("at least one token must be possible: found the logit −∞ for all 2",
            () => Draw([float.NegativeInfinity, float.NegativeInfinity], new()));
        Refuses("logits (vocabulary) of a floating type are needed: found (1, 3) float32; take one place of one "
            + "sequence", () => new TokenSampler().Next(Tensor.Zeros(1, 3)));
        Refuses("logits (vocabulary) of a floating type are needed: found (0,) float32; take one place of one "
            + "sequence", () => new TokenSampler().Next(Tensor.Zeros(0)));
        Refuses("the temperature must be 0 or more, and finite: found -0.5; 0 takes the most likely token, 1 the "
            + "model's own distribution", () => new TokenSampler(new() { Temperature = -0.5 }));
        Assert.Throws<AdjointException>(() => new TokenSampler(new() { Temperature = double.NaN }));
        Assert.Throws<AdjointException>(() => new TokenSampler(new() { Temperature = double.PositiveInfinity }));
        Refuses("top-k must keep 1 token or more: found 0; leave it out for all",
            () => new TokenSampler(new() { TopK = 0 }));
        Refuses("top-p must be from 0 to 1: found 1.5; 1 is all tokens", () => new TokenSampler(new() { TopP = 1.5 }));
        Assert.Throws<AdjointException>(() => new TokenSampler(new() { TopP = double.NaN }));
    }

    // As in Hugging Face's TemperatureLogitsWarper, TopKLogitsWarper and TopPLogitsWarper.
    private static double[] Reference(double[] logits, double temperature, int? topK, double topP)
    {
        var scores = logits.Select(logit => logit / temperature).ToArray();
        if (topK is { } k)
        {
            var least = scores.OrderDescending().Take(k).Last();
            scores = [.. scores.Select(score => score < least ? double.NegativeInfinity : score)];
        }
        if (topP < 1)
        {
            var ascending = Enumerable.Range(0, scores.Length).OrderBy(i => scores[i]).ToArray();
            var (probabilities, sum) = (Softmax(scores), 0.0);
            foreach (var i in ascending.SkipLast(1))
                if ((sum += probabilities[i]) <= 1 - topP) scores[i] = double.NegativeInfinity;
        }
        return Softmax(scores);
    }

    private static double[] Softmax(double[] scores)
    {
        var most = scores.Max();
        var weights = scores.Select(score => Math.Exp(score - most)).ToArray();
        var sum = weights.Sum();
        return [.. weights.Select(weight => weight / sum)];
    }

    private static int Draw(float[] logits, SamplingOptions options) =>
        new TokenSampler(options).Next(Tensor.From(logits));

    private static double[] Probabilities(float[] logits, SamplingOptions options) =>
        new TokenSampler(options).Probabilities(Tensor.From(logits));

    private static void Refuses(string message, Func<object> call) =>
        Assert.Equal($"TokenSampler: {message}", Assert.Throws<AdjointException>(call).Message);
}
