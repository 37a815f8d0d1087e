using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>Every split: all samples once, the sizes asked for, the same parts for the same seed.</summary>
public class SplitTests
{
    public static TheoryData<string> Kinds() =>
        ["random", "classes", "names", "labels", "numbers", "group", "time"];

    [Theory, MemberData(nameof(Kinds))]
    public void Every_sample_is_in_one_part_and_the_parts_have_their_sizes(string kind)
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var (random, different) = (new Random(seed), 0);
        for (var run = 0; run < 20; run++)
        {
            var data = Data(random.Next(60, 200), random.Next());
            var (validation, test) = (random.Next(10, 20), random.Next(2) * random.Next(10, 20));
            var options = Options(kind) with { Seed = (ulong)random.Next() };
            var splits = data.Split(validation, test, options);
            var parts = Parts(splits);
            Assert.Equal(Enumerable.Range(0, data.Count), parts.SelectMany(part => part).Order());
            Assert.All(parts, part => Assert.Equal(part.Order(), part));
            Assert.Equal(test == 0, splits.Test is null);
            if (kind != "group")
                Assert.Equal((validation, test), (splits.Validation.Count, splits.Test?.Count ?? 0));
            var again = Parts(data.Split(validation, test, options));
            Assert.True(parts.Zip(again).All(both => both.First.SequenceEqual(both.Second)));
            var other = Parts(data.Split(validation, test, options with { Seed = options.Seed + 1 }));
            if (!parts.Zip(other).All(both => both.First.SequenceEqual(both.Second))) different++;
        }
        Assert.InRange(different, kind == "time" ? 0 : 10, kind == "time" ? 0 : 20);
    }

    [Fact]
    public void Fractions_are_rounded_to_whole_samples()
    {
        var data = Data(101, 1);
        var splits = data.Split(0.2, 0.1);
        Assert.Equal((71, 20, 10), (splits.Train.Count, splits.Validation.Count, splits.Test!.Count));
        Assert.Equal(51, Data(101, 1).Split(0.5).Validation.Count);
        Assert.Equal(("data, training", "data, validation"), (splits.Train.Name, splits.Validation.Name));
        Assert.Equal(data.ClassNames, splits.Train.ClassNames);
        // One is a number of samples, not all of them.
        Assert.Equal(1, data.Split(1).Validation.Count);
    }

    [Fact]
    public void A_random_part_is_a_uniform_sample()
    {
        var hits = new int[20];
        for (var seed = 0ul; seed < 2000; seed++)
            foreach (var sample in SplitIndices.Random(20, 5, 0, seed).Validation) hits[sample]++;
        // 500 ± 4.5 deviations of 19.4.
        Assert.All(hits, count => Assert.InRange(count, 412, 588));
    }

    [Fact]
    public void Classes_have_their_share_of_every_part_within_one_sample()
    {
        // 100 of class 0, 40 of 1, 10 of 2, 2 of 3, in a shuffled order.
        int[] classes = [.. Enumerable.Range(0, 152).Select(i => i * 67 % 152)
            .Select(i => i < 100 ? 0 : i < 140 ? 1 : i < 150 ? 2 : 3)];
        var split = SplitIndices.Stratified(classes, 30, 15, 5);
        int[] total = [100, 40, 10, 2];
        foreach (var (part, size) in ((IReadOnlyList<int>, int)[])[(split.Validation, 30), (split.Test, 15)])
            for (var one = 0; one < 4; one++)
                Assert.InRange(part.Count(i => classes[i] == one) - total[one] * size / 152.0, -1.01, 1.01);
        for (var one = 0; one < 4; one++) Assert.Contains(split.Train, i => classes[i] == one);
    }

    [Fact]
    public void Every_class_keeps_a_training_sample_whatever_the_sizes()
    {
        int[] classes = [0, 0, 1, 1, 2, 2];
        var split = SplitIndices.Stratified(classes, 3);
        Assert.Equal([0, 1, 2], split.Train.Select(i => classes[i]).Order());
        Assert.Contains("each of the 3 classes keeps a training sample, so 4 samples cannot leave 6",
            Assert.Throws<AdjointException>(() => SplitIndices.Stratified(classes, 4)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_class_with_one_sample_is_named()
    {
        var data = new TensorDataset("animals", [1, 1], Enumerable.Repeat(0f, 6).ToArray(), [0, 0, 1, 0, 2, 2],
            ["cat", "owl", "dog"]);
        Assert.Equal(
            "Dataset animals: Split: every class needs 2 samples or more, to be in two parts: found one alone of class "
            + "1 (owl) (sample 2); leave it out, join it with another class, or do not stratify",
            Assert.Throws<AdjointException>(() => data.Split(2, 0, new() { Stratify = Field.Targets })).Message);
    }

    [Fact]
    public void Numbers_are_spread_by_their_quantiles()
    {
        double[] values = [.. Enumerable.Range(0, 1000).Select(i => Math.Exp(i * 7 % 1000 / 100.0))];
        var split = SplitIndices.Stratified(SplitIndices.Quantiles(values), 100);
        for (var tenth = 0; tenth < 10; tenth++)
            Assert.Equal(10, split.Validation.Count(i => (int)(Math.Log(values[i]) + 1e-9) == tenth));
        Assert.Equal([0, 1, 1, 0], SplitIndices.Quantiles([1, 8, 9, 2], 2));
        Assert.Contains("NaN is in no quantile: found it for sample 1",
            Assert.Throws<AdjointException>(() => SplitIndices.Quantiles([1, double.NaN])).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Labels_have_their_share_of_every_part_and_a_rare_one_is_in_each()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        // Label 3 stands with 6 of 600 samples.
        IReadOnlyList<int>[] labels =
        [
            .. Enumerable.Range(0, 600).Select(i => (int[])[.. Enumerable.Range(0, 3)
                .Where(label => random.NextDouble() < 0.2 * (label + 1)), .. i % 100 == 7 ? (int[])[3] : []]),
        ];
        var split = SplitIndices.StratifiedByLabels(labels, 150, 150, 9);
        for (var label = 0; label < 4; label++)
        {
            var expected = labels.Count(one => one.Contains(label)) / 4.0;
            foreach (var part in (IReadOnlyList<int>[])[split.Validation, split.Test])
                Assert.InRange(part.Count(i => labels[i].Contains(label)), Math.Max(1, expected - 6), expected + 6);
        }
    }

    [Fact]
    public void No_group_is_in_two_parts()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var run = 0; run < 50; run++)
        {
            string[] groups = [.. Enumerable.Range(0, 300).Select(_ => $"person {random.Next(60)}")];
            var split = SplitIndices.ByGroup(groups, 60, 30, (ulong)run);
            HashSet<string>[] parts = [.. ((IReadOnlyList<int>[])[split.Train, split.Validation, split.Test])
                .Select(part => part.Select(i => groups[i]).ToHashSet())];
            Assert.False(parts[0].Overlaps(parts[1]) || parts[0].Overlaps(parts[2]) || parts[1].Overlaps(parts[2]));
            // Within half a group of about 5, now and then a larger one.
            Assert.InRange(split.Validation.Count, 50, 70);
            Assert.InRange(split.Test.Count, 20, 40);
        }
        // Few groups, all too large: still one for each part.
        var few = SplitIndices.ByGroup([.. Enumerable.Range(0, 90).Select(i => i % 3)], 1, 1);
        Assert.Equal((30, 30, 30), (few.Train.Count, few.Validation.Count, few.Test.Count));
        Assert.Contains("3 parts need as many groups: found 2 among 90 samples",
            Assert.Throws<AdjointException>(() =>
                SplitIndices.ByGroup([.. Enumerable.Range(0, 90).Select(i => i % 2)], 1, 1)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_latest_are_for_the_test_and_those_before_for_validation()
    {
        var split = SplitIndices.ByTime([5, 1, 9, 3, 9, 7], 2, 1);
        Assert.Equal([0, 1, 3], split.Train);
        Assert.Equal([2, 5], split.Validation);
        Assert.Equal([4], split.Test);
        Assert.Equal([2, 4], SplitIndices.ByTime([5, 1, 9, 3, 9, 7], 2).Validation);
        Assert.Contains("found NaN for sample 1",
            Assert.Throws<AdjointException>(() => SplitIndices.ByTime([1, double.NaN, 2], 1)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.0, 0.0, "validation needs 1 sample or more, and the test 0 or more: found 0 and 0")]
    [InlineData(1.0, 0.0, "the fraction of validation must be from 0 to less than 1: found 1")]
    [InlineData(double.NaN, 0.0, "found NaN")]
    [InlineData(-0.1, 0.0, "found -0.1")]
    [InlineData(0.001, 0.0, "0.001 of 60 samples for validation is not one; use a larger fraction or more samples")]
    [InlineData(0.5, 0.5, "nothing would be left for training: found 60 samples, 30 for validation and 30 for the")]
    public void Fractions_that_leave_a_part_empty_are_refused(double validation, double test, string message) =>
        Assert.Contains(message, Assert.Throws<AdjointException>(() => Data(60, 1).Split(validation, test)).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("stratify", "no-such", "Dataset data: there is no tensor 'no-such'")]
    [InlineData("group", "no-such", "Dataset data: there is no tensor 'no-such'")]
    [InlineData("time", "no-such", "Dataset data: there is no tensor 'no-such'")]
    [InlineData("group", "price", "Split: Group takes a field of integers, one per sample: found price () float32")]
    [InlineData("group", "tags", "Group takes a field of integers, one per sample: found tags ")]
    [InlineData("time", "tags", "Split: Time takes a field of numbers, one per sample: found tags ")]
    [InlineData("both", "person", "of Stratify, Group and Time at most one is possible: found person and person")]
    public void A_field_that_does_not_serve_is_named(string option, string field, string message)
    {
        var options = option switch
        {
            "stratify" => new SplitOptions { Stratify = field },
            "group" => new SplitOptions { Group = field },
            "time" => new SplitOptions { Time = field },
            _ => new SplitOptions { Stratify = field, Group = field },
        };
        Assert.Contains(message,
            Assert.Throws<AdjointException>(() => Data(60, 1).Split(10, 0, options)).Message,
            StringComparison.Ordinal);
    }

    private static SplitOptions Options(string kind) => kind switch
    {
        "random" => new(),
        "classes" => new() { Stratify = "person" },
        "names" => new() { Stratify = Field.Targets },
        "labels" => new() { Stratify = "tags" },
        "numbers" => new() { Stratify = "price" },
        "group" => new() { Group = "person" },
        "time" => new() { Time = "time" },
        _ => throw new NotSupportedException(kind),
    };

    private static int[][] Parts(DataSplits splits) =>
    [
        .. ((Dataset?[])[splits.Train, splits.Validation, splits.Test])
            .Select(part => part is Subset subset ? subset.Indices.ToArray() : []),
    ];

    // At least 12 people with 5 samples or more each.
    private static TensorDataset Data(int count, int seed)
    {
        var random = new Random(seed);
        return new("data",
        [
            ("person", Tensor.From([.. Enumerable.Range(0, count).Select(i => i % 12L)])),
            (Field.Targets, Tensor.From([.. Enumerable.Range(0, count).Select(i => i % 3L)])),
            ("price", Tensor.From([.. Enumerable.Range(0, count).Select(_ => random.NextSingle())])),
            ("time", Tensor.From([.. Enumerable.Range(0, count).Select(_ => random.Next(1000))])),
            ("tags", Tensor.From([.. Enumerable.Range(0, 3 * count).Select(_ => (float)random.Next(2))], count, 3)),
        ], ["a", "b", "c"]);
    }
}
