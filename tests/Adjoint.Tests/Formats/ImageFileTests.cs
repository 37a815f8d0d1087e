using System.Text.Json;
using Adjoint.Formats;

namespace Adjoint.Tests.Formats;

/// <summary>
/// Files of every kind against the pixels that Pillow 9.4 reads from them, on white where they are transparent
/// (Goldens/image_files.json, written by the script beside it).
/// </summary>
public sealed class ImageFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static readonly Dictionary<string, (byte[] File, int[] Shape, byte[] Pixels)> Goldens = JsonDocument
        .Parse(File.ReadAllText(Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "Formats", "Goldens",
            "image_files.json")))
        .RootElement.EnumerateArray().ToDictionary(
            entry => entry.GetProperty("name").GetString()!,
            entry => (entry.GetProperty("file").GetBytesFromBase64(),
                entry.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32()).ToArray(),
                entry.GetProperty("pixels").GetBytesFromBase64()));

    public static TheoryData<string> Names => [.. Goldens.Keys];

    internal static byte[] Golden(string name) => Goldens[name].File;

    [Theory]
    [MemberData(nameof(Names))]
    public void Pixels_are_those_of_Pillow(string name)
    {
        var (file, shape, expected) = Goldens[name];
        var image = ImageFile.Read(file, name);
        Assert.Equal(DType.UInt8, image.DType);
        Assert.Equal(shape, image.Shape.Sizes);
        var found = image.ToArray<byte>();
        // Inverse transforms of cosines may round otherwise, and what is composited or multiplied then once more.
        var tolerance = name.StartsWith("jpeg", StringComparison.Ordinal) ? 3
            : name.Contains("alpha", StringComparison.Ordinal) ? 1 : 0;
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(found[i] - expected[i]) <= tolerance,
                $"{name}, value {i}: found {found[i]}, expected {expected[i]}");
        Assert.InRange(found.Zip(expected).Average(pair => Math.Abs(pair.First - pair.Second)), 0, 0.5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void What_is_written_is_read_again(int channels)
    {
        var random = new Random(channels);
        var bytes = new byte[channels * 5 * 7];
        random.NextBytes(bytes);
        var (pixels, path) = (Tensor.From(bytes, channels, 5, 7), Path.Combine(folder, "image.png"));
        ImageFile.Write(path, pixels);
        Assert.Equal(bytes, ImageFile.Read(path).ToArray<byte>());
        Assert.Equal((channels, 7, 5), (ImageFile.Inspect(path).Channels, ImageFile.Inspect(path).Width,
            ImageFile.Inspect(path).Height));

        ImageFile.Write(path, pixels.To(DType.Float32) / 255);
        Assert.Equal(bytes, ImageFile.Read(path).ToArray<byte>());
        // Half of a level up is the next one, and nothing leaves the range.
        ImageFile.Write(path, Tensor.From([-1f, 0.5f / 255 + 1e-4f, float.NaN, float.PositiveInfinity], 1, 2, 2));
        Assert.Equal([0, 1, 0, 255], ImageFile.Read(path).ToArray<byte>());
    }

    [Fact]
    public void What_is_no_image_is_not_written()
    {
        foreach (var tensor in new[] { Tensor.Zeros(2, 4, 4), Tensor.Zeros(4, 4), Tensor.Zeros(1, 0, 4),
            Tensor.Zeros(1, 4, 4).To(DType.Int64) })
            Assert.Contains($"found {tensor.Shape}", Assert.Throws<AdjointException>(
                () => ImageFile.Write(Path.Combine(folder, "no.png"), tensor)).Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void Sixteen_bits_are_kept_in_float32()
    {
        var image = ImageFile.Read(Golden("gray-16"), "gray-16", new() { DType = DType.Float32 });
        for (var y = 0; y < 6; y++)
            for (var x = 0; x < 11; x++)
                Assert.Equal((x * 5003 + y * 977) % 65536 / 65535.0, image.ToArray<float>()[y * 11 + x], 1e-7);
        var bytes = ImageFile.Read(Golden("color-8"), "color-8", new() { DType = DType.Float32 }).ToArray<float>();
        Assert.Equal(Goldens["color-8"].Pixels.Select(value => value / 255f), bytes);
    }

    [Fact]
    public void Channels_are_converted_to_those_asked_for()
    {
        var color = ImageFile.Read(Golden("gray-8"), "gray-8", new() { Channels = 3 });
        byte[] gray = Goldens["gray-8"].Pixels;
        Assert.Equal([3, 6, 11], color.Shape.Sizes);
        Assert.Equal((byte[])[.. gray, .. gray, .. gray], color.ToArray<byte>());
        // The gray file is Pillow's conversion of the color one.
        Assert.Equal(gray, ImageFile.Read(Golden("color-8"), "x", new() { Channels = 1 }).ToArray<byte>());
    }

    [Fact]
    public void What_is_transparent_shows_the_background()
    {
        // Alpha is 25·x mod 256.
        var black = ImageFile.Read(Golden("gray-8-alpha"), "x", new() { Background = 0 }).ToArray<byte>();
        var gray = Goldens["gray-8"].Pixels;
        for (var i = 0; i < black.Length; i++)
            Assert.Equal(Math.Round(gray[i] * (i % 11 * 25 % 256) / 255.0), black[i]);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_header_says_what_the_pixels_will_be(string name)
    {
        var path = Path.Combine(folder, "image");
        File.WriteAllBytes(path, Golden(name));
        var info = ImageFile.Inspect(path);
        Assert.Equal(Goldens[name].Shape, (int[])[info.Channels, info.Height, info.Width]);
        Assert.Equal(name.StartsWith("jpeg", StringComparison.Ordinal) ? ImageFormat.Jpeg : ImageFormat.Png,
            info.Format);
        if (name.StartsWith("orientation-", StringComparison.Ordinal))
            Assert.Equal(name[12] - '0', info.Orientation);
    }

    [Fact]
    public void A_mask_has_the_numbers_of_its_pixels()
    {
        var path = Path.Combine(folder, "mask.png");
        File.WriteAllBytes(path, Golden("own-palette-4-interlaced"));
        var mask = ImageFile.ReadMask(path);
        Assert.Equal([6, 11], mask.Shape.Sizes);
        Assert.Equal(Enumerable.Range(0, 66).Select(i => (i / 11 + i % 11) % 16L), mask.ToArray<long>());
        File.WriteAllBytes(path, Golden("gray-2"));
        Assert.Equal(Enumerable.Range(0, 66).Select(i => (i / 11 * 5 + i % 11 * 3) % 4L),
            ImageFile.ReadMask(path).ToArray<long>());
        File.WriteAllBytes(path, Golden("color-8"));
        Assert.Contains("has 3 samples per pixel; a mask has one, the class: save it as a gray or palette PNG",
            Assert.Throws<Adjoint.Data.DataFormatException>(() => ImageFile.ReadMask(path)).Message,
            StringComparison.Ordinal);
        File.WriteAllBytes(path, Golden("jpeg-gray"));
        Assert.Contains("is a JPEG, whose compression changes the classes of a mask",
            Assert.Throws<Adjoint.Data.DataFormatException>(() => ImageFile.ReadMask(path)).Message,
            StringComparison.Ordinal);
    }
}
