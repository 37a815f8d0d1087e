namespace Adjoint.Data;

/// <summary>
/// A random change of the colors of an image, gray (1 channel) or red, green and blue (3), whose values are from 0 to
/// 1, or were standardized from there: then <see cref="Mean"/> and <see cref="Deviation"/> say how.
/// </summary>
public abstract class ColorTransform : InPlaceTransform
{
    /// <summary>The mean that was subtracted from each channel, or from all; 0 by default.</summary>
    public IReadOnlyList<double> Mean { get; init; } = [0];

    /// <summary>What each channel, or all, was divided by afterwards; 1 by default.</summary>
    public IReadOnlyList<double> Deviation { get; init; } = [1];

    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample)
    {
        base.OutputShape(sample);
        if (sample[0] is not (1 or 3))
            throw new AdjointException(
                $"{GetType().Name}: images must have 1 channel (gray) or 3 (red, green, blue): found {sample}; leave "
                + "the transform out");
        if (Mean.Count != 1 && Mean.Count != sample[0] || Deviation.Count != 1 && Deviation.Count != sample[0])
            throw new AdjointException(
                $"{GetType().Name}: images of {sample} take {sample[0]} means and deviations, or one: found "
                + $"{Mean.Count} and {Deviation.Count}");
        if (!Mean.All(double.IsFinite) || !Deviation.All(value => value > 0 && double.IsFinite(value)))
            throw new AdjointException($"{GetType().Name}: means must be finite, and deviations positive");
        return sample;
    }

    /// <inheritdoc/>
    public sealed override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        var isStandardized = Mean.Any(value => value != 0) || Deviation.Any(value => value != 1);
        var plane = shape[1] * shape[2];
        for (var channel = 0; isStandardized && channel < shape[0]; channel++)
        {
            var (scale, shift) = ((float)At(Deviation, channel), (float)At(Mean, channel));
            foreach (ref var value in sample.Slice(channel * plane, plane)) value = value * scale + shift;
        }
        ApplyColors(sample, plane, ref random);
        for (var channel = 0; isStandardized && channel < shape[0]; channel++)
        {
            var (scale, shift) = ((float)(1 / At(Deviation, channel)), (float)At(Mean, channel));
            foreach (ref var value in sample.Slice(channel * plane, plane)) value = (value - shift) * scale;
        }
    }

    /// <summary>Changes values from 0 to 1.</summary>
    /// <param name="sample">One plane per channel: 1 or 3.</param>
    /// <param name="plane">The number of pixels.</param>
    /// <param name="random">Random numbers for this sample, transform and epoch.</param>
    protected abstract void ApplyColors(Span<float> sample, int plane, ref SampleRandom random);

    /// <summary>The luma of ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B; of a gray image, its value.</summary>
    /// <param name="sample">One plane per channel: 1 or 3.</param>
    /// <param name="plane">The number of pixels.</param>
    /// <param name="pixel">Which of them.</param>
    /// <returns>The luma of that pixel, from 0 to 1.</returns>
    protected static float Luma(ReadOnlySpan<float> sample, int plane, int pixel) => sample.Length == plane
        ? sample[pixel]
        : 0.299f * sample[pixel] + 0.587f * sample[plane + pixel] + 0.114f * sample[2 * plane + pixel];

    private static double At(IReadOnlyList<double> values, int channel) => values[values.Count == 1 ? 0 : channel];
}
