using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Shared;

namespace Adjoint.Experiments;

/// <summary>An image with its caption.</summary>
/// <param name="Address">The image as a <c>data:</c> address, which holds it whole.</param>
/// <param name="Caption">The text below the image.</param>
public sealed record CaptionedImage(string Address, string Caption);

/// <summary>Images for a report.</summary>
public static class ImageSheet
{
    /// <summary>Whether samples of a shape can be shown as images: (1 or 3, height, width).</summary>
    /// <param name="sample">The shape of a sample.</param>
    /// <returns>Whether it is (1 or 3, height, width).</returns>
    public static bool CanShow(Shape sample) => sample.Rank == 3 && sample[0] is 1 or 3;

    /// <summary>
    /// The filters of the first layer as images, (1 or 3, k, k) or as large as a sample: gray is 0, white the largest
    /// absolute weight of all.
    /// </summary>
    /// <param name="model">The network; its first layer with a weight counts.</param>
    /// <param name="sample">The shape of a sample: (channels, height, width).</param>
    /// <param name="most">At most this many filters, the first ones.</param>
    /// <returns>An image for each filter; none where they are no images.</returns>
    public static IReadOnlyList<CaptionedImage> Filters(Module model, Shape sample, int most = 64)
    {
        if (!CanShow(sample) || FirstWeight(model) is not { } weight) return [];
        int[]? shape = weight.Rank switch
        {
            4 when weight.Shape[1] is 1 or 3 && weight.Shape[2] > 1 =>
                [weight.Shape[1], weight.Shape[2], weight.Shape[3]],
            2 when weight.Shape[1] == sample.Elements => [.. sample.Sizes],
            _ => null,
        };
        if (shape is null) return [];
        var values = weight.Detach().To(DType.Float32).ToArray<float>();
        var largest = Math.Max(values.Max(Math.Abs), float.Epsilon);
        return
        [
            .. values.Chunk(((Shape)shape).Elements).Take(most).Select((filter, i) =>
                new CaptionedImage(Draw(filter, shape, -largest, largest), $"{i}")),
        ];
    }

    /// <summary>Images with their captions, side by side.</summary>
    internal static XElement Show(IReadOnlyList<CaptionedImage> images, int side) =>
        new("div", Html.Class("sheet"), new XAttribute("style", $"--side:{side}px"),
            images.Select(image => ReportPage.Figure(
                Html.Element("img", ("src", image.Address), ("alt", image.Caption)), image.Caption)));

    /// <summary>A sample as an image, stretched to its full contrast.</summary>
    internal static string Draw(Dataset data, int sample) =>
        PngImage.ToDataUri(data.SampleShape[2], data.SampleShape[1], Pixels(data, sample));

    /// <summary>Red, green and blue of each pixel of a sample, stretched to its full contrast.</summary>
    internal static byte[] Pixels(Dataset data, int sample)
    {
        var values = data[sample][Field.Inputs].To(DType.Float32).ToArray<float>();
        var (low, high) = (values.Min(), values.Max());
        return Pixels(values, data.SampleShape, low, high > low ? high : low + 1);
    }

    private static string Draw(ReadOnlySpan<float> values, Shape shape, float low, float high) =>
        PngImage.ToDataUri(shape[2], shape[1], Pixels(values, shape, low, high));

    private static byte[] Pixels(ReadOnlySpan<float> values, Shape shape, float low, float high)
    {
        var (height, width) = (shape[1], shape[2]);
        var (plane, rgb) = (height * width, new byte[3 * height * width]);
        for (var i = 0; i < plane; i++)
            for (var channel = 0; channel < 3; channel++)
            {
                var value = values[(shape[0] == 3 ? channel : 0) * plane + i];
                rgb[3 * i + channel] = (byte)Math.Clamp(MathF.Round((value - low) / (high - low) * 255), 0, 255);
            }
        return rgb;
    }

    private static Tensor? FirstWeight(Module model) => model switch
    {
        Conv2d convolution => convolution.Weight,
        WhiteningConv2d whitening => whitening.Weight,
        Linear linear => linear.Weight,
        _ => model.Children.Select(child => FirstWeight(child.Value)).FirstOrDefault(weight => weight is not null),
    };
}
