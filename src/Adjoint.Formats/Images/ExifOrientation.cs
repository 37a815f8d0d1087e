using System.Buffers.Binary;

namespace Adjoint.Formats;

/// <summary>The orientation in EXIF data: tag 0x0112 of the first directory of a TIFF structure.</summary>
internal static class ExifOrientation
{
    private const int Tag = 0x0112;

    /// <summary>Reads the orientation.</summary>
    /// <param name="tiff">The structure, from its byte order mark on.</param>
    /// <returns>1 to 8; 1 where there is none, or where it is damaged: then the pixels stay as they are.</returns>
    internal static int Read(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8) return 1;
        bool isLittle;
        if (tiff[..4].SequenceEqual("II*\0"u8)) isLittle = true;
        else if (tiff[..4].SequenceEqual("MM\0*"u8)) isLittle = false;
        else return 1;
        var directory = isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(tiff[4..])
            : BinaryPrimitives.ReadUInt32BigEndian(tiff[4..]);
        if (directory > tiff.Length - 2) return 1;
        var entries = tiff[((int)directory + 2)..];
        for (var left = Short(tiff[(int)directory..], isLittle); left > 0 && entries.Length >= 12; left--)
        {
            if (Short(entries, isLittle) == Tag)
                return Short(entries[8..], isLittle) is >= 1 and <= 8 and var orientation ? orientation : 1;
            entries = entries[12..];
        }
        return 1;
    }

    private static int Short(ReadOnlySpan<byte> bytes, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : BinaryPrimitives.ReadUInt16BigEndian(bytes);
}
