namespace Adjoint.Data;

/// <summary>
/// Changes brightness, contrast, saturation and hue of an image, each by a random amount, in random order, as
/// torchvision does. Saturation and hue leave gray images as they are. Results are cut to 0 … 1.
/// </summary>
/// <param name="brightness">The factor is within 1 ± this, and 0 or more; 0 for none.</param>
/// <param name="contrast">The factor about the mean luma is within 1 ± this, and 0 or more; 0 for none.</param>
/// <param name="saturation">The factor about each pixel's luma is within 1 ± this, and 0 or more; 0 for none.</param>
/// <param name="hue">The most to turn the hue by, in either direction: 0 to ½, where 1 is the whole circle.</param>
public sealed class ColorJitter(double brightness = 0, double contrast = 0, double saturation = 0, double hue = 0)
    : ColorTransform
{
    /// <inheritdoc/>
    public override Shape OutputShape(Shape sample)
    {
        foreach (var (name, value) in ((string, double)[])[("brightness", brightness), ("contrast", contrast),
            ("saturation", saturation)])
            if (!(value >= 0 && double.IsFinite(value)))
                throw new AdjointException($"ColorJitter: the {name} must not be negative: found {value}");
        if (!(hue is >= 0 and <= 0.5))
            throw new AdjointException($"ColorJitter: the hue must be from 0 to 0.5: found {hue}");
        return base.OutputShape(sample);
    }

    /// <inheritdoc/>
    protected override void ApplyColors(Span<float> sample, int plane, ref SampleRandom random)
    {
        Span<int> order = [0, 1, 2, 3];
        for (var i = 3; i > 0; i--)
        {
            var other = random.Next(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        foreach (var which in order)
            switch (which)
            {
                case 0 when brightness > 0: Brighten(sample, Factor(brightness, ref random)); break;
                case 1 when contrast > 0: Contrast(sample, plane, Factor(contrast, ref random)); break;
                case 2 when saturation > 0: Saturate(sample, plane, Factor(saturation, ref random)); break;
                case 3 when hue > 0: TurnHue(sample, plane, (float)random.Uniform(-hue, hue)); break;
            }
    }

    internal static void Brighten(Span<float> sample, float factor)
    {
        foreach (ref var value in sample) value = Math.Clamp(value * factor, 0, 1);
    }

    internal static void Contrast(Span<float> sample, int plane, float factor)
    {
        var sum = 0.0;
        for (var i = 0; i < plane; i++) sum += Luma(sample, plane, i);
        var mean = (float)(sum / plane);
        foreach (ref var value in sample) value = Math.Clamp(mean + (value - mean) * factor, 0, 1);
    }

    internal static void Saturate(Span<float> sample, int plane, float factor)
    {
        if (sample.Length == plane) return;
        for (var i = 0; i < plane; i++)
        {
            var luma = Luma(sample, plane, i);
            for (var at = i; at < sample.Length; at += plane)
                sample[at] = Math.Clamp(luma + (sample[at] - luma) * factor, 0, 1);
        }
    }

    // To hue, saturation and value, and back.
    internal static void TurnHue(Span<float> sample, int plane, float turn)
    {
        if (sample.Length == plane) return;
        for (var i = 0; i < plane; i++)
        {
            var (r, g, b) = (sample[i], sample[plane + i], sample[2 * plane + i]);
            var (most, least) = (Math.Max(r, Math.Max(g, b)), Math.Min(r, Math.Min(g, b)));
            var range = most - least;
            if (range <= 0) continue;
            var hue = most == r ? (g - b) / range : most == g ? 2 + (b - r) / range : 4 + (r - g) / range;
            hue = (hue / 6 + turn) % 1;
            if (hue < 0) hue += 1;
            var sector = (int)(hue * 6) % 6;
            var part = hue * 6 - (int)(hue * 6);
            var (down, up) = (most - range * part, most - range * (1 - part));
            (r, g, b) = sector switch
            {
                0 => (most, up, least),
                1 => (down, most, least),
                2 => (least, most, up),
                3 => (least, down, most),
                4 => (up, least, most),
                _ => (most, least, down),
            };
            (sample[i], sample[plane + i], sample[2 * plane + i]) =
                (Math.Clamp(r, 0, 1), Math.Clamp(g, 0, 1), Math.Clamp(b, 0, 1));
        }
    }

    private static float Factor(double most, ref SampleRandom random) =>
        (float)random.Uniform(Math.Max(0, 1 - most), 1 + most);
}
