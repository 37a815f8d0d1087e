using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text;

namespace Adjoint.IO;

/// <summary>
/// Writes a zip archive of entries that are stored as they are, each at a multiple of 64 bytes, so that it can be
/// mapped into memory. The same entries give the same bytes.
/// </summary>
/// <param name="stream">Where the archive is written, from its present position.</param>
internal sealed class ZipWriter(Stream stream)
{
    /// <summary>At a multiple of how many bytes an entry begins.</summary>
    internal const int Alignment = 64;

    private const int LocalLength = 30, HeaderLength = 46, EndLength = 22, LocatorLength = 20, End64Length = 56;
    private const ushort Version = 20, Version64 = 45;
    // 1980-01-01, where the format begins.
    private const ushort Date = 0x21;
    // What PyTorch has for its padding.
    private const ushort PaddingId = 0x4246;

    private readonly MemoryStream directory = new();
    private long at = stream.Position;
    private long count;

    /// <summary>Appends an entry.</summary>
    /// <param name="name">Its name, in ASCII.</param>
    /// <param name="bytes">What is in it.</param>
    internal void Add(string name, ReadOnlySpan<byte> bytes)
    {
        var begin = at + LocalLength + name.Length + 4;
        var padding = (int)((Alignment - begin % Alignment) % Alignment);
        var checksum = Crc32.HashToUInt32(bytes);
        var header = new byte[LocalLength + name.Length + 4 + padding];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x04034b50);
        WriteEntry(header.AsSpan(4), Version, checksum, bytes.Length, name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(28), (ushort)(4 + padding));
        Encoding.ASCII.GetBytes(name, header.AsSpan(LocalLength));
        var extra = header.AsSpan(LocalLength + name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(extra, PaddingId);
        BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], (ushort)padding);
        AddToDirectory(name, checksum, bytes.Length);
        stream.Write(header);
        stream.Write(bytes);
        at += header.Length + bytes.Length;
    }

    /// <summary>Writes the directory.</summary>
    internal void Finish()
    {
        directory.WriteTo(stream);
        if (count >= ushort.MaxValue || at > uint.MaxValue - directory.Length) WriteEnd64();
        var end = new byte[EndLength];
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(8), (ushort)Math.Min(count, ushort.MaxValue));
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(10), (ushort)Math.Min(count, ushort.MaxValue));
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(12), (uint)directory.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(16), (uint)Math.Min(at, uint.MaxValue));
        stream.Write(end);
    }

    private void AddToDirectory(string name, uint checksum, int length)
    {
        // Only where it begins may not fit: an entry is no longer than a tensor.
        var isFar = at >= uint.MaxValue;
        var header = new byte[HeaderLength + name.Length + (isFar ? 12 : 0)];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x02014b50);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(4), isFar ? Version64 : Version);
        WriteEntry(header.AsSpan(6), isFar ? Version64 : Version, checksum, length, name.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(30), (ushort)(isFar ? 12 : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(42), (uint)Math.Min(at, uint.MaxValue));
        Encoding.ASCII.GetBytes(name, header.AsSpan(HeaderLength));
        if (isFar)
        {
            var extra = header.AsSpan(HeaderLength + name.Length);
            BinaryPrimitives.WriteUInt16LittleEndian(extra, 1);
            BinaryPrimitives.WriteUInt16LittleEndian(extra[2..], 8);
            BinaryPrimitives.WriteInt64LittleEndian(extra[4..], at);
        }
        directory.Write(header);
        count++;
    }

    // What both headers of an entry have, 26 bytes: no flags, stored, its date, its checksum and sizes.
    private static void WriteEntry(Span<byte> header, ushort version, uint checksum, int length, int nameLength)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(header, version);
        BinaryPrimitives.WriteUInt16LittleEndian(header[8..], Date);
        BinaryPrimitives.WriteUInt32LittleEndian(header[10..], checksum);
        BinaryPrimitives.WriteInt32LittleEndian(header[14..], length);
        BinaryPrimitives.WriteInt32LittleEndian(header[18..], length);
        BinaryPrimitives.WriteUInt16LittleEndian(header[22..], (ushort)nameLength);
    }

    private void WriteEnd64()
    {
        var record = new byte[End64Length + LocatorLength];
        BinaryPrimitives.WriteUInt32LittleEndian(record, 0x06064b50);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(4), End64Length - 12);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(12), Version64);
        BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(14), Version64);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(24), count);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(32), count);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(40), directory.Length);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(48), at);
        var locator = record.AsSpan(End64Length);
        BinaryPrimitives.WriteUInt32LittleEndian(locator, 0x07064b50);
        BinaryPrimitives.WriteInt64LittleEndian(locator[8..], at + directory.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(locator[16..], 1);
        stream.Write(record);
    }
}
