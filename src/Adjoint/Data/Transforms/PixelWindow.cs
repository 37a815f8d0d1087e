namespace Adjoint.Data;

/// <summary>A rectangle of an image's pixels.</summary>
/// <param name="Top">The first row.</param>
/// <param name="Left">The first column.</param>
/// <param name="Height">The number of rows.</param>
/// <param name="Width">The number of columns.</param>
internal readonly record struct PixelWindow(int Top, int Left, int Height, int Width)
{
    /// <summary>The largest window of a shape in the middle of an image; odd remainders go to the right and below.</summary>
    internal static PixelWindow Center(int height, int width, int windowHeight, int windowWidth) =>
        new((height - windowHeight) / 2, (width - windowWidth) / 2, windowHeight, windowWidth);
}
