namespace Adjoint.Formats;

/// <summary>How <see cref="ImageFile"/> reads an image; what is left out has its default.</summary>
public sealed record ImageReadOptions
{
    /// <summary>
    /// 1 for gray (luma of ITU-R 601-2: 0.299 R + 0.587 G + 0.114 B), 3 for color (gray is repeated); null, the
    /// default, for what the file has.
    /// </summary>
    public int? Channels { get; init; }

    /// <summary>
    /// <see cref="DType.UInt8"/>, the default: 0 to 255, 16-bit samples rounded. <see cref="DType.Float32"/>: 0 to 1,
    /// with all 16 bits.
    /// </summary>
    public DType DType { get; init; } = DType.UInt8;

    /// <summary>What lies behind transparent pixels, from 0 (black) to 1 (white, the default).</summary>
    public double Background { get; init; } = 1;

    /// <summary>
    /// The most pixels that an image may have: one with more is refused by its header, before memory is taken. By
    /// default 89,478,485, a quarter of a GiB of colors.
    /// </summary>
    public long MaxPixels { get; init; } = (1L << 30) / 4 / 3;

    internal void Check()
    {
        if (Channels is not (null or 1 or 3))
            throw new AdjointException($"ImageFile: channels must be 1 (gray) or 3 (color): found {Channels}");
        if (DType != DType.UInt8 && DType != DType.Float32)
            throw new AdjointException($"ImageFile: images are read as uint8 or float32: found {DType}");
        if (!(Background is >= 0 and <= 1))
            throw new AdjointException($"ImageFile: the background must be from 0 to 1: found {Background}");
        if (MaxPixels < 1)
            throw new AdjointException($"ImageFile: MaxPixels must be positive: found {MaxPixels}");
    }
}
