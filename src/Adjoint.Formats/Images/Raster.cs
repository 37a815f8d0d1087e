using System.Numerics;

namespace Adjoint.Formats;

/// <summary>
/// Pixels as a file has them: samples of 8 or 16 bits, side by side: gray; gray, alpha; red, green, blue; or red,
/// green, blue, alpha.
/// </summary>
/// <typeparam name="T">byte or ushort; the largest value is white.</typeparam>
/// <param name="Width">The number of columns.</param>
/// <param name="Height">The number of rows.</param>
/// <param name="Channels">The number of samples per pixel, 1 to 4.</param>
/// <param name="Samples">The samples, row by row.</param>
internal sealed record Raster<T>(int Width, int Height, int Channels, T[] Samples)
    where T : unmanaged, IBinaryInteger<T>, IMinMaxValue<T>
{
    private static readonly long White = long.CreateTruncating(T.MaxValue);

    /// <summary>Turns the pixels as an EXIF orientation asks.</summary>
    internal Raster<T> Oriented(int orientation)
    {
        if (orientation == 1) return this;
        // Where the first pixel of the result lies, and how far the next ones in its row and its column are.
        var isTurned = orientation >= 5;
        var (width, height) = isTurned ? (Height, Width) : (Width, Height);
        var (isLast, isBottom) = (orientation is 2 or 3 or 7 or 8, orientation is 3 or 4 or 6 or 7);
        var first = (isBottom ? Height - 1 : 0) * Width + (isLast ? Width - 1 : 0);
        var (alongRow, alongColumn) = (isLast ? -1 : 1, isBottom ? -Width : Width);
        var (right, down) = isTurned ? (alongColumn, alongRow) : (alongRow, alongColumn);
        var result = new T[Samples.Length];
        for (int y = 0, at = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var from = (first + y * down + x * right) * Channels;
                for (var c = 0; c < Channels; c++) result[at++] = Samples[from + c];
            }
        return new(width, height, Channels, result);
    }

    /// <summary>
    /// Planes of gray or of color: alpha is composited on a gray background, gray repeated, color weighted to luma.
    /// </summary>
    internal T[] Planes(int channels, double background)
    {
        var pixels = Width * Height;
        var behind = (long)Math.Round(background * White);
        var result = new T[(long)pixels * channels];
        var (hasColor, hasAlpha) = (Channels >= 3, Channels is 2 or 4);
        for (int i = 0, at = 0; i < pixels; i++, at += Channels)
        {
            if (channels == 1 && Channels == 1)
            {
                result[i] = Samples[at];
                continue;
            }
            var red = long.CreateTruncating(Samples[at]);
            var green = hasColor ? long.CreateTruncating(Samples[at + 1]) : red;
            var blue = hasColor ? long.CreateTruncating(Samples[at + 2]) : red;
            if (hasAlpha)
            {
                var alpha = long.CreateTruncating(Samples[at + Channels - 1]);
                red = Over(red, alpha, behind);
                green = Over(green, alpha, behind);
                blue = Over(blue, alpha, behind);
            }
            if (channels == 1)
            {
                // The weights in 1/65536, as Pillow has them: gray stays what it is.
                result[i] = T.CreateTruncating((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
                continue;
            }
            result[i] = T.CreateTruncating(red);
            result[pixels + i] = T.CreateTruncating(green);
            result[2 * pixels + i] = T.CreateTruncating(blue);
        }
        return result;
    }

    private static long Over(long value, long alpha, long behind) =>
        (value * alpha + behind * (White - alpha) + White / 2) / White;
}
