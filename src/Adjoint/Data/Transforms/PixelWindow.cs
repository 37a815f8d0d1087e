namespace Adjoint.Data;

/// <summary>A rectangle of an image's pixels.</summary>
/// <param name="Top">The first row.</param>
/// <param name="Left">The first column.</param>
/// <param name="Height">The number of rows.</param>
/// <param name="Width">The number of columns.</param>
internal readonly record struct PixelWindow(int Top, int Left, int Height, int Width)
{
    /// <summary>A window in the middle of an image; of an odd remainder, more lies to the right and below.</summary>
    internal static PixelWindow Center(int height, int width, int windowHeight, int windowWidth) =>
        new((height - windowHeight) / 2, (width - windowWidth) / 2, windowHeight, windowWidth);

    /// <summary>
    /// Draws a window: its share of the image's area uniformly, its width over its height uniformly in logarithms, its
    /// place uniformly among those inside.
    /// </summary>
    /// <returns>The window; null where it would not fit.</returns>
    internal static PixelWindow? TryDraw(int height, int width, (double Least, double Most) scale,
        (double Least, double Most) ratio, ref SampleRandom random)
    {
        var area = (double)height * width * random.Uniform(scale.Least, scale.Most);
        var aspect = Math.Exp(random.Uniform(Math.Log(ratio.Least), Math.Log(ratio.Most)));
        var (rows, columns) = (Math.Round(Math.Sqrt(area / aspect)), Math.Round(Math.Sqrt(area * aspect)));
        if (!(rows >= 1 && rows <= height && columns >= 1 && columns <= width)) return null;
        return new(random.Next(height - (int)rows + 1), random.Next(width - (int)columns + 1), (int)rows,
            (int)columns);
    }
}
