using System.Text.Json;

namespace Adjoint.Data;

/// <summary>
/// How images of any size became a network's inputs: gray or color, resized, values from 0 to 1. By what they were
/// standardized then is in <see cref="Dataset.Statistics"/>.
/// </summary>
public sealed class ImagePreprocessing : Preprocessing
{
    // The longest side that a file may ask for.
    private const int MostPixels = 1 << 16;

    /// <summary>Creates the preprocessing.</summary>
    /// <param name="channels">1 for gray, 3 for color.</param>
    /// <param name="height">The rows of the inputs, 1 to 65536.</param>
    /// <param name="width">The columns of the inputs, 1 to 65536.</param>
    /// <exception cref="AdjointException">A number is out of range.</exception>
    public ImagePreprocessing(int channels, int height, int width)
    {
        if (channels is not (1 or 3))
            throw new AdjointException(
                $"ImagePreprocessing: channels must be 1 (gray) or 3 (color): found {channels}");
        if (height is < 1 or > MostPixels || width is < 1 or > MostPixels
            || (long)channels * height * width > Array.MaxLength)
            throw new AdjointException(
                $"ImagePreprocessing: height and width must be from 1 to {MostPixels}, and the values fit an array: "
                + $"found {height}×{width}");
        (Channels, Height, Width) = (channels, height, width);
    }

    /// <summary>1 for gray, 3 for color.</summary>
    public int Channels { get; }

    /// <summary>The rows of the inputs.</summary>
    public int Height { get; }

    /// <summary>The columns of the inputs.</summary>
    public int Width { get; }

    /// <summary>What becomes of images of another shape.</summary>
    public ImageFit Fit { get; init; } = ImageFit.Stretch;

    /// <summary>How values are found between pixels.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Bilinear;

    /// <inheritdoc/>
    public override string Kind => "image";

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter json)
    {
        json.WriteNumber("channels", Channels);
        json.WriteNumber("height", Height);
        json.WriteNumber("width", Width);
        json.WriteString("fit", Fit.ToString());
        json.WriteString("interpolation", Interpolation.ToString());
    }

    /// <summary>Makes an image a network's input.</summary>
    /// <param name="image">The pixels (channels, height, width), uint8, with 1 or 3 channels.</param>
    /// <returns>The input (channels, height, width) of this preprocessing, float32 from 0 to 1.</returns>
    /// <exception cref="AdjointException">The tensor is no such image.</exception>
    public Tensor Apply(Tensor image)
    {
        if (image.DType != DType.UInt8 || image.Rank != 3 || image.Shape[0] is not (1 or 3)
            || image.Shape[1] == 0 || image.Shape[2] == 0)
            throw new AdjointException(
                "ImagePreprocessing: images must be uint8, (channels, height, width) with 1 or 3 channels: found "
                + $"{image.Shape}, {image.DType.Label()}");
        var pixels = Convert(image.ToArray<byte>(), image.Shape[0]);
        var result = new float[Channels * Height * Width];
        ToValues(Resize(pixels, Channels, image.Shape[1], image.Shape[2], Interpolation), result);
        return Tensor.From(result, Channels, Height, Width);
    }

    /// <summary>Resizes planes of bytes; the array itself where it has the size already.</summary>
    internal byte[] Resize(byte[] pixels, int planes, int height, int width, Interpolation interpolation)
    {
        var window = Window(height, width);
        if (window == new PixelWindow(0, 0, Height, Width) && (height, width) == (Height, Width)) return pixels;
        var result = new byte[planes * Height * Width];
        Resampling.Resize(pixels, height, width, window, result, Height, Width, interpolation);
        return result;
    }

    /// <summary>Resizes a mask: each pixel takes the nearest number.</summary>
    internal ushort[] Resize(ushort[] numbers, int height, int width)
    {
        var sources = new int[Height * Width];
        Resampling.SourcePixels(width, Window(height, width), sources, Height, Width);
        return [.. sources.Select(source => numbers[source])];
    }

    /// <summary>Values from 0 to 1.</summary>
    internal static void ToValues(ReadOnlySpan<byte> pixels, Span<float> values)
    {
        for (var i = 0; i < pixels.Length; i++) values[i] = pixels[i] / 255f;
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    internal static ImagePreprocessing OfJson(JsonElement json)
    {
        try
        {
            return new(Number("channels"), Number("height"), Number("width"))
            {
                Fit = Choice<ImageFit>("fit"),
                Interpolation = Choice<Interpolation>("interpolation"),
            };
        }
        catch (AdjointException error)
        {
            throw new FormatException(error.Message, error);
        }

        int Number(string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number)
            ? number
            : throw new FormatException($"image preprocessing must have the whole number '{name}'");

        T Choice<T>(string name) where T : struct, Enum =>
            json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                && Enum.GetNames<T>().Contains(value.GetString()) && Enum.TryParse<T>(value.GetString(), out var choice)
            ? choice
            : throw new FormatException(
                $"image preprocessing must have '{name}', one of {string.Join(", ", Enum.GetNames<T>())}");
    }

    // Gray repeated, or colors weighted to luma.
    private byte[] Convert(byte[] pixels, int channels)
    {
        if (channels == Channels) return pixels;
        var plane = pixels.Length / channels;
        if (channels == 1) return [.. pixels, .. pixels, .. pixels];
        var result = new byte[plane];
        for (var i = 0; i < plane; i++)
            result[i] = (byte)((pixels[i] * 19595 + pixels[plane + i] * 38470 + pixels[2 * plane + i] * 7471 + 0x8000)
                >> 16);
        return result;
    }

    private PixelWindow Window(int height, int width)
    {
        if (Fit == ImageFit.Stretch) return new(0, 0, height, width);
        var scale = Math.Min((double)height / Height, (double)width / Width);
        return PixelWindow.Center(height, width, Math.Clamp((int)Math.Round(Height * scale), 1, height),
            Math.Clamp((int)Math.Round(Width * scale), 1, width));
    }
}
