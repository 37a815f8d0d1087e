using Adjoint.Data;

namespace Adjoint.Tests.Data;

/// <summary>Golden values are those of torchvision 0.14 (float, antialias=True) and Pillow 9.4 (bytes).</summary>
public class ResamplingTests
{
    private const int Height = 6;
    private const int Width = 7;

    [Theory]
    [InlineData(Interpolation.Bilinear, 3, 4, new[]
    {
        51.1973f, 58.3543f, 48.2057f, 53.7551f, 50.1071f, 43.77f, 45.02f, 55.9286f, 52.7959f, 53.1371f, 47.6057f,
        49.8571f,
    })]
    [InlineData(Interpolation.Bicubic, 3, 4, new[]
    {
        50.1734f, 60.205f, 48.6848f, 53.6554f, 49.9528f, 41.0699f, 44.565f, 57.4132f, 52.4843f, 54.4096f, 48.42f,
        49.0395f,
    })]
    [InlineData(Interpolation.Bicubic, 2, 11, new[]
    {
        62.0653f, 48.8745f, 35.6939f, 50.8782f, 59.6443f, 58.3158f, 40.4557f, 38.6965f, 58.9513f, 56.9666f, 51.7598f,
        66.3153f, 53.9662f, 38.9734f, 41.661f, 52.0685f, 62.5658f, 46.5508f, 38.8848f, 47.5654f, 53.7535f, 57.1311f,
    })]
    public void Floats_are_resized_as_torchvision_does(Interpolation interpolation, int height, int width,
        float[] second)
    {
        var result = Resize(Floats(), new(0, 0, Height, Width), height, width, interpolation);
        for (var i = 0; i < second.Length; i++) Assert.Equal(second[i], result[second.Length + i], 5e-4f);
    }

    [Theory]
    [InlineData(Interpolation.Nearest, 4, 3, new byte[] { 37, 81, 11, 29, 10, 54, 85, 2, 84, 27, 58, 76 })]
    [InlineData(Interpolation.Bilinear, 4, 3, new byte[] { 33, 56, 50, 53, 47, 47, 49, 43, 62, 60, 48, 47 })]
    [InlineData(Interpolation.Nearest, 9, 8, new byte[]
    {
        0, 11, 11, 44, 99, 75, 73, 73, 93, 37, 48, 48, 81, 35, 11, 9, 9, 29, 37, 48, 48, 81, 35, 11, 9, 9, 29, 74, 85,
        85, 17, 72, 48, 46, 46, 66, 10, 21, 21, 54, 8, 85, 83, 83, 2, 47, 58, 58, 91, 45, 21, 19, 19, 39, 47, 58, 58,
        91, 45, 21, 19, 19, 39, 84, 95, 95, 27, 82, 58, 56, 56, 76,
    })]
    [InlineData(Interpolation.Bicubic, 9, 8, new byte[]
    {
        0, 3, 21, 55, 102, 83, 74, 82, 97, 20, 25, 50, 72, 56, 36, 28, 36, 51, 54, 63, 65, 58, 46, 22, 13, 23, 41, 69,
        82, 51, 21, 68, 57, 50, 54, 63, 13, 19, 37, 43, 12, 72, 94, 58, 4, 28, 33, 62, 78, 27, 38, 43, 34, 21, 62, 71,
        73, 69, 61, 35, 25, 37, 57, 85, 98, 62, 29, 84, 65, 56, 64, 79,
    })]
    public void Bytes_are_resized_as_Pillow_does(Interpolation interpolation, int width, int height, byte[] expected)
    {
        // Pillow rounds, and cuts what overshoots, after each axis; here once, at the end.
        var source = Floats().Take(Height * Width).Select(value => (byte)value).ToArray();
        var result = new byte[expected.Length];
        Resampling.Resize(source, Height, Width, new(0, 0, Height, Width), result, height, width, interpolation);
        var tolerance = interpolation switch { Interpolation.Nearest => 0, Interpolation.Bilinear => 1, _ => 2 };
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(result[i], expected[i] - tolerance, expected[i] + tolerance);
    }

    [Theory]
    [InlineData(Interpolation.Bilinear)]
    [InlineData(Interpolation.Bicubic)]
    public void Every_size_is_the_weighted_mean_under_the_filter(Interpolation interpolation)
    {
        var random = new Random(4);
        foreach (var (size, toSize) in (ReadOnlySpan<(int, int)>)[(1, 1), (1, 5), (70, 3), (3, 70), (33, 32), (128, 1)])
        {
            var source = Enumerable.Range(0, 2 * size * size).Select(_ => random.NextSingle()).ToArray();
            var result = new float[2 * toSize * toSize];
            Resampling.Resize(source, size, size, new(0, 0, size, size), result, toSize, toSize, interpolation);
            var expected = Naive(source, 2, size, toSize, interpolation);
            for (var i = 0; i < result.Length; i++) Assert.Equal(expected[i], result[i], 2e-5);
        }
    }

    [Theory]
    [InlineData(Interpolation.Nearest)]
    [InlineData(Interpolation.Bilinear)]
    [InlineData(Interpolation.Bicubic)]
    public void A_window_is_resized_as_the_image_cropped_to_it(Interpolation interpolation)
    {
        var window = new PixelWindow(2, 1, 3, 5);
        float[] cropped =
            [.. from plane in Enumerable.Range(0, 2)
                from y in Enumerable.Range(2, 3)
                from x in Enumerable.Range(1, 5)
                select Floats()[(plane * Height + y) * Width + x]];
        foreach (var (height, width) in (ReadOnlySpan<(int, int)>)[(3, 5), (2, 2), (9, 4)])
        {
            var expected = new float[2 * height * width];
            Resampling.Resize(cropped, 3, 5, new(0, 0, 3, 5), expected, height, width, interpolation);
            Assert.Equal(expected, Resize(Floats(), window, height, width, interpolation));
        }
    }

    [Fact]
    public void Bytes_and_floats_agree_but_for_the_rounding()
    {
        var random = new Random(11);
        var source = new byte[3 * 50 * 131];
        random.NextBytes(source);
        var (bytes, floats) = (new byte[3 * 20 * 40], new float[3 * 20 * 40]);
        Resampling.Resize(source, 50, 131, new(0, 0, 50, 131), bytes, 20, 40, Interpolation.Bicubic);
        Resampling.Resize([.. source.Select(value => (float)value)], 50, 131, new(0, 0, 50, 131), floats, 20, 40,
            Interpolation.Bicubic);
        for (var i = 0; i < bytes.Length; i++)
            Assert.Equal(Math.Clamp(MathF.Floor(floats[i] + 0.5f), 0, 255), bytes[i]);
    }

    private static float[] Resize(float[] source, PixelWindow window, int height, int width,
        Interpolation interpolation)
    {
        var result = new float[source.Length / (Height * Width) * height * width];
        Resampling.Resize(source, Height, Width, window, result, height, width, interpolation);
        return result;
    }

    // The definition, in double: a mean over all pixels, weighted by the filter's value at their distance.
    private static double[] Naive(float[] source, int planes, int size, int toSize, Interpolation interpolation)
    {
        var scale = (double)size / toSize;
        var stretch = Math.Max(1, scale);
        double Weight(int to, int from)
        {
            var distance = Math.Abs((from + 0.5 - (to + 0.5) * scale) / stretch);
            return interpolation == Interpolation.Bilinear ? Math.Max(0, 1 - distance)
                : distance < 1 ? 1.5 * Math.Pow(distance, 3) - 2.5 * Math.Pow(distance, 2) + 1
                : distance < 2 ? -0.5 * Math.Pow(distance, 3) + 2.5 * Math.Pow(distance, 2) - 4 * distance + 2
                : 0;
        }
        var result = new double[planes * toSize * toSize];
        for (var i = 0; i < result.Length; i++)
        {
            var (plane, row, column) = (i / toSize / toSize, i / toSize % toSize, i % toSize);
            var (sum, weights) = (0.0, 0.0);
            for (var y = 0; y < size; y++)
                for (var x = 0; x < size; x++)
                {
                    var weight = Weight(row, y) * Weight(column, x);
                    weights += weight;
                    sum += weight * source[(plane * size + y) * size + x];
                }
            result[i] = sum / weights;
        }
        return result;
    }

    private static float[] Floats() =>
        [.. from c in Enumerable.Range(0, 2)
            from y in Enumerable.Range(0, Height)
            from x in Enumerable.Range(0, Width)
            select (float)((c * 53 + y * 37 + x * x * 11) % 101)];
}
