using System.Globalization;
using Adjoint.Data;

namespace Adjoint.Experiments;

/// <summary>Collects the samples that a classifier got wrong with the highest probability.</summary>
/// <param name="data">The samples, with the names of their classes.</param>
/// <param name="most">At most this many samples are kept.</param>
public sealed class ConfidentMistakes(Dataset data, int most = 24)
{
    private readonly PriorityQueue<(int Sample, int Label, int Prediction), double> worst = new();
    private int seen;

    /// <summary>Takes in the next batch of the data set, in its order.</summary>
    /// <param name="logits">(n, classes): what the classifier gave.</param>
    /// <param name="labels">(n): the classes of the samples.</param>
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

    /// <summary>The collected samples as images.</summary>
    /// <returns>The images, the most confident mistake first; empty where samples are no images.</returns>
    public IReadOnlyList<CaptionedImage> ToImages()
    {
        if (!ImageSheet.CanShow(data.SampleShape)) return [];
        var items = worst.UnorderedItems.OrderByDescending(item => item.Priority).ThenBy(item => item.Element.Sample);
        return [.. items.Select(item => ImageOf(item.Element, item.Priority))];
    }

    private CaptionedImage ImageOf((int Sample, int Label, int Prediction) mistake, double probability)
    {
        var (prediction, label) = (data.ClassNames[mistake.Prediction], data.ClassNames[mistake.Label]);
        return new(ImageSheet.Draw(data, mistake.Sample),
            string.Create(CultureInfo.InvariantCulture, $"{prediction} ({probability:P0}); it is {label}"));
    }
}
