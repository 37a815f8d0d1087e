namespace Adjoint.Data;

/// <summary>Mirrors an image top to bottom, with probability ½.</summary>
public sealed class RandomVerticalFlip : Transform, IGeometricTransform
{
    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<float> source, Shape shape, Span<float> result, ref SampleRandom random)
    {
        var (height, width, isTurned) = (shape[1], shape[2], random.Next(2) == 1);
        for (var row = 0; row < shape[0] * height; row++)
        {
            var from = isTurned ? row - row % height + height - 1 - row % height : row;
            source.Slice(from * width, width).CopyTo(result[(row * width)..]);
        }
    }

    /// <inheritdoc/>
    public void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random)
    {
        var (height, width, isTurned) = (shape[1], shape[2], random.Next(2) == 1);
        for (var i = 0; i < sources.Length; i++)
            sources[i] = isTurned ? (height - 1 - i / width) * width + i % width : i;
    }
}
