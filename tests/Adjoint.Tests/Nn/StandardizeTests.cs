using Adjoint.Cli;
using Adjoint.Cli.Commands;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Tests.Data;
using Adjoint.Training;

namespace Adjoint.Tests.Nn;

/// <summary>Vectors are standardized per column, images per channel, and what by is kept with the model.</summary>
public sealed class StandardizeTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_column_of_vectors_has_mean_0_and_deviation_1()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        // Far from 0, tiny, huge, and with a first value that is far from all others.
        (double Mean, double Width)[] columns = [(0, 1), (1e6, 2), (-3e-20, 1e-20), (1e30, 1e28), (5, 0.01), (1, 1)];
        var values = new float[400 * columns.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var (mean, width) = columns[i % columns.Length];
            values[i] = (float)(mean + width * (random.NextDouble() - 0.5));
        }
        values[columns.Length - 1] = 1e9f;
        var data = Make(values, columns.Length);
        var standardized = data.Standardize(data.ChannelStatistics());
        for (var column = 0; column < columns.Length; column++)
        {
            double[] before = [.. Enumerable.Range(0, 400).Select(i => (double)data.Sample(i)[column])];
            var mean = before.Average();
            var deviation = Math.Sqrt(before.Average(value => (value - mean) * (value - mean)));
            for (var i = 0; i < 400; i++)
            {
                var expected = (before[i] - mean) / deviation;
                Assert.Equal(expected, standardized.Sample(i)[column], 1e-6 * Math.Max(1, Math.Abs(expected)));
            }
        }
    }

    [Fact]
    public void A_constant_column_becomes_0_and_keeps_its_scale()
    {
        var data = Make([0.1f, 1, 0.1f, 2, 0.1f, 3], 2);
        var statistics = data.ChannelStatistics();
        Assert.Equal(0, statistics.Deviation[0]);
        Assert.Equal([0, 0, 0], Column(data.Standardize(statistics), 0));
        Assert.Equal([1], Column(Make([1.1f, 1], 2).Standardize(statistics), 0).Select(value => MathF.Round(value, 6)));
    }

    [Fact]
    public void Images_stay_per_channel_and_numbers_are_one_column()
    {
        var images = new TensorDataset("images", (int[])[2, 1, 2], [0, 2, 10, 30, 4, 6, 50, 70], new byte[2], ["only"]);
        var (mean, deviation) = images.ChannelStatistics();
        Assert.Equal([3, 40], mean);
        Assert.Equal([Math.Sqrt(5), Math.Sqrt(500)], deviation);
        var numbers = new TensorDataset("numbers", (int[])[], [1, 2, 3], new byte[3], ["only"]);
        Assert.Equal([2], numbers.ChannelStatistics().Mean);
        Assert.Equal(0, numbers.Standardize(numbers.ChannelStatistics()).Sample(1)[0]);
    }

    [Fact]
    public void What_has_no_mean_is_refused()
    {
        foreach (var wrong in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            const string Message = "column or channel 1 holds NaN or infinity (the first is in sample 2)";
            AssertRefused(Message, () => Make([1, 2, 3, 4, 5, wrong], 2).ChannelStatistics());
        }
        AssertRefused("no samples", () => Make([], 2).ChannelStatistics());
        (double[], double[])[] wrongs = [([], []), ([1, 2, 3], [1, 2, 3]), ([1, 2], [1]), ([1], [1, 2])];
        foreach (var (means, deviations) in wrongs)
            AssertRefused("take 2 means", () => Make([1, 2], 2).Standardize((means, deviations)));
        Assert.Equal([-1, 0], Make([1, 3], 2).Standardize(([3], [2])).Sample(0).ToArray());
    }

    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(double.NegativeInfinity, 1)]
    [InlineData(0, double.NaN)]
    [InlineData(0, double.PositiveInfinity)]
    [InlineData(0, -1)]
    public void A_layer_of_what_is_no_statistic_is_refused(double mean, double deviation) =>
        AssertRefused("for column or channel 1", () => new Standardize(([0, mean], [1, deviation])));

    [Fact]
    public void Columns_of_different_size_are_learned_as_well_as_equal_ones()
    {
        double Accuracy(double factor, double shift)
        {
            var splits = Synth.Create(seed: 1, train: 1_200, validation: 500);
            Dataset Scaled(Dataset data)
            {
                var values = Enumerable.Range(0, data.Count).SelectMany(i => data.Sample(i).ToArray()).ToArray();
                for (var i = 1; i < values.Length; i += 2) values[i] = (float)(values[i] * factor + shift);
                byte[] labels = [.. data.Labels().Select(label => (byte)label)];
                return new TensorDataset(data.Name, data.SampleShape, values, labels, data.ClassNames);
            }

            var data = new DataSplits(Scaled(splits.Train), Scaled(splits.Validation), null).Standardize();
            var model = new Mlp(2, [16], 2, "relu", new Generator(1));
            var training = new DataLoader(data.Train, 64, new() { Shuffle = true, Seed = 1 });
            var trainer = new Trainer(model, new Adam(model.Parameters(), 0.02), new ClassificationTask(), training,
                new(data.Validation, 500));
            return trainer.Fit(10).Final.ValidationAccuracy;
        }

        Assert.Equal(Accuracy(1, 0), Accuracy(1000, 4000), 0.02);
    }

    [Fact]
    public void The_layer_does_to_raw_samples_what_was_done_to_the_data()
    {
        var random = new Random(3);
        double[] means = [0, -5, 1e6];
        var raw = Make([.. Enumerable.Range(0, 300).Select(i => (float)(random.NextDouble() + means[i % 3]))], 3);
        var data = raw.Standardize(raw.ChannelStatistics());
        var layer = new Standardize(data.Statistics!.Value);
        var (x, _) = raw.Load([5, 17, 99]);
        var (expected, _) = data.Load([5, 17, 99]);
        AssertNear(expected, layer.Forward(x));
        // Kept in the state, and through parts and a second round.
        var loaded = new Standardize(3);
        loaded.LoadStateDict(layer.StateDict());
        AssertNear(expected, loaded.Forward(x));
        Assert.Empty(loaded.Parameters());
        var twice = data.Slice("part", 0, 100).Standardize(([1, 2, 3], [2, 0, 4]));
        AssertNear(twice.Load([5, 17, 99]).Inputs, new Standardize(twice.Statistics!.Value).Forward(x));

        var images = new TensorDataset("images", (int[])[2, 1, 2], [0, 2, 10, 30, 4, 6, 50, 70], new byte[2], ["only"]);
        var standard = images.Standardize(images.ChannelStatistics());
        var ofImages = new Standardize(standard.Statistics!.Value);
        AssertNear(standard.Load([0, 1]).Inputs, ofImages.Forward(images.Load([0, 1]).Inputs));
        AssertRefused("(n, 2, …) is needed: found (3, 3)", () => ofImages.Forward(x));
        AssertRefused("at least one", () => new Standardize(0));
    }

    [Fact]
    public void Model_files_of_a_run_keep_it()
    {
        var splits = Synth.Create(seed: 1, train: 128, validation: 64);
        foreach (var data in (DataSplits[])[splits, splits.Standardize()])
        {
            var model = new Linear(2, 2, generator: new Generator(1));
            var (training, validation) = (new DataLoader(data.Train, 64), new DataLoader(data.Validation, 64));
            var trainer = new Trainer(model, new Sgd(model.Parameters(), 0.1), new ClassificationTask(), training,
                validation);
            var keeper = new ModelCheckpoint(folder);
            trainer.Callbacks.Add(keeper);
            trainer.Fit(1);
            keeper.Write();
            foreach (var name in (string[])["best.safetensors", "last.safetensors"])
            {
                var state = SafeTensors.Load(Path.Combine(folder, name), out var metadata);
                var kept = Standardize.FromMetadata(metadata);
                Assert.Equal(data.Train.Statistics is null, kept is null);
                if (kept is null) continue;
                var inUse = new Linear(2, 2);
                inUse.LoadStateDict(state);
                var (raw, _) = splits.Validation.Load([0, 1, 2]);
                var (standard, _) = data.Validation.Load([0, 1, 2]);
                AssertNear(inUse.Forward(standard), new Sequential(kept, inUse).Forward(raw));
            }
        }
        var damaged = new Dictionary<string, string> { ["standardize.mean"] = "1 x" };
        AssertRefused("must be finite numbers: found 'x'", () => Standardize.FromMetadata(damaged));
    }

    [Fact]
    public void A_page_shows_samples_as_the_model_learned_from_them()
    {
        var file = Path.Combine(folder, "model.safetensors");
        var metadata = Standardize.Metadata(([1, -2], [2, 4])).ToDictionary(entry => entry.Key, entry => entry.Value);
        SafeTensors.Save(file, new Linear(2, 2).StateDict(), metadata);
        var settings = TrainSettings.Table.Read([new("hidden", "5"), new("activation", "tanh"), new("threads", "1")]);
        var (raw, shown) = (settings.LoadData().Validation, ExploreCommand.LoadData(settings, file).Validation);
        Assert.Equal(raw.Sample(3)[0], shown.Sample(3)[0] * 2 + 1, 1e-5f);
        Assert.Equal(raw.Sample(3)[1], shown.Sample(3)[1] * 4 - 2, 1e-5f);
        SafeTensors.Save(file, new Linear(2, 2).StateDict());
        Assert.Null(ExploreCommand.LoadData(settings, file).Train.Statistics);
        Assert.Null(ExploreCommand.LoadData(settings, null).Train.Statistics);
    }

    private static TensorDataset Make(float[] values, int columns) =>
        new("table", (int[])[columns], values, new byte[values.Length / columns], ["only"]);

    private static float[] Column(Dataset data, int column) =>
        [.. Enumerable.Range(0, data.Count).Select(i => data.Sample(i)[column])];

    private static void AssertRefused(string part, Action action) =>
        Assert.Contains(part, Assert.Throws<AdjointException>(action).Message, StringComparison.Ordinal);

    private static void AssertNear(Tensor expected, Tensor found)
    {
        Assert.Equal(expected.Shape, found.Shape);
        foreach (var (e, f) in expected.ToArray<float>().Zip(found.ToArray<float>()))
            Assert.Equal(e, f, 2e-6f * Math.Max(1, Math.Abs(e)));
    }
}
