namespace Adjoint.Data;

/// <summary>
/// A <see cref="Transform"/> that moves pixels. A <see cref="DataLoader"/> moves what lies over the image, pixel by
/// pixel, in the same way: every other field whose last two axes are the image's height and width, such as a mask of
/// classes. Nothing is mixed there: each pixel takes the value of the nearest one; from outside of the image come −100
/// in integers, which losses ignore, and 0 in other types.
/// </summary>
public interface IGeometricTransform
{
    /// <summary>
    /// Says which pixel of the source lies nearest to each pixel of the result. Draws the same random numbers as
    /// <see cref="Transform.Apply"/>.
    /// </summary>
    /// <param name="shape">The shape of the sample, (channels, height, width).</param>
    /// <param name="sources">
    /// For each pixel of the result, row by row: row · width + column in the source; −1 where it lies outside.
    /// </param>
    /// <param name="random">Random numbers for this sample, transform and epoch, as Apply gets them.</param>
    void SourcePixels(Shape shape, Span<int> sources, ref SampleRandom random);
}
