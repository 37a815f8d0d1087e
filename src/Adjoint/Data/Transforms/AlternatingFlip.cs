namespace Adjoint.Data;

/// <summary>
/// Mirrors an image left to right in every other epoch, from a random start for each sample: two epochs show both sides
/// of every image (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds", §3.6).
/// </summary>
public sealed class AlternatingFlip : InPlaceTransform, IGeometricTransform
{
    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        if (IsFlipped(random)) RandomFlip.Flip(sample, shape[2]);
    }

    /// <inheritdoc/>
    public void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random) =>
        RandomFlip.SourcePixels(sources, shape[2], IsFlipped(random));

    private static bool IsFlipped(SampleRandom random) => random.SampleCoin() ^ (random.Epoch % 2 == 1);
}
