namespace Adjoint.Data;

/// <summary>
/// Takes the colors out of an image: all three channels become its luma (ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B).
/// </summary>
/// <param name="probability">How often, from 0 to 1; by default always.</param>
public sealed class Grayscale(double probability = 1) : ColorTransform
{
    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample) => probability is >= 0 and <= 1
        ? base.OutputShape(sample)
        : throw new AdjointException($"Grayscale: the probability must be from 0 to 1: found {probability}");

    /// <inheritdoc/>
    protected override void ApplyColors(Span<float> sample, int plane, ref SampleRandom random)
    {
        if (random.Uniform() >= probability || sample.Length == plane) return;
        for (var i = 0; i < plane; i++)
        {
            var luma = Luma(sample, plane, i);
            for (var at = i; at < sample.Length; at += plane) sample[at] = luma;
        }
    }
}
