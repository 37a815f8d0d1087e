using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>What lies over an image pixel by pixel is moved with it.</summary>
public class MaskTests
{
    private const int Side = 8;

    [Fact]
    public void Masks_move_with_their_image_whatever_the_threads()
    {
        Transform[] transforms =
            [new RandomFlip(), new Cutout(1), new RandomResizedCrop { Interpolation = Interpolation.Nearest },
                new RandomCrop(2), new Resize(6, 10, Interpolation.Nearest)];
        var first = Pass(transforms, batchSize: 3, workers: 1);
        Assert.Equal(first, Pass(transforms, batchSize: 5, workers: 3));
        Assert.Equal(10 * 60, first.Count);
        // The image's values are the mask's; but for the one pixel of each sample that is cut out.
        Assert.All(first, pixel => Assert.True(pixel.Image == pixel.Mask && pixel.Image == pixel.Weight
            || pixel.Image == 0));
        Assert.True(first.Count(pixel => pixel.Image != pixel.Mask) < 60);
        Assert.True(first.Select(pixel => pixel.Mask).Distinct().Count() > 100);
    }

    [Fact]
    public void What_comes_from_outside_is_ignored()
    {
        Transform[] transforms = [new RandomAffine(0) { Translation = (0.5, 0.5) }];
        var pixels = Pass(transforms, batchSize: 4, workers: 1);
        Assert.Contains(pixels, pixel => pixel.Mask == -100);
        Assert.All(pixels, pixel => Assert.Equal(pixel.Mask == -100 ? (0, 0) : (pixel.Mask, pixel.Mask),
            ((long)Math.Round(pixel.Image), (long)pixel.Weight)));
    }

    // Image, mask and weight of each pixel, samples in the order of the data set.
    private static List<(float Image, long Mask, float Weight)> Pass(Transform[] transforms, int batchSize, int workers)
    {
        const int count = 10;
        long[] numbers = [.. Enumerable.Range(1, count * Side * Side)];
        var data = new TensorDataset("masks",
        [
            (Field.Inputs, Tensor.From([.. numbers.Select(i => (float)i)], count, 1, Side, Side)),
            (Field.Targets, Tensor.From(numbers, count, Side, Side)),
            ("pixelWeights", Tensor.From([.. numbers.Select(i => (float)i)], count, 1, Side, Side)),
        ]);
        return [.. new DataLoader(data, batchSize, new() { Seed = 4, Transforms = transforms, Workers = workers })
            .SelectMany(batch => batch.Inputs.ToArray<float>().Zip(batch.Targets.ToArray<long>(),
                batch["pixelWeights"].ToArray<float>()))];
    }
}
