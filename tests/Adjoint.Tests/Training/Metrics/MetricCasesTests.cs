using System.Text.Json;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>What holds of every metric: the properties of each row of <see cref="MetricCases"/>.</summary>
public class MetricCasesTests
{
    private const double Close = 1e-12;

    public static TheoryData<int, string> Rows() =>
        [.. MetricCases.All.Select((row, i) => (i, row.ToString()))];

    public static TheoryData<int, string> Goldens() => [.. ReadGoldens().Select((one, i) =>
        (i, one.GetProperty("kind").GetString()!))];

    [Fact]
    public void Every_metric_has_a_row()
    {
        var missing =
            from type in typeof(Metric).Assembly.GetExportedTypes()
            where type.IsSubclassOf(typeof(Metric)) && !type.IsAbstract
            where MetricCases.All.All(row => row.Create(true).GetType() != type)
            select type.Name;
        Assert.True(!missing.Any(),
            $"{string.Join(", ", missing)}: add a row to tests/Adjoint.Tests/Training/Metrics/MetricCases.cs");
    }

    [Theory, MemberData(nameof(Rows))]
    public void It_is_its_definition(int number, string name)
    {
        var row = MetricCases.All[number];
        foreach (var (count, width, weighted, seed) in Cases())
        {
            var samples = MetricSamples.Random(row.Kind, count, width, weighted, seed);
            var (expected, found) = (row.Reference(samples), row.Of(samples));
            Assert.True(Math.Abs(expected - found) <= Close * Math.Max(1, Math.Abs(expected)),
                $"{name}, {count} samples of {width}, weighted: {weighted}, seed {seed}: {found}, expected {expected}");
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Batches_of_any_sizes_give_the_same_bits(int number, string name)
    {
        var row = MetricCases.All[number];
        foreach (var (count, width, weighted, seed) in Cases())
        {
            var samples = MetricSamples.Random(row.Kind, count, width, weighted, seed);
            // Weights that round.
            if (weighted) samples = samples with { Weights = [.. samples.Weights!.Select(w => (float)w / 3)] };
            var whole = row.Of(samples);
            foreach (var sizes in (int[][])[[1, 1, 1], [7], [2, 9, 3], [.. Enumerable.Repeat(1, count)]])
                Assert.True(whole.Equals(row.Of(samples, sizes)), $"{name}: {string.Join(", ", sizes)}, seed {seed}");
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void A_weight_of_n_counts_as_n_samples_and_0_as_none(int number, string name)
    {
        var row = MetricCases.All[number];
        foreach (var (count, width, _, seed) in Cases())
        {
            var samples = MetricSamples.Random(row.Kind, count, width, true, seed);
            var repeated = samples.Pick(Enumerable.Range(0, count)
                .SelectMany(i => Enumerable.Repeat(i, (int)samples.Weights![i]))) with
            { Weights = null };
            Assert.True(Math.Abs(row.Of(repeated) - row.Of(samples)) <= Close * Math.Max(1, row.Of(samples)),
                $"{name}: seed {seed}");
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Ignored_targets_are_as_if_they_were_not_there(int number, string name)
    {
        var row = MetricCases.All[number];
        if (row.Kind is MetricKind.Values or MetricKind.Binary) return;
        foreach (var (count, width, weighted, seed) in Cases())
        {
            var samples = MetricSamples.Random(row.Kind, count, width, weighted, seed);
            var random = new Random(seed);
            foreach (var target in samples.Targets)
            {
                var isWhole = row.Kind != MetricKind.Labels;
                if (isWhole && random.Next(4) == 0) Array.Fill(target, Loss.IgnoredLabel);
                for (var k = 0; k < target.Length; k++)
                    if (!isWhole && random.Next(4) == 0) target[k] = Loss.IgnoredLabel;
            }
            // What is left out may be anything.
            for (var i = 0; i < count; i++)
                if (samples.Targets[i].All(t => t == Loss.IgnoredLabel)) Array.Fill(samples.Outputs[i], 9e9);
            var kept = samples.Pick(Enumerable.Range(0, count).Where(i =>
                samples.Targets[i].Any(t => t != Loss.IgnoredLabel)));
            Assert.True(row.Of(kept).Equals(row.Of(samples)), $"{name}: seed {seed}");
            var expected = row.Reference(kept);
            Assert.True(Math.Abs(expected - row.Of(samples)) <= Close * Math.Max(1, expected), $"{name}: seed {seed}");
        }
    }

    [Theory, MemberData(nameof(Rows))]
    public void Nothing_is_undefined_and_a_reset_forgets_all(int number, string name)
    {
        var row = MetricCases.All[number];
        var (metric, samples) = (row.Create(true), MetricSamples.Random(row.Kind, 30, 3, false, 5));
        Assert.True(double.IsNaN(metric.Compute()), name);
        metric.Update(samples.OutputTensor().Slice(0, 0, 0), samples.TargetTensor().Slice(0, 0, 0));
        Assert.True(double.IsNaN(metric.Compute()), name);
        var zero = samples with { Weights = new double[30] };
        metric.Update(zero.OutputTensor(), zero.TargetTensor(), zero.WeightTensor());
        Assert.True(double.IsNaN(metric.Compute()), name);
        metric.Update(samples.OutputTensor(), samples.TargetTensor());
        var first = metric.Compute();
        Assert.True(first.Equals(metric.Compute()) && first.Equals(row.Of(samples)), name);
        metric.Reset();
        Assert.True(double.IsNaN(metric.Compute()), name);
        // Another number of classes than before is fine then.
        var others = MetricSamples.Random(row.Kind, 30, 4, false, 6);
        metric.Update(others.OutputTensor(), others.TargetTensor());
        Assert.True(row.Of(others).Equals(metric.Compute()), name);
    }

    [Theory, MemberData(nameof(Rows))]
    public void NaN_among_the_outputs_makes_it_NaN_unless_the_sample_has_weight_0(int number, string name)
    {
        var row = MetricCases.All[number];
        var samples = MetricSamples.Random(row.Kind, 20, 3, false, 7);
        samples.Outputs[4][0] = double.NaN;
        Assert.True(double.IsNaN(row.Of(samples)), name);
        Assert.True(double.IsNaN(row.Of(samples, 10)), name);
        var weighted = samples with { Weights = [.. Enumerable.Range(0, 20).Select(i => i == 4 ? 0.0 : 1)] };
        Assert.True(row.Of(samples.Pick(Enumerable.Range(0, 20).Where(i => i != 4))).Equals(row.Of(weighted)), name);
    }

    [Theory, MemberData(nameof(Rows))]
    public void Every_floating_type_of_outputs_is_taken(int number, string name)
    {
        var row = MetricCases.All[number];
        // Multiples of 1/2, small enough for 8 bits of precision.
        var samples = MetricSamples.Random(row.Kind, 25, 3, false, 8);
        foreach (var own in samples.Outputs)
            for (var k = 0; k < own.Length; k++) own[k] = own[k] > 90 ? own[k] - 100 : own[k];
        foreach (var type in (DType[])[DType.Float32, DType.Float16, DType.BFloat16])
        {
            var metric = row.Create(true);
            metric.Update(samples.OutputTensor(type), samples.TargetTensor());
            Assert.True(row.Of(samples).Equals(metric.Compute()), $"{name}: {type}");
        }
    }

    [Theory, MemberData(nameof(Goldens))]
    public void It_is_scikit_learns(int number, string kind)
    {
        var golden = ReadGoldens()[number];
        var samples = new MetricSamples(Enum.Parse<MetricKind>(kind, ignoreCase: true),
            Matrix(golden.GetProperty("outputs")), Matrix(golden.GetProperty("targets")),
            golden.GetProperty("weights") is { ValueKind: JsonValueKind.Array } weights ? Row(weights) : null);
        foreach (var value in golden.GetProperty("values").EnumerateObject())
        {
            var row = MetricCases.All.Single(row => row.Name == value.Name && row.Kind == samples.Kind);
            foreach (var fromLogits in (bool[])[true, false])
            {
                var given = fromLogits || samples.Kind == MetricKind.Values ? samples
                    : samples with { Outputs = Matrix(golden.GetProperty("probabilities")) };
                var metric = row.Create(fromLogits);
                metric.Update(given.OutputTensor(), given.TargetTensor(),
                    given.Weights is null ? null : Tensor.From(given.Weights));
                Assert.True(Math.Abs(value.Value.GetDouble() - metric.Compute()) <= 1e-11,
                    $"{row}, weighted: {given.Weights is not null}, from logits: {fromLogits}: {metric.Compute()}, "
                    + $"scikit-learn: {value.Value}");
            }
        }
    }

    private static IEnumerable<(int Count, int Width, bool Weighted, int Seed)> Cases() =>
        from width in (int[])[3, 4]
        from weighted in (bool[])[false, true]
        from seed in Enumerable.Range(1, 3)
        select (20 + 7 * seed, width, weighted, 100 * seed + width);

    private static List<JsonElement> ReadGoldens()
    {
        var path = Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Training", "Metrics", "Goldens",
            "metrics.json");
        using var file = JsonDocument.Parse(File.ReadAllText(path));
        return [.. file.RootElement.Clone().EnumerateArray()];
    }

    private static double[][] Matrix(JsonElement rows) => [.. rows.EnumerateArray().Select(row =>
        row.ValueKind == JsonValueKind.Array ? Row(row) : [row.GetDouble()])];

    private static double[] Row(JsonElement row) => [.. row.EnumerateArray().Select(one => one.GetDouble())];
}
