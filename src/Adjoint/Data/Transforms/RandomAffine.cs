namespace Adjoint.Data;

/// <summary>
/// Rotates, shears, enlarges and moves an image about its middle, each by a random amount. The result is interpolated
/// linearly; what comes from outside of the image has the value <see cref="Fill"/>.
/// </summary>
/// <param name="degrees">The most degrees to rotate by, in either direction; 0 for none.</param>
public sealed class RandomAffine(double degrees) : Transform, IGeometricTransform
{
    /// <summary>The most to move by, in either direction, as shares of width and height; none by default.</summary>
    public (double Across, double Down) Translation { get; init; }

    /// <summary>The factor to enlarge by, from least to most; none by default.</summary>
    public (double Least, double Most) Scale { get; init; } = (1, 1);

    /// <summary>The most degrees to shear rows by, in either direction; none by default.</summary>
    public double Shear { get; init; }

    /// <summary>The value of what lies outside; 0 by default.</summary>
    public float Fill { get; init; }

    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample)
    {
        if (!(degrees is >= 0 and <= 180))
            throw new AdjointException($"RandomAffine: the degrees must be from 0 to 180: found {degrees}");
        if (!(Shear is >= 0 and < 90))
            throw new AdjointException($"RandomAffine: the shear must be from 0 to below 90 degrees: found {Shear}");
        if (!(Translation.Across is >= 0 and <= 1 && Translation.Down is >= 0 and <= 1))
            throw new AdjointException("RandomAffine: the translation must be shares from 0 to 1: "
                + $"found {Translation.Across} across and {Translation.Down} down");
        if (!(Scale.Least > 0 && Scale.Least <= Scale.Most && double.IsFinite(Scale.Most)))
            throw new AdjointException(
                $"RandomAffine: the scale must go up, and be positive: found {Scale.Least} to {Scale.Most}");
        return base.OutputShape(sample);
    }

    /// <inheritdoc/>
    public override void Apply(ReadOnlySpan<float> source, Shape shape, Span<float> result, ref SampleRandom random) =>
        Draw(shape, ref random).Apply(source, shape[1], shape[2], result, Fill);

    /// <inheritdoc/>
    public void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random) =>
        Draw(shape, ref random).SourcePixels(shape[1], shape[2], sources);

    private AffineMap Draw(Shape shape, ref SampleRandom random)
    {
        var angle = random.Uniform(-degrees, degrees);
        // Whole pixels: a move alone does not blur.
        var across = Math.Round(random.Uniform(-1, 1) * Translation.Across * shape[2]);
        var down = Math.Round(random.Uniform(-1, 1) * Translation.Down * shape[1]);
        var scale = random.Uniform(Scale.Least, Scale.Most);
        return AffineMap.Of(angle, (across, down), scale, random.Uniform(-Shear, Shear));
    }
}
