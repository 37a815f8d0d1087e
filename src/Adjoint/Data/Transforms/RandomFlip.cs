namespace Adjoint.Data;

/// <summary>Mirrors an image left to right, with probability ½.</summary>
public sealed class RandomFlip : InPlaceTransform
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
}
