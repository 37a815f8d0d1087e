namespace Adjoint.Data;

/// <summary>Mirrors an image left to right, with probability ½.</summary>
public sealed class RandomFlip : InPlaceTransform, IGeometricTransform
{
    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        if (random.Next(2) == 1) Flip(sample, shape[2]);
    }

    internal static void Flip(Span<float> sample, int width)
    {
        for (var at = 0; at < sample.Length; at += width) sample.Slice(at, width).Reverse();
    }

    /// <inheritdoc/>
    public void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random) =>
        SourcePixels(sources, shape[2], random.Next(2) == 1);

    internal static void SourcePixels(Span<int> sources, int width, bool isFlipped)
    {
        for (var i = 0; i < sources.Length; i++)
            sources[i] = isFlipped ? i - i % width + width - 1 - i % width : i;
    }
}
