using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>How an <see cref="ImageFolder"/> reads images; what is left out has its default.</summary>
public sealed record ImageFolderOptions
{
    /// <summary>The rows and columns of the inputs; null: those of the images, which must all have the same.</summary>
    public (int Height, int Width)? Size { get; init; }

    /// <summary>1 for gray, 3 for color; null: color if any image has color.</summary>
    public int? Channels { get; init; }

    /// <summary>What becomes of images of another shape than that of <see cref="Size"/>.</summary>
    public ImageFit Fit { get; init; } = ImageFit.Stretch;

    /// <summary>How values are found between pixels where images are resized; masks take the nearest pixel.</summary>
    public Interpolation Interpolation { get; init; } = Interpolation.Bilinear;

    /// <summary>
    /// The most bytes of resized images to keep in memory, so that later epochs need not decode again; 0 for none; by
    /// default 512 MiB. What comes out does not depend on it.
    /// </summary>
    public long CacheBytes { get; init; } = 512L << 20;

    /// <summary>
    /// The most pixels that an image may have; by default 89,478,485 (see <see cref="ImageReadOptions.MaxPixels"/>).
    /// </summary>
    public long MaxPixels { get; init; } = new ImageReadOptions().MaxPixels;

    /// <summary>The number of images that are decoded at once; by default the number of processors.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// The names of the classes of masks, by number. Null: the lines of <c>classes.txt</c> beside the folders
    /// <c>images</c> and <c>masks</c>; without that file, the numbers that are found.
    /// </summary>
    public IReadOnlyList<string>? MaskClasses { get; init; }

    /// <summary>The number in masks that stands for "ignored"; 255, as usual, by default; null for none.</summary>
    public int? IgnoredMaskValue { get; init; } = 255;

    internal void Check()
    {
        if (Channels is not (null or 1 or 3))
            throw new AdjointException($"ImageFolder: channels must be 1 (gray) or 3 (color): found {Channels}");
        if (CacheBytes < 0)
            throw new AdjointException($"ImageFolder: CacheBytes must not be negative: found {CacheBytes}");
        if (MaxPixels < 1) throw new AdjointException($"ImageFolder: MaxPixels must be positive: found {MaxPixels}");
        if (Threads < 1) throw new AdjointException($"ImageFolder: Threads must be positive: found {Threads}");
    }
}
