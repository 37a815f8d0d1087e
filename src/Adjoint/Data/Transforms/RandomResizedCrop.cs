namespace Adjoint.Data;

/// <summary>
/// Crops an image to a window of random area, shape and place, and resizes it (Szegedy et al. 2015). Ten windows are
/// tried; where none is inside, the largest one in the middle whose shape is allowed is taken, as torchvision does.
/// </summary>
public sealed class RandomResizedCrop : Transform, IGeometricTransform
{
    /// <summary>The rows and columns of the result; null, the default, for those of the image.</summary>
    public (int Height, int Width)? Size { get; init; }

    /// <summary>The share of the image's area that the window has, from least to most, in (0, 1].</summary>
    public (double Least, double Most) Scale { get; init; } = (0.08, 1);

    /// <summary>The width over the height of the window, from least to most.</summary>
    public (double Least, double Most) Ratio { get; init; } = (3.0 / 4, 4.0 / 3);

    /// <summary>How values are found between pixels.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Bilinear;

    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample)
    {
        if (!(Scale.Least > 0 && Scale.Least <= Scale.Most && Scale.Most <= 1))
            throw new AdjointException(
                $"RandomResizedCrop: the scale must go up, within (0, 1]: found {Scale.Least} to {Scale.Most}");
        if (!(Ratio.Least > 0 && Ratio.Least <= Ratio.Most && double.IsFinite(Ratio.Most)))
            throw new AdjointException(
                $"RandomResizedCrop: the ratio must go up, and be positive: found {Ratio.Least} to {Ratio.Most}");
        base.OutputShape(sample);
        var (height, width) = Size ?? (sample[1], sample[2]);
        return Resampling.OutputShape("RandomResizedCrop", sample, height, width);
    }

    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<float> source, Shape shape, Span<float> result, ref SampleRandom random)
    {
        var (height, width) = Size ?? (shape[1], shape[2]);
        Resampling.Resize(source, shape[1], shape[2], Draw(shape, ref random), result, height, width, Interpolation);
    }

    /// <inheritdoc/>
    public void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random)
    {
        var (height, width) = Size ?? (shape[1], shape[2]);
        Resampling.SourcePixels(shape[2], Draw(shape, ref random), sources, height, width);
    }

    private PixelWindow Draw(Shape shape, ref SampleRandom random)
    {
        var (height, width) = (shape[1], shape[2]);
        for (var tries = 0; tries < 10; tries++)
            if (PixelWindow.TryDraw(height, width, Scale, Ratio, ref random) is { } window)
                return window;
        var ratio = Math.Clamp((double)width / height, Ratio.Least, Ratio.Most);
        return PixelWindow.Center(height, width, Math.Clamp((int)Math.Round(width / ratio), 1, height),
            Math.Clamp((int)Math.Round(height * ratio), 1, width));
    }
}
