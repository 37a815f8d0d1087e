namespace Adjoint.Formats;

/// <summary>What the header of an image file says.</summary>
/// <param name="Format">The format, by the contents of the file, whatever its name says.</param>
/// <param name="Width">The number of columns, after the EXIF orientation is applied.</param>
/// <param name="Height">The number of rows, after the EXIF orientation is applied.</param>
/// <param name="Channels">1 for gray, 3 for color.</param>
/// <param name="HasAlpha">Whether pixels can be transparent.</param>
/// <param name="BitDepth">The bits per sample: 1, 2, 4, 8 or 16.</param>
/// <param name="Orientation">The EXIF orientation, 1 to 8; 1 where the file has none.</param>
public sealed record ImageInfo(
    ImageFormat Format, int Width, int Height, int Channels, bool HasAlpha, int BitDepth, int Orientation);
