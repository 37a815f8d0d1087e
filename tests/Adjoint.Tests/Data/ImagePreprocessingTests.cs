using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.Tests.Data;

public class ImagePreprocessingTests
{
    [Fact]
    public void Json_brings_back_what_was_written()
    {
        var one = new ImagePreprocessing(3, 20, 30) { Fit = ImageFit.Crop, Interpolation = Interpolation.Bicubic };
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory))
        {
            json.WriteStartObject();
            json.WriteString("kind", one.Kind);
            one.Write(json);
            json.WriteEndObject();
        }
        var read = Assert.IsType<ImagePreprocessing>(
            Preprocessing.Read(JsonDocument.Parse(memory.ToArray()).RootElement));
        Assert.Equal((3, 20, 30, ImageFit.Crop, Interpolation.Bicubic),
            (read.Channels, read.Height, read.Width, read.Fit, read.Interpolation));
    }

    [Theory]
    [InlineData("", "must have the whole number 'channels'")]
    [InlineData(""","channels":1,"height":3,"width":3""", "'fit'")]
    [InlineData(""","channels":2,"height":3,"width":3,"fit":"Crop","interpolation":"Nearest" """, "found 2")]
    [InlineData(""","channels":1,"height":3e9,"width":3""", "'height'")]
    [InlineData(""","channels":1,"height":99999,"width":3,"fit":"Crop","interpolation":"Nearest" """, "65536")]
    [InlineData(""","channels":3,"height":65536,"width":65536,"fit":"Crop","interpolation":"Nearest" """, "an array")]
    [InlineData(""","channels":1,"height":3,"width":3,"fit":"7","interpolation":"Nearest" """, "'fit'")]
    [InlineData(""","channels":1,"height":3,"width":3,"fit":7,"interpolation":"Nearest" """, "'fit'")]
    public void Other_json_is_refused(string properties, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => Preprocessing.Read(
            JsonDocument.Parse($$"""{"kind":"image"{{properties}}}""").RootElement)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_image_is_converted_fitted_and_scaled()
    {
        // 2×4: columns 0, 10, 20, 30 in red, twice that in green, 5 in blue.
        byte[] pixels = [.. from c in Enumerable.Range(0, 3) from y in Enumerable.Range(0, 2)
            from x in Enumerable.Range(0, 4) select (byte)(c == 0 ? 10 * x : c == 1 ? 20 * x : 5)];
        var image = Tensor.From(pixels, 3, 2, 4);
        var crop = new ImagePreprocessing(1, 2, 2) { Fit = ImageFit.Crop }.Apply(image);
        float[] luma = [.. new double[] { 1, 2 }.Select(x => (float)(Math.Round(2.99 * x + 11.74 * x + 0.57) / 255))];
        Assert.Equal([1, 2, 2], crop.Shape.Sizes);
        Assert.Equal([.. luma, .. luma], crop.ToArray<float>());
        var stretched = new ImagePreprocessing(3, 2, 2) { Interpolation = Interpolation.Nearest }.Apply(image);
        Assert.Equal((float[])[10 / 255f, 30 / 255f], stretched.ToArray<float>()[..2]);
        var repeated = new ImagePreprocessing(3, 1, 1).Apply(Tensor.From(new byte[] { 51 }, 1, 1, 1));
        Assert.Equal([0.2f, 0.2f, 0.2f], repeated.ToArray<float>());
        Assert.StartsWith("ImagePreprocessing: images must be uint8, (channels, height, width) with 1 or 3 channels",
            Assert.Throws<AdjointException>(() => new ImagePreprocessing(1, 2, 2).Apply(Tensor.Zeros(1, 2, 2)))
                .Message, StringComparison.Ordinal);
    }
}
