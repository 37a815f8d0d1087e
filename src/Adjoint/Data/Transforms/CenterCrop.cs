namespace Adjoint.Data;

/// <summary>Crops images to their middle.</summary>
/// <param name="height">The rows of the result, 1 to those of the image.</param>
/// <param name="width">The columns of the result, 1 to those of the image.</param>
public sealed class CenterCrop(int height, int width) : Transform, IGeometricTransform
{
    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample)
    {
        var result = Resampling.OutputShape("CenterCrop", base.OutputShape(sample), height, width);
        return height <= sample[1] && width <= sample[2]
            ? result
            : throw new AdjointException(
                $"CenterCrop: the window must not be larger than the image: found {height}×{width} for {sample}; "
                + "resize the images first");
    }

    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<float> source, Shape shape, Span<float> result, ref SampleRandom random) =>
        Resampling.Resize(source, shape[1], shape[2], Window(shape), result, height, width, Interpolation.Nearest);

    /// <inheritdoc/>
    public void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random) =>
        Resampling.SourcePixels(shape[2], Window(shape), sources, height, width);

    private PixelWindow Window(Shape shape) => PixelWindow.Center(shape[1], shape[2], height, width);
}
