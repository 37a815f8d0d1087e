using Adjoint.Data;

namespace Adjoint.Tests.Data;

public class TransformTests
{
    private static readonly Shape Image = (int[])[2, 5, 7];

    [Fact]
    public void A_crop_is_a_window_of_the_mirrored_image_and_each_is_about_as_likely()
    {
        var image = Numbers();
        var seen = new Dictionary<(int, int), int>();
        for (var sample = 0; sample < 2500; sample++)
        {
            var result = Apply(new RandomCrop(2), image, 7, 0, sample);
            var (dy, dx) = (
                from y in Enumerable.Range(-2, 5)
                from x in Enumerable.Range(-2, 5)
                where result.SequenceEqual(Window(image, y, x))
                select (y, x)).Single();
            seen[(dy, dx)] = seen.GetValueOrDefault((dy, dx)) + 1;
        }
        // 25 windows, 100 expected each, standard deviation 9.8.
        Assert.Equal(25, seen.Count);
        Assert.All(seen.Values, count => Assert.InRange(count, 55, 150));
    }

    [Fact]
    public void Flips_mirror_rows_and_alternate_between_epochs()
    {
        var image = Numbers();
        float[] mirrored = [.. image.Chunk(7).SelectMany(row => row.Reverse())];
        var flipped = 0;
        for (var sample = 0; sample < 1000; sample++)
        {
            var results = Enumerable.Range(0, 4).Select(epoch => Apply(new AlternatingFlip(), image, 1, epoch, sample))
                .ToArray();
            var first = results[0].SequenceEqual(mirrored);
            for (var epoch = 0; epoch < 4; epoch++)
                Assert.Equal(first == (epoch % 2 == 0) ? mirrored : image, results[epoch]);
            if (first) flipped++;
            Assert.Contains(Apply(new RandomFlip(), image, 1, 0, sample)[0], (float[])[image[0], mirrored[0]]);
        }
        Assert.InRange(flipped, 420, 580);
    }

    [Fact]
    public void A_cutout_is_one_square_of_zeros_cut_off_at_the_edges()
    {
        var image = Numbers();
        for (var sample = 0; sample < 300; sample++)
        {
            var result = Apply(new Cutout(3), image, 5, 2, sample);
            var gone = Enumerable.Range(0, image.Length).Where(i => result[i] != image[i]).ToArray();
            Assert.All(gone, i => Assert.Equal(0, result[i]));
            var (rows, columns) = (gone.Where(i => i < 35).Select(i => i / 7).Distinct().ToArray(),
                gone.Where(i => i < 35).Select(i => i % 7).Distinct().ToArray());
            Assert.InRange(rows.Length, 2, 3);
            Assert.InRange(columns.Length, 2, 3);
            Assert.Equal(2 * rows.Length * columns.Length, gone.Length);
            Assert.Equal(rows.Max() - rows.Min() + 1, rows.Length);
        }
    }

    [Fact]
    public void What_a_sample_becomes_depends_on_seed_epoch_and_sample_alone()
    {
        var data = new TensorDataset("images", Image, [.. Enumerable.Range(0, 40 * 70).Select(i => (float)i)],
            new byte[40],
            ["only"]);
        Dictionary<int, float[]> Pass(int batchSize, int prefetch, int epoch, ulong seed)
        {
            var loader =
                new DataLoader(
                data, batchSize,
                new()
                {
                    Shuffle = true,
                    Seed = seed,
                    Prefetch = prefetch,
                    Transforms = [new RandomCrop(2), new RandomFlip(), new Cutout(2)]
                })
                { Epoch = epoch };
            return loader.SelectMany(batch => batch.Inputs.ToArray<float>().Chunk(70))
                .ToDictionary(sample => (int)(sample.Max() / 70));
        }

        var first = Pass(7, 0, 3, 9);
        foreach (var (sample, values) in Pass(16, 2, 3, 9)) Assert.Equal(first[sample], values);
        Assert.NotEqual(first[5], Pass(7, 0, 4, 9)[5]);
        Assert.NotEqual(first[5], Pass(7, 0, 3, 10)[5]);
    }

    [Fact]
    public void Samples_that_do_not_fit_are_refused_when_the_loader_is_made()
    {
        var flat = new TensorDataset("flat", (int[])[2], new float[4], new byte[2], ["only"]);
        Assert.Contains("RandomFlip: samples must be images (channels, height, width): found (2,)",
            Assert.Throws<AdjointException>(() => new DataLoader(flat, 1, new() { Transforms = [new RandomFlip()] }))
            .Message, StringComparison.Ordinal);
        var images = new TensorDataset("images", Image, new float[70], new byte[1], ["only"]);
        Assert.Contains("found 5 for (2, 5, 7)",
            Assert.Throws<AdjointException>(() => new DataLoader(images, 1, new() { Transforms = [new RandomCrop(5)] }))
            .Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Standardized_channels_have_mean_0_and_deviation_1_and_other_parts_follow_the_training_part()
    {
        var random = new Random(3);
        float[] Values(int count) =>
            [.. Enumerable.Range(0, count * 6)
                .Select(i => (float)(random.NextDouble() * (i / 3 % 2 == 0 ? 3 : 0.1) + 1000))];
        var (train, validation) = (new TensorDataset("train", (int[])[2, 3, 1], Values(500), new byte[500], ["only"]),
            new TensorDataset("validation", (int[])[2, 3, 1], Values(5), new byte[5], ["only"]));
        var (before, splits) = (validation.Sample(4)[5], new DataSplits(train, validation, null).Standardize());
        for (var channel = 0; channel < 2; channel++)
        {
            double[] all =
                [.. Enumerable.Range(0, 500)
                    .SelectMany(i => splits.Train.Sample(i)[(3 * channel)..(3 * channel + 3)].ToArray())
                    .Select(value => (double)value)];
            Assert.Equal(0, all.Average(), 1e-3);
            Assert.Equal(1, Math.Sqrt(all.Average(value => value * value)), 1e-3);
        }
        double[] second = [.. Enumerable.Range(0, 500).SelectMany(i => train.Sample(i)[3..].ToArray())
            .Select(value => (double)value)];
        var deviation = Math.Sqrt(second.Average(value => (value - second.Average()) * (value - second.Average())));
        Assert.Equal((before - second.Average()) / deviation, splits.Validation.Sample(4)[5], 1e-2);
    }

    private static float[] Numbers() => [.. Enumerable.Range(1, 70).Select(i => (float)i)];

    private static float[] Apply(Transform transform, float[] image, ulong seed, int epoch, int sample)
    {
        var result = new float[image.Length];
        var random = new SampleRandom(seed, epoch, sample, 0);
        transform.Apply(image, Image, result, ref random);
        return result;
    }

    // As torch.nn.functional.pad(mode="reflect") and a slice define it.
    private static float[] Window(float[] image, int dy, int dx)
    {
        int Reflect(int i, int size) => i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
        return [.. from c in Enumerable.Range(0, 2)
                   from y in Enumerable.Range(0, 5)
                   from x in Enumerable.Range(0, 7)
                   select image[(c * 5 + Reflect(y + dy, 5)) * 7 + Reflect(x + dx, 7)]];
    }
}
