using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>Golden values are those of torchvision 0.14 on float images.</summary>
public class ImageTransformTests
{
    private const int Plane = 20;
    private static readonly Shape Image = (int[])[3, 4, 5];

    [Fact]
    public void Colors_change_as_in_torchvision()
    {
        Same([0f, 0.154f, 0.616f, 1f, 1f, 0.518f, 0.672f, 1f, 0.49f, 0.154f, 1f],
            Changed(image => ColorJitter.Brighten(image, 1.4f)));
        // Its weights of luma are 0.2989, 0.587 and 0.114.
        Same([0.188829f, 0.254829f, 0.452829f, 0.782829f, 0.638829f, 0.410829f, 0.476829f, 0.674829f, 0.398829f],
            Changed(image => ColorJitter.Contrast(image, Plane, 0.6f)), 2e-4f);
        Same([0f, 0f, 0.218264f, 1f, 0.943295f, 0.148259f, 0.673276f, 1f, 0.128258f, 0f, 0.933294f, 1f, 0f, 0.913293f],
            Changed(image => ColorJitter.Saturate(image, Plane, 1.7f)), 2e-4f);
        Same([
            0f, 0.11f, 0.44f, 0.606f, 0.8f, 0.37f, 0.53f, 0.86f, 0.35f, 0.11f, 0.79f, 0.9f, 0.17f, 0.77f, 0.53f, 0.1f,
            0.21f, 0.59f, 0.08f, 0.9f, 0.53f, 0.64f, 0.97f, 0.99f, 0.27f, 0.9f, 0f, 0.33f, 0.88f, 0.64f, 0.26f, 0.37f,
            0.7f, 0.24f, 0f, 0.63f, 0.74f, 0.06f, 0.61f, 0.37f, 0.527f, 0.637f, 0.967f, 0.03f, 0.373f, 0.897f, 0.103f,
            0.433f, 0.877f, 0.637f, 0.363f, 0.473f, 0.697f, 0.343f, 0.103f, 0.627f, 0.737f, 0.163f, 0.607f, 0.473f,
        ], Changed(image => ColorJitter.TurnHue(image, Plane, 0.15f)));
        float[] luma = [0.31681f, 0.426799f, 0.756766f, 0.598701f, 0.473865f, 0.686773f, 0.203892f, 0.533859f];
        var gray = Apply(new Grayscale(), Pixels(), Image, 1);
        for (var channel = 0; channel < 3; channel++) Same(luma, gray[(channel * Plane)..], 2e-4f);
    }

    [Fact]
    public void Affine_maps_are_those_of_torchvision()
    {
        var image = Pixels()[..Plane];
        var result = new float[Plane];
        AffineMap.Of(30, (1, -1), 1.2, 10).Apply(image, 4, 5, result, fill: 0);
        Same([
            0.384595f, 0.777297f, 0.667185f, 0.669417f, 0.639702f, 0.120928f, 0.403034f, 0.423075f, 0.370414f,
            0.515254f, 0.0327961f, 0.222798f, 0.462715f, 0.354242f, 0.58021f, 0f, 0f, 0.0593599f, 0.248425f, 0.801913f,
        ], result);
        var sources = new int[Plane];
        AffineMap.Of(-20, (0, 1), 0.9, 0).SourcePixels(4, 5, sources);
        Same([
            0f, 0f, 0f, 0f, 0f, 0f, 0.44f, 0.99f, 0.75f, 0f, 0f, 0.48f, 0.81f, 0.35f, 0.48f, 0.37f, 0.85f, 0.17f, 0.72f,
            0.85f,
        ], [.. sources.Select(source => source < 0 ? 0 : image[source])]);
    }

    [Fact]
    public void A_fill_takes_the_place_of_what_lies_outside()
    {
        var (image, result) = (Pixels()[..Plane], new float[Plane]);
        AffineMap.Of(0, (2, 0), 1, 0).Apply(image, 4, 5, result, fill: 7);
        for (var i = 0; i < Plane; i++) Assert.Equal(i % 5 < 2 ? 7 : image[i - 2], result[i], 1e-6f);
    }

    [Fact]
    public void Standardized_colors_change_as_the_images_that_they_were()
    {
        double[] mean = [0.4, 0.5, 0.6], deviation = [0.2, 0.25, 0.3];
        float[] standardized =
            [.. Pixels().Select((value, i) => (float)((value - mean[i / Plane]) / deviation[i / Plane]))];
        for (var sample = 0; sample < 20; sample++)
        {
            var expected = Apply(new ColorJitter(0.4, 0.4, 0.4, 0.2), Pixels(), Image, sample);
            var found = Apply(new ColorJitter(0.4, 0.4, 0.4, 0.2) { Mean = mean, Deviation = deviation }, standardized,
                Image, sample);
            Assert.All(expected, value => Assert.InRange(value, 0, 1));
            for (var i = 0; i < found.Length; i++)
                Assert.Equal((expected[i] - mean[i / Plane]) / deviation[i / Plane], found[i], 1e-5);
        }
    }

    [Fact]
    public void Jitter_draws_every_factor_and_every_order()
    {
        // Brightness alone: the factor can be read off the smallest nonzero value.
        var factors = Enumerable.Range(0, 2000)
            .Select(sample => Apply(new ColorJitter(0.5), Pixels(), Image, sample)[1] / 0.11f).ToArray();
        Assert.InRange(factors.Min(), 0.5f, 0.51f);
        Assert.InRange(factors.Max(), 1.49f, 1.5f);
        Assert.InRange(factors.Average(), 0.97f, 1.03f);
        var gray = Pixels()[..Plane];
        Assert.Equal(gray, Apply(new ColorJitter(saturation: 0.9, hue: 0.5), gray, [1, 4, 5], 3));
    }

    [Fact]
    public void A_resized_crop_has_area_shape_and_place_as_asked()
    {
        // The row and the column of each pixel tell which window it was.
        var shape = Shape.Create([2, 40, 60]);
        float[] image = [.. Enumerable.Range(0, 4800).Select(i => (float)(i < 2400 ? i / 60 : i % 60))];
        var crop = new RandomResizedCrop
        {
            Size = (40, 60),
            Scale = (0.2, 0.5),
            Ratio = (0.5, 2),
            Interpolation = Interpolation.Nearest,
        };
        var (areas, middles) = (new List<double>(), new List<double>());
        for (var sample = 0; sample < 500; sample++)
        {
            var result = Apply(crop, image, shape, sample);
            var height = result[2399] - result[0] + 1;
            var width = result[^1] - result[2400] + 1;
            Assert.InRange(height * width / 2400, 0.18, 0.52);
            Assert.InRange(width / height, 0.47, 2.1);
            areas.Add(height * width / 2400);
            middles.Add((result[2399] + result[0]) / 2);
        }
        Assert.InRange(areas.Average(), 0.33, 0.37);
        Assert.InRange(middles.Average(), 18.5, 20.5);
        // No window of such a shape fits: the middle.
        var strip = new RandomResizedCrop { Scale = (1, 1), Ratio = (1, 1), Interpolation = Interpolation.Nearest };
        var middle = Apply(strip, image, shape, 0);
        Assert.Equal((10f, 49f), (middle[2400], middle[^1]));
    }

    [Fact]
    public void Erasing_overwrites_one_rectangle_half_of_the_time()
    {
        var shape = Shape.Create([2, 20, 30]);
        float[] image = [.. Enumerable.Repeat(5f, 1200)];
        var (erased, areas) = (0, new List<double>());
        for (var sample = 0; sample < 1000; sample++)
        {
            var result = Apply(new RandomErasing(), image, shape, sample);
            int[] gone = [.. Enumerable.Range(0, 1200).Where(i => result[i] == 0)];
            if (gone.Length == 0) continue;
            erased++;
            int[] rows = [.. gone.Select(i => i / 30 % 20).Distinct()];
            int[] columns = [.. gone.Select(i => i % 30).Distinct()];
            Assert.Equal(2 * rows.Length * columns.Length, gone.Length);
            Assert.Equal(rows.Max() - rows.Min() + 1, rows.Length);
            areas.Add(rows.Length * columns.Length / 600.0);
        }
        Assert.InRange(erased, 440, 560);
        Assert.InRange(areas.Average(), 0.15, 0.2);
        var noise = Apply(new RandomErasing(1) { Value = null, Scale = (0.3, 0.33) }, image, shape, 2);
        float[] drawn = [.. noise.Where(value => value != 5)];
        Assert.InRange(drawn.Length, 300, 450);
        Assert.InRange(drawn.Average(), -0.2, 0.2);
        Assert.InRange(drawn.Average(value => value * value), 0.8, 1.2);
    }

    [Fact]
    public void Vertical_flips_and_center_crops_move_whole_pixels()
    {
        float[] flipped =
            [.. Pixels().Chunk(Plane).SelectMany(plane => plane.Chunk(5).Reverse().SelectMany(row => row))];
        var count = 0;
        for (var sample = 0; sample < 400; sample++)
        {
            var result = Apply(new RandomVerticalFlip(), Pixels(), Image, sample);
            if (result.SequenceEqual(flipped)) count++;
            else Assert.Equal(Pixels(), result);
        }
        Assert.InRange(count, 160, 240);
        Assert.Equal(
            [.. from c in Enumerable.Range(0, 3) from y in (int[])[1, 2] from x in (int[])[1, 2, 3]
                select Pixels()[c * Plane + y * 5 + x]],
            Apply(new CenterCrop(2, 3), Pixels(), Image, 0));
    }

    public static TheoryData<string, Transform> Geometric() => new()
    {
        { "crop", new RandomCrop(2) },
        { "flip", new RandomFlip() },
        { "alternating-flip", new AlternatingFlip() },
        { "vertical-flip", new RandomVerticalFlip() },
        { "center", new CenterCrop(3, 2) },
        { "resize", new Resize(7, 9, Interpolation.Nearest) },
        { "resized crop", new RandomResizedCrop { Interpolation = Interpolation.Nearest } },
        { "affine", new RandomAffine(0) { Translation = (0.5, 0.5), Fill = -1 } },
    };

    // Where nothing is mixed, the image itself is what its source pixels say.
    [Theory]
    [MemberData(nameof(Geometric))]
    public void Source_pixels_say_where_each_pixel_comes_from(string name, Transform transform)
    {
        for (var sample = 0; sample < 50; sample++)
        {
            var result = Apply(transform, Pixels(), Image, sample);
            var output = transform.OutputShape(Image);
            var sources = new int[output[1] * output[2]];
            var random = new SampleRandom(9, 3, sample, 1);
            ((IGeometricTransform)transform).SourcePixels(Image, sources, ref random);
            for (var i = 0; i < result.Length; i++)
            {
                var source = sources[i % sources.Length];
                var expected = source < 0 ? -1 : Pixels()[i / sources.Length * Plane + source];
                Assert.True(Math.Abs(expected - result[i]) < 1e-6, $"{name}, sample {sample}, value {i}");
            }
        }
    }

    [Fact]
    public void Impossible_settings_are_refused_when_the_loader_is_made()
    {
        foreach (var (transform, expected) in ((Transform, string)[])
            [
                (new Resize(0, 3), "Resize: height and width of the result must be positive: found 0×3"),
                (new CenterCrop(5, 5), "CenterCrop: the window must not be larger than the image: found 5×5"),
                (new RandomAffine(200), "RandomAffine: the degrees must be from 0 to 180: found 200"),
                (new RandomAffine(1) { Shear = 90 }, "RandomAffine: the shear"),
                (new RandomAffine(1) { Scale = (2, 1) }, "RandomAffine: the scale must go up"),
                (new RandomAffine(1) { Translation = (2, 0) }, "RandomAffine: the translation"),
                (new RandomResizedCrop { Scale = (0, 1) }, "RandomResizedCrop: the scale must go up"),
                (new RandomResizedCrop { Ratio = (2, 1) }, "RandomResizedCrop: the ratio must go up"),
                (new ColorJitter(-1), "ColorJitter: the brightness must not be negative: found -1"),
                (new ColorJitter(hue: 0.6), "ColorJitter: the hue must be from 0 to 0.5"),
                (new ColorJitter { Mean = [0, 1] }, "ColorJitter: images of (3, 4, 5) take 3 means and deviations"),
                (new Grayscale(2), "Grayscale: the probability must be from 0 to 1: found 2"),
                (new RandomErasing(-1), "RandomErasing: the probability"),
            ])
            Assert.StartsWith(expected, Assert.Throws<AdjointException>(() => transform.OutputShape(Image)).Message,
                StringComparison.Ordinal);
        Assert.StartsWith("ColorJitter: images must have 1 channel (gray) or 3",
            Assert.Throws<AdjointException>(() => new ColorJitter(1).OutputShape([2, 4, 5])).Message,
            StringComparison.Ordinal);
    }

    private static float[] Pixels() =>
        [.. from c in Enumerable.Range(0, 3)
            from y in Enumerable.Range(0, 4)
            from x in Enumerable.Range(0, 5)
            select (c * 53 + y * 37 + x * x * 11) % 101 / 100f];

    private static float[] Changed(Action<float[]> change)
    {
        var image = Pixels();
        change(image);
        return image;
    }

    private static void Same(float[] expected, float[] found, float tolerance = 2e-5f)
    {
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], found[i], tolerance);
    }

    private static float[] Apply(Transform transform, float[] image, Shape shape, int sample)
    {
        var result = new float[transform.OutputShape(shape).Elements];
        var random = new SampleRandom(9, 3, sample, 1);
        transform.Apply(image, shape, result, ref random);
        return result;
    }
}
