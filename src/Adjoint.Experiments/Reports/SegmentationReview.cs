using System.Globalization;
using System.Xml.Linq;
using Adjoint.Data;
using Adjoint.Shared;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// The overlap of each class, and the samples with the largest losses: image, truth and prediction side by side.
/// </summary>
internal sealed class SegmentationReview(LearningTask task, Dataset data) : TaskReview
{
    private const int Most = 8;

    // Okabe and Ito's palette; more classes begin again.
    private static readonly byte[][] Colors =
    [
        [0, 0, 0], [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0],
        [204, 121, 167],
    ];

    private readonly IoU overlap = new();
    private readonly PriorityQueue<(int Sample, int[] Truth, int[] Prediction), double> worst = new();
    private int seen;

    public override void Observe(Tensor outputs, Batch batch)
    {
        if (batch.Count == 0) return;
        using var recording = new NoGrad();
        overlap.Update(outputs, batch);
        for (var i = 0; i < batch.Count; i++, seen++)
        {
            var own = WorstSamples.Row(batch, i);
            var logits = outputs.Slice(0, i, 1);
            var loss = task.TotalLoss(logits, own) / task.Weight(own);
            if (!double.IsFinite(loss)) continue;
            worst.Enqueue((seen, Labels(own.Targets), Labels(logits.ArgMax(1))), loss);
            if (worst.Count > Most) worst.Dequeue();
        }
    }

    internal override IEnumerable<XElement> Sections()
    {
        var overlaps = overlap.PerClass();
        if (overlaps.Count == 0) yield break;
        yield return new("h2", "Classes");
        yield return new("p", "Intersection over union of the best model, on the validation samples: the pixels that "
            + "are of a class and predicted as such, as a share of those that are either. –: there were none.");
        yield return ReportPage.Table(["class", "intersection over union"], overlaps.Select((value, k) => (string[])
            [Name(k), double.IsNaN(value) ? "–" : value.ToString("0.0000", CultureInfo.InvariantCulture)]));
        if (worst.Count == 0) yield break;
        yield return new("h2", "Worst samples");
        yield return new("p", "Those with the largest losses of the best model, the largest first: the image, then the "
            + "true and the predicted classes laid over it. Gray: no label.");
        var items = worst.UnorderedItems.OrderByDescending(item => item.Priority).ThenBy(item => item.Element.Sample);
        foreach (var (item, loss) in items) yield return ImageSheet.Show([.. Pictures(item, loss)], 128);
    }

    private string Name(int k) => k < data.ClassNames.Count ? data.ClassNames[k] : $"{k}";

    private IEnumerable<CaptionedImage> Pictures((int Sample, int[] Truth, int[] Prediction) item, double loss)
    {
        var shape = data.FieldOf(Field.Targets).Shape;
        var (height, width) = (shape[0], shape[1]);
        if (ImageSheet.CanShow(data.SampleShape))
            yield return new(ImageSheet.Draw(data, item.Sample), string.Create(CultureInfo.InvariantCulture,
                $"sample {item.Sample} (loss {loss:G4})"));
        yield return new(PngImage.ToDataUri(width, height, Overlay(item.Sample, item.Truth)), "truth");
        yield return new(PngImage.ToDataUri(width, height, Overlay(item.Sample, item.Prediction)), "prediction");
    }

    // Half the color of the class, half the brightness of the image where there is one of that size.
    private byte[] Overlay(int sample, int[] classes)
    {
        var image = ImageSheet.CanShow(data.SampleShape)
            && data.SampleShape[1] * data.SampleShape[2] == classes.Length ? ImageSheet.Pixels(data, sample) : null;
        var rgb = new byte[3 * classes.Length];
        for (var i = 0; i < classes.Length; i++)
            for (var channel = 0; channel < 3; channel++)
            {
                var color = classes[i] < 0 ? (byte)128 : Colors[classes[i] % Colors.Length][channel];
                rgb[3 * i + channel] = image is null ? color : (byte)((color + image[3 * i + channel]) / 2);
            }
        return rgb;
    }

    private static int[] Labels(Tensor labels) => [.. labels.ToArray<long>().Select(label => (int)label)];
}
