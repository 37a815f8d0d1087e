using System.Buffers.Binary;
using System.IO.Compression;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Nn;
using Adjoint.Tests.Data;

namespace Adjoint.Tests.Experiments;

public class ImageSheetTests
{
    [Fact]
    public void Mistakes_come_most_confident_first_with_the_pixels_of_their_samples()
    {
        // Samples 0 to 9: one gray each; logits say class 1 with a certainty that grows with the sample; every third is
        // right.
        var data = new TensorDataset("gray", (int[])[1, 2, 2],
            [.. Enumerable.Range(0, 10).SelectMany(i => (float[])[i, i, 0, 9])],
            [.. Enumerable.Range(0, 10).Select(i => (byte)(i % 3 == 0 ? 1 : 0))], ["zero", "one"]);
        var mistakes = new ConfidentMistakes(data, most: 3);
        foreach (var start in (int[])[0, 4, 8])
        {
            var count = Math.Min(4, 10 - start);
            mistakes.Observe(Tensor.From([.. Enumerable.Range(start, count).SelectMany(i => (float[])[0, i])], count,
                2), Tensor.From([.. Enumerable.Range(start, count).Select(i => (long)data.Labels()[i])]));
        }
        var images = mistakes.ToImages();
        Assert.Equal(3, images.Count);
        // 1 / (1 + e^−8), e^−7, e^−5.
        Assert.All(images, image => Assert.StartsWith("one (", image.Caption, StringComparison.Ordinal));
        Assert.Equal([8, 7, 5], images.Select(image => (int)Math.Round(Pixels(image.Address, 2)[0] * 9 / 255.0)));
        Assert.Contains("it is zero", images[0].Caption, StringComparison.Ordinal);
    }

    [Fact]
    public void Filters_are_shown_where_they_are_images()
    {
        var shape = (Shape)(int[])[3, 32, 32];
        var model = new LeNetCifar(generator: new Generator(1));
        var weight = model.Parameters().First();
        var filters = ImageSheet.Filters(model, shape);
        Assert.Equal(6, filters.Count);
        var (values, largest) = (weight.ToArray<float>(), weight.ToArray<float>().Max(Math.Abs));
        Assert.Equal(Math.Round((values[75 + 25] / largest + 1) / 2 * 255), Pixels(filters[1].Address, 5)[1], 1.0);
        Assert.Equal(9, ImageSheet.Filters(new Mlp(16, [9], 2, "relu", new Generator(1)), (int[])[1, 4, 4]).Count);
        Assert.Empty(ImageSheet.Filters(new Mlp(2, [9], 2, "relu", new Generator(1)), (int[])[2]));
    }

    // An independent reading: signature, lengths, inflation by the framework; the picture itself is checked in a
    // browser.
    private static byte[] Pixels(string address, int width)
    {
        var file = Convert.FromBase64String(address["data:image/png;base64,".Length..]);
        Assert.Equal(width, BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(16)));
        var at = 33;
        var length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
        Assert.Equal("IDAT"u8, file.AsSpan(at + 4, 4));
        using var zlib = new ZLibStream(new MemoryStream(file, at + 8, length), CompressionMode.Decompress);
        using var rows = new MemoryStream();
        zlib.CopyTo(rows);
        return [.. rows.ToArray().Chunk(1 + 3 * width).SelectMany(row => row[1..])];
    }
}
