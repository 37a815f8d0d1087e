using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace Adjoint.Shared;

/// <summary>Pixels as a PNG file (ISO/IEC 15948), 8 bits a channel, without filters.</summary>
internal static class PngImage
{
    /// <summary>The file as a <c>data:</c> address, for a page that must stand alone.</summary>
    internal static string ToDataUri(int width, int height, ReadOnlySpan<byte> rgb) =>
        "data:image/png;base64," + Convert.ToBase64String(Encode(width, height, 3, rgb));

    /// <summary>The file, from rows of pixels: each is red, green, blue, or a gray value.</summary>
    internal static byte[] Encode(int width, int height, int channels, ReadOnlySpan<byte> pixels)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        // Bits of a channel; color or gray, without transparency. Compression, filter and interlace have one usual
        // value: 0.
        (header[8], header[9]) = (8, (byte)(channels == 3 ? 2 : 0));
        Chunk(file, "IHDR", header);
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Optimal, leaveOpen: true))
            for (var row = 0; row < height; row++)
            {
                zlib.WriteByte(0);
                zlib.Write(pixels.Slice(row * width * channels, width * channels));
            }
        Chunk(file, "IDAT", packed.ToArray());
        Chunk(file, "IEND", []);
        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, string name, byte[] data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        byte[] content = [.. Encoding.ASCII.GetBytes(name), .. data];
        file.Write(content);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.HashToUInt32(content));
        file.Write(number);
    }
}
