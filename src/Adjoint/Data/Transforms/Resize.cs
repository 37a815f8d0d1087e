namespace Adjoint.Data;

/// <summary>
/// Resizes images, whatever their sides were: with antialiasing where they shrink, as Pillow and torchvision do.
/// </summary>
/// <param name="height">The rows of the result, 1 or more.</param>
/// <param name="width">The columns of the result, 1 or more.</param>
/// <param name="interpolation">How values are found between pixels.</param>
public sealed class Resize(int height, int width, Interpolation interpolation = Interpolation.Bilinear)
    : Transform, IGeometricTransform
{
    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample) =>
        Resampling.OutputShape("Resize", base.OutputShape(sample), height, width);

    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<float> source, Shape shape, Span<float> result, ref SampleRandom random) =>
        Resampling.Resize(source, shape[1], shape[2], new(0, 0, shape[1], shape[2]), result, height, width,
            interpolation);

    /// <inheritdoc/>
    public void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random) =>
        Resampling.SourcePixels(shape[2], new(0, 0, shape[1], shape[2]), sources, height, width);
}
