namespace Adjoint.Data;

/// <summary>
/// Sets a random square of an image to 0, its center anywhere, cut off at the edges (DeVries and Taylor 2017).
/// </summary>
/// <param name="size">The side of the square, in pixels.</param>
public sealed class Cutout(int size) : InPlaceTransform
{
    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample) => size >= 1
        ? base.OutputShape(sample)
        : throw new AdjointException($"Cutout: the size must be positive: found {size}");

    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        var (height, width) = (shape[1], shape[2]);
        var (top, left) = (random.Next(height) - size / 2, random.Next(width) - size / 2);
        var (firstRow, endRow, first, end) = (Math.Max(0, top), Math.Min(height, top + size), Math.Max(0, left),
            Math.Min(width, left + size));
        for (var channel = 0; channel < shape[0]; channel++)
            for (var y = firstRow; y < endRow; y++)
                sample.Slice((channel * height + y) * width + first, end - first).Clear();
    }
}
