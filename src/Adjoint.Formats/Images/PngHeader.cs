using System.Buffers.Binary;
using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>What the IHDR chunk of a PNG says.</summary>
internal readonly record struct PngHeader(int Width, int Height, int Depth, PngColor Color, bool IsInterlaced)
{
    /// <summary>The length of signature and IHDR chunk.</summary>
    internal const int Length = 33;

    internal static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>The number of samples per pixel in the file.</summary>
    internal int Samples => Color switch
    {
        PngColor.Gray or PngColor.Palette => 1,
        PngColor.GrayAlpha => 2,
        PngColor.Rgb => 3,
        _ => 4,
    };

    internal bool HasColor => Color is PngColor.Rgb or PngColor.Palette or PngColor.Rgba;

    /// <summary>The bytes of a row of pixels.</summary>
    internal int RowLength(int width) => (int)(((long)width * Samples * Depth + 7) / 8);

    /// <summary>Reads the header.</summary>
    /// <param name="file">The beginning of the file, 33 bytes or more.</param>
    /// <param name="name">The name of the file, for messages.</param>
    internal static PngHeader Read(ReadOnlySpan<byte> file, string name)
    {
        if (file.Length < Length)
            throw new DataFormatException(name, file.Length, "the end of the file",
                "the header of a PNG; the file is truncated: copy or download it again");
        var length = BinaryPrimitives.ReadUInt32BigEndian(file[8..]);
        if (length != 13 || !file[12..16].SequenceEqual("IHDR"u8))
            throw new DataFormatException(name, 8, $"a chunk {PngReader.ChunkName(file[12..16])} of {length} bytes",
                "the header IHDR of 13");
        PngReader.CheckSum(file[12..29], file[29..], name, 12);
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(file[16..]),
            BinaryPrimitives.ReadUInt32BigEndian(file[20..]));
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue)
            throw new DataFormatException(name, 16, $"{width}×{height} pixels", "1 to 2147483647 columns and rows");
        var (depth, color) = (file[24], (PngColor)file[25]);
        var isAllowed = color switch
        {
            PngColor.Gray => depth is 1 or 2 or 4 or 8 or 16,
            PngColor.Palette => depth is 1 or 2 or 4 or 8,
            PngColor.Rgb or PngColor.GrayAlpha or PngColor.Rgba => depth is 8 or 16,
            _ => false,
        };
        if (!isAllowed)
            throw new DataFormatException(name, 24, $"color type {(int)color} with {depth} bits per sample",
                "one of the combinations of PNG");
        if (file[26] != 0 || file[27] != 0 || file[28] > 1)
            throw new DataFormatException(name, 26, $"compression {file[26]}, filter {file[27]}, interlace {file[28]}",
                "compression 0, filter 0, interlace 0 or 1");
        return new((int)width, (int)height, depth, color, file[28] == 1);
    }
}

/// <summary>The color types of PNG, by their numbers.</summary>
internal enum PngColor
{
    Gray = 0,
    Rgb = 2,
    Palette = 3,
    GrayAlpha = 4,
    Rgba = 6,
}
