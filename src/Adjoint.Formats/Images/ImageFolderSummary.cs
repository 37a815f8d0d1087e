namespace Adjoint.Formats;

/// <summary>What an image folder holds, from the names and headers of its files.</summary>
/// <param name="Layout">How the labels are given.</param>
/// <param name="Count">The number of images.</param>
/// <param name="Classes">The classes by name, with the number of images of each; of masks, 0.</param>
/// <param name="Smallest">The size with the fewest pixels.</param>
/// <param name="Largest">The size with the most pixels.</param>
/// <param name="HasOneSize">Whether all images have the same height and width.</param>
/// <param name="ColorCount">The number of images that have color; the others are gray.</param>
/// <param name="Skipped">
/// What was not read: endings of files, such as <c>.txt</c>, or "hidden", with the number of each.
/// </param>
public sealed record ImageFolderSummary(
    ImageLabels Layout, int Count, IReadOnlyList<(string Name, int Count)> Classes, (int Height, int Width) Smallest,
    (int Height, int Width) Largest, bool HasOneSize, int ColorCount,
    IReadOnlyList<(string Kind, int Count)> Skipped);

/// <summary>How the labels of images are given.</summary>
public enum ImageLabels
{
    /// <summary>A folder for each class.</summary>
    Folders,

    /// <summary>A CSV file with file names and labels.</summary>
    Csv,

    /// <summary>A mask for each image: folders <c>images</c> and <c>masks</c>.</summary>
    Masks,
}
