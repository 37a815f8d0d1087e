namespace Adjoint.Data;

/// <summary>
/// Overwrites a random rectangle of an image (Zhong et al. 2020). Ten rectangles are tried; where none is inside,
/// nothing happens.
/// </summary>
/// <param name="probability">How often, from 0 to 1; ½ by default.</param>
public sealed class RandomErasing(double probability = 0.5) : InPlaceTransform
{
    /// <summary>The share of the image's area that the rectangle has, from least to most, in (0, 1].</summary>
    public (double Least, double Most) Scale { get; init; } = (0.02, 0.33);

    /// <summary>The width over the height of the rectangle, from least to most.</summary>
    public (double Least, double Most) Ratio { get; init; } = (0.3, 3.3);

    /// <summary>What is written there; null for normal noise of mean 0 and variance 1; 0 by default.</summary>
    public float? Value { get; init; } = 0;

    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample)
    {
        if (!(probability is >= 0 and <= 1))
            throw new AdjointException($"RandomErasing: the probability must be from 0 to 1: found {probability}");
        if (!(Scale.Least > 0 && Scale.Least <= Scale.Most && Scale.Most <= 1))
            throw new AdjointException(
                $"RandomErasing: the scale must go up, within (0, 1]: found {Scale.Least} to {Scale.Most}");
        if (!(Ratio.Least > 0 && Ratio.Least <= Ratio.Most && double.IsFinite(Ratio.Most)))
            throw new AdjointException(
                $"RandomErasing: the ratio must go up, and be positive: found {Ratio.Least} to {Ratio.Most}");
        return base.OutputShape(sample);
    }

    /// <inheritdoc/>
    public override void Apply(Span<float> sample, Shape shape, ref SampleRandom random)
    {
        if (random.Uniform() >= probability) return;
        var (height, width) = (shape[1], shape[2]);
        for (var tries = 0; tries < 10; tries++)
        {
            if (PixelWindow.TryDraw(height, width, Scale, Ratio, ref random) is not { } window
                || window.Height == height || window.Width == width)
                continue;
            for (var row = 0; row < shape[0] * height; row++)
            {
                if (row % height < window.Top || row % height >= window.Top + window.Height) continue;
                foreach (ref var value in sample.Slice(row * width + window.Left, window.Width))
                    value = Value ?? (float)random.Normal();
            }
            return;
        }
    }
}
