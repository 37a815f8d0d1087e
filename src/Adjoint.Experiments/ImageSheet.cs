using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Experiments;

/// <summary>An image with what is said of it.</summary>
/// <param name="Address">A <c>data:</c> address.</param>
/// <param name="Caption">Below it.</param>
public sealed record CaptionedImage(string Address, string Caption);

/// <summary>Images for a report.</summary>
public static class ImageSheet
{
    /// <summary>Whether samples of this shape can be shown: (1 or 3, height, width).</summary>
    public static bool CanShow(Shape sample) => sample.Rank == 3 && sample[0] is 1 or 3;

    /// <summary>The first layer's filters, (1 or 3, k, k) or as large as a sample, at most so many: grey is 0, white the largest absolute weight of all; empty where they are no images.</summary>
    public static IReadOnlyList<CaptionedImage> Filters(Module model, Shape sample, int most = 64)
    {
        if (!CanShow(sample)) return [];
        var weight = FirstWeight(model);
        int[]? shape = weight switch
        {
            { Rank: 4 } when weight.Shape[1] is 1 or 3 && weight.Shape[2] > 1 => [weight.Shape[1], weight.Shape[2], weight.Shape[3]],
            { Rank: 2 } when weight.Shape[1] == sample.Elements => [.. sample.Sizes],
            _ => null,
        };
        if (weight is null || shape is null) return [];
        var values = weight.Detach().To(DType.Float32).ToArray<float>();
        var largest = Math.Max(values.Max(Math.Abs), float.Epsilon);
        return [.. values.Chunk(((Shape)shape).Elements).Take(most).Select((filter, i) => new CaptionedImage(Draw(filter, shape, -largest, largest), $"{i}"))];
    }

    internal static string Draw(ReadOnlySpan<float> values, Shape shape, float low, float high)
    {
        var (height, width) = (shape[1], shape[2]);
        var (plane, rgb) = (height * width, new byte[3 * height * width]);
        for (var i = 0; i < plane; i++)
            for (var channel = 0; channel < 3; channel++)
            {
                var value = values[(shape[0] == 3 ? channel : 0) * plane + i];
                rgb[3 * i + channel] = (byte)Math.Clamp(MathF.Round((value - low) / (high - low) * 255), 0, 255);
            }
        return PngImage.ToDataUri(width, height, rgb);
    }

    private static Tensor? FirstWeight(Module model) => model switch
    {
        Conv2d convolution => convolution.Weight,
        WhiteningConv2d whitening => whitening.Weight,
        Linear linear => linear.Weight,
        _ => model.Children.Select(child => FirstWeight(child.Value)).FirstOrDefault(weight => weight is not null),
    };
}

/// <summary>Collects the samples that a classifier got wrong and was surest of.</summary>
public sealed class ConfidentMistakes(Dataset data, int most = 24)
{
    private readonly PriorityQueue<(int Sample, int Label, int Prediction), double> worst = new();
    private int seen;

    /// <summary>Takes in the next batch of the data set, in its order: logits (n, classes), labels (n).</summary>
    public void Observe(Tensor logits, Tensor labels)
    {
        using var _ = new NoGrad();
        var (probabilities, truth, classes) =
            (logits.Softmax().To(DType.Float32).ToArray<float>(), labels.ToArray<long>(), logits.Shape[1]);
        for (var i = 0; i < truth.Length; i++, seen++)
        {
            var row = probabilities.AsSpan(i * classes, classes);
            var prediction = 0;
            for (var c = 1; c < classes; c++)
                if (row[c] > row[prediction]) prediction = c;
            if (prediction == truth[i] || !float.IsFinite(row[prediction])) continue;
            worst.Enqueue((seen, (int)truth[i], prediction), row[prediction]);
            if (worst.Count > most) worst.Dequeue();
        }
    }

    /// <summary>Surest first; empty where samples are no images.</summary>
    public IReadOnlyList<CaptionedImage> ToImages()
    {
        if (!ImageSheet.CanShow(data.SampleShape)) return [];
        return [.. worst.UnorderedItems.OrderByDescending(item => item.Priority).ThenBy(item => item.Element.Sample).Select(item =>
        {
            var pixels = data.Sample(item.Element.Sample).ToArray();
            var (low, high) = (pixels.Min(), pixels.Max());
            return new CaptionedImage(ImageSheet.Draw(pixels, data.SampleShape, low, high > low ? high : low + 1),
                FormattableString.Invariant($"{data.ClassNames[item.Element.Prediction]} ({item.Priority:P0}); it is {data.ClassNames[item.Element.Label]}"));
        })];
    }
}
