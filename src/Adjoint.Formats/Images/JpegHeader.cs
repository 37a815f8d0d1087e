using System.Buffers.Binary;
using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>What the segments of a JPEG before its pixels say.</summary>
/// <param name="Width">The number of columns, as stored.</param>
/// <param name="Height">The number of rows, as stored.</param>
/// <param name="Sampling">The horizontal and vertical sampling factors of each component.</param>
/// <param name="Color">What the components mean.</param>
/// <param name="Orientation">The EXIF orientation.</param>
/// <param name="ScanStart">Where in the file the first scan begins.</param>
/// <param name="HasProgressiveRestarts">Whether it is progressive, with restart markers.</param>
internal sealed record JpegHeader(int Width, int Height, (int Horizontal, int Vertical)[] Sampling, JpegColor Color,
    int Orientation, int ScanStart, bool HasProgressiveRestarts)
{
    private const string Remedy = "; the file is damaged: copy or download it again";

    internal int MaxHorizontal => Sampling.Max(own => own.Horizontal);

    /// <summary>The blocks of 8×8 of the first component, each of which takes one bit or more of the file.</summary>
    internal long Blocks => (((long)Width * Sampling[0].Horizontal / MaxHorizontal + 7) / 8)
        * (((long)Height * Sampling[0].Vertical / MaxVertical + 7) / 8);

    internal int MaxVertical => Sampling.Max(own => own.Vertical);

    /// <summary>Reads the segments up to the pixels.</summary>
    /// <param name="file">The file, or its beginning.</param>
    /// <param name="name">The name of the file, for messages.</param>
    /// <param name="isWhole">Whether the file ends there.</param>
    /// <returns>The header; null if the file goes on, and the header too.</returns>
    internal static JpegHeader? Read(ReadOnlySpan<byte> file, string name, bool isWhole)
    {
        var (orientation, isJfif, adobe, isProgressive, hasRestarts) = (1, false, -1, false, false);
        (int Width, int Height, byte[] Ids, (int, int)[] Sampling)? frame = null;
        for (var at = 2; ;)
        {
            // Any number of 0xFF may stand before the marker's number.
            while (at + 1 < file.Length && file[at] == 0xFF && file[at + 1] == 0xFF) at++;
            if (at + 4 > file.Length) return isWhole ? throw Truncated(name, file.Length) : null;
            if (file[at] != 0xFF)
                throw new DataFormatException(name, at, $"0x{file[at]:X2}", "a marker (0xFF)" + Remedy);
            var marker = file[at + 1];
            // TEM and RST stand alone.
            if (marker is 0x01 or >= 0xD0 and <= 0xD7)
            {
                at += 2;
                continue;
            }
            if (marker is 0xD9) throw new DataFormatException(name, at, "the end marker", "pixels" + Remedy);
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (length < 2)
                throw new DataFormatException(name, at + 2, $"a segment of {length} bytes", "2 or more" + Remedy);
            if (at + 2 + length > file.Length) return isWhole ? throw Truncated(name, file.Length) : null;
            var data = file.Slice(at + 4, length - 2);
            switch (marker)
            {
                case 0xE0 when data.StartsWith("JFIF\0"u8): isJfif = true; break;
                case 0xE1 when data.StartsWith("Exif\0\0"u8): orientation = ExifOrientation.Read(data[6..]); break;
                case 0xDD when data.Length == 2: hasRestarts = data[0] != 0 || data[1] != 0; break;
                case 0xEE when data.StartsWith("Adobe"u8) && data.Length >= 12: adobe = data[11]; break;
                case >= 0xC0 and <= 0xCF and not 0xC4 and not 0xC8 and not 0xCC:
                    if (frame is not null)
                        throw new DataFormatException(name, at, "a second frame header", "one" + Remedy);
                    frame = Frame(data, marker, name, at);
                    isProgressive = marker == 0xC2;
                    break;
                case 0xDA:
                    var (width, height, ids, sampling) = frame
                        ?? throw new DataFormatException(name, at, "pixels", "the frame header before them" + Remedy);
                    return new(width, height, sampling, ColorOf(ids, isJfif, adobe), orientation, at,
                        isProgressive && hasRestarts);
            }
            at += 2 + length;
        }
    }

    private static (int, int, byte[], (int, int)[]) Frame(ReadOnlySpan<byte> data, byte marker, string name, int at)
    {
        if (marker is not (0xC0 or 0xC1 or 0xC2))
            throw new DataFormatException(name, at, $"a JPEG of kind SOF{marker - 0xC0} (lossless, hierarchical or "
                + "arithmetic-coded)", "a baseline or progressive one; save it anew with another program");
        if (data.Length < 6 || data.Length != 6 + 3 * data[5])
            throw new DataFormatException(name, at, $"a frame header of {data.Length} bytes",
                "6, and 3 for each component" + Remedy);
        var (height, width) = (BinaryPrimitives.ReadUInt16BigEndian(data[1..]),
            BinaryPrimitives.ReadUInt16BigEndian(data[3..]));
        if (data[0] != 8)
            throw new DataFormatException(name, at, $"{data[0]} bits per sample", "8; save the image anew, as an "
                + "ordinary JPEG or as a PNG of 16 bits");
        if (width == 0 || height == 0)
            throw new DataFormatException(name, at, $"{width}×{height} pixels", "1 or more columns and rows" + Remedy);
        if (data[5] is not (1 or 3 or 4))
            throw new DataFormatException(name, at, $"{data[5]} components",
                "1 (gray), 3 (color) or 4 (CMYK)" + Remedy);
        var (ids, sampling) = (new byte[data[5]], new (int Horizontal, int Vertical)[data[5]]);
        for (var i = 0; i < ids.Length; i++)
            (ids[i], sampling[i]) = (data[6 + 3 * i], (data[7 + 3 * i] >> 4, data[7 + 3 * i] & 15));
        // A component alone is not interleaved: its factors mean nothing.
        if (ids.Length == 1) sampling[0] = (1, 1);
        foreach (var (horizontal, vertical) in sampling)
            if (horizontal is < 1 or > 4 || vertical is < 1 or > 4
                || sampling.Max(other => other.Horizontal) % horizontal != 0
                || sampling.Max(other => other.Vertical) % vertical != 0)
                throw new DataFormatException(name, at, $"sampling factors {horizontal}×{vertical}",
                    "1 to 4, and divisors of the largest; save the image anew with another program");
        return (width, height, ids, sampling);
    }

    // As libjpeg decides it.
    private static JpegColor ColorOf(byte[] ids, bool isJfif, int adobe) => ids.Length switch
    {
        1 => JpegColor.Gray,
        4 => adobe == 2 ? JpegColor.Ycck : JpegColor.Cmyk,
        _ when isJfif => JpegColor.YCbCr,
        _ when adobe >= 0 => adobe == 0 ? JpegColor.Rgb : JpegColor.YCbCr,
        _ => ids is [(byte)'R', (byte)'G', (byte)'B'] ? JpegColor.Rgb : JpegColor.YCbCr,
    };

    internal static DataFormatException Truncated(string name, int length) =>
        new(name, length, "the end of the file", "the rest of the image; the file is truncated: copy or download it "
            + "again");
}

/// <summary>What the components of a JPEG mean.</summary>
internal enum JpegColor
{
    Gray,
    YCbCr,
    Rgb,

    /// <summary>Ink, stored inverted as Adobe's programs do: 255 is none.</summary>
    Cmyk,

    /// <summary>As CMYK, with the inverse of the three colors as YCbCr.</summary>
    Ycck,
}
