using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Adjoint.Data;
using Microsoft.Win32.SafeHandles;

namespace Adjoint.IO;

/// <summary>
/// The directory of a zip archive, stored or deflated, with the extension for long files (ZIP64): where each entry
/// lies, so that a part of one can be read alone. Archives are untrusted: entries that share bytes, have one name, are
/// encrypted, or unpack to more than Deflate can have packed are refused before anything of them is read.
/// </summary>
internal sealed class ZipDirectory
{
    /// <summary>How many bytes an archive may unpack to, unless the caller says more: 4 GiB.</summary>
    internal const long MaxBytes = 1L << 32;

    private const int EndLength = 22, LocatorLength = 20, End64Length = 56, HeaderLength = 46, LocalLength = 30;
    private const int MostComment = ushort.MaxValue;
    private const int MostDirectory = 1 << 28;
    // Deflate cannot shrink by more than 1032 to 1.
    private const long MaxExpansion = 1032;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly SafeFileHandle file;
    private readonly string path;
    private readonly string expected;

    private ZipDirectory(SafeFileHandle file, string path, string expected) =>
        (this.file, this.path, this.expected) = (file, path, expected);

    /// <summary>In the order of the directory.</summary>
    internal IReadOnlyList<ZipEntry> Entries { get; private set; } = [];

    /// <summary>Reads the directory of an archive.</summary>
    /// <param name="file">The open file, which has to stay open as long as entries are read.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="expected">What the archive should be, for messages.</param>
    /// <exception cref="DataFormatException">It is no archive, is damaged, or is made to deceive.</exception>
    internal static ZipDirectory Read(SafeFileHandle file, string path, string expected)
    {
        var zip = new ZipDirectory(file, path, expected);
        var (at, size, count, end) = zip.FindDirectory(RandomAccess.GetLength(file));
        if (size > MostDirectory || (Int128)at + size > end || (Int128)count * HeaderLength > size || at < 0)
            throw zip.Broken(end, $"a directory of {count} entries in {size} bytes at {at}");
        zip.Entries = zip.ReadDirectory(zip.ReadAt(at, (int)size), at, count);
        zip.Bound(at);
        return zip;
    }

    /// <summary>An entry within its archive, for messages.</summary>
    internal string PlaceOf(ZipEntry entry) => $"{path}({DataFormatException.Abbreviate(entry.Name)})";

    /// <summary>Opens an entry; whoever reads it to its end has its checksum checked.</summary>
    /// <exception cref="DataFormatException">Its local header is not that of the directory.</exception>
    internal Stream Open(ZipEntry entry)
    {
        var range = new FileRange(file, OffsetOf(entry), entry.Packed);
        return new ZipEntryStream(
            entry.IsDeflated ? new DeflateStream(range, CompressionMode.Decompress) : range, entry, PlaceOf(entry));
    }

    /// <summary>Reads an entry whole, and checks its checksum.</summary>
    internal byte[] ReadAll(ZipEntry entry, int most)
    {
        if (entry.Length > most)
            throw new DataFormatException(PlaceOf(entry), 0, $"{entry.Length} bytes", $"at most {most}");
        using var content = Open(entry);
        var bytes = new byte[entry.Length];
        content.ReadExactly(bytes);
        // Where it has none, this is what looks at the checksum.
        if (bytes.Length == 0) content.ReadByte();
        return bytes;
    }

    /// <summary>Reads a part of an entry that is stored as it is.</summary>
    internal void ReadStored(ZipEntry entry, long begin, Span<byte> bytes)
    {
        using var range = new FileRange(file, OffsetOf(entry) + begin, bytes.Length);
        range.ReadExactly(bytes);
    }

    /// <summary>Where the bytes of an entry begin in the archive; as they are, if it is stored.</summary>
    /// <exception cref="DataFormatException">Its local header is not that of the directory.</exception>
    internal long OffsetOf(ZipEntry entry)
    {
        if (entry.Limit - entry.Header < LocalLength)
            throw Broken(entry.Header, $"the header of {entry.Name}, which overlaps what comes next");
        var header = ReadAt(entry.Header, LocalLength);
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != 0x04034b50)
            throw Broken(entry.Header, $"no header of {entry.Name}");
        int nameLength = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(26)),
            extra = BinaryPrimitives.ReadUInt16LittleEndian(header.AsSpan(28));
        var offset = entry.Header + LocalLength + nameLength + extra;
        if (offset + entry.Packed > entry.Limit)
            throw Broken(entry.Header, $"{entry.Packed} bytes of {entry.Name}, which overlap what comes next");
        if (Decode(ReadAt(entry.Header + LocalLength, nameLength)) != entry.Name)
            throw Broken(entry.Header, $"the header of another entry than {entry.Name}");
        return offset;
    }

    private (long At, long Size, long Count, long End) FindDirectory(long length)
    {
        var tail = (int)Math.Min(length, EndLength + MostComment);
        var bytes = ReadAt(length - tail, tail);
        var place = tail - EndLength;
        while (place >= 0 && !(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(place)) == 0x06054b50
            && BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(place + 20)) == tail - place - EndLength))
            place--;
        if (place < 0) throw Broken(length, "no directory at the end: it was cut short, or is no archive");
        var record = bytes.AsSpan(place);
        var end = length - tail + place;
        if (BinaryPrimitives.ReadUInt32LittleEndian(record[4..]) != 0)
            throw Broken(end, "one part of several");
        long count = BinaryPrimitives.ReadUInt16LittleEndian(record[10..]),
            size = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]),
            at = BinaryPrimitives.ReadUInt32LittleEndian(record[16..]);
        return count == ushort.MaxValue || size == uint.MaxValue || at == uint.MaxValue
            ? FindDirectory64(end) : (at, size, count, end);
    }

    private (long At, long Size, long Count, long End) FindDirectory64(long end)
    {
        if (end < LocatorLength + End64Length) throw Broken(end, "no ZIP64 record");
        var locator = ReadAt(end - LocatorLength, LocatorLength).AsSpan();
        var place = BinaryPrimitives.ReadInt64LittleEndian(locator[8..]);
        if (BinaryPrimitives.ReadUInt32LittleEndian(locator) != 0x07064b50
            || place < 0 || place > end - LocatorLength - End64Length)
            throw Broken(end - LocatorLength, "no ZIP64 locator");
        var record = ReadAt(place, End64Length).AsSpan();
        if (BinaryPrimitives.ReadUInt32LittleEndian(record) != 0x06064b50) throw Broken(place, "no ZIP64 record");
        var (count, size, at) = (BinaryPrimitives.ReadInt64LittleEndian(record[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(record[40..]), BinaryPrimitives.ReadInt64LittleEndian(record[48..]));
        return count < 0 || size < 0 || at < 0
            ? throw Broken(place, $"a directory of {count} entries in {size} bytes at {at}") : (at, size, count, place);
    }

    private List<ZipEntry> ReadDirectory(byte[] bytes, long at, long count)
    {
        var (entries, names, place) = (new List<ZipEntry>(), new HashSet<string>(), 0);
        for (; count > 0; count--)
        {
            var header = bytes.AsSpan(place);
            if (header.Length < HeaderLength || BinaryPrimitives.ReadUInt32LittleEndian(header) != 0x02014b50)
                throw Broken(at + place, "no entry of the directory");
            int name = BinaryPrimitives.ReadUInt16LittleEndian(header[28..]),
                extra = BinaryPrimitives.ReadUInt16LittleEndian(header[30..]),
                comment = BinaryPrimitives.ReadUInt16LittleEndian(header[32..]);
            if (header.Length < HeaderLength + name + extra + comment)
                throw Broken(at + place, "an entry longer than the directory");
            var entry = ReadEntry(header, Decode(header.Slice(HeaderLength, name)),
                header.Slice(HeaderLength + name, extra), at + place);
            if (!names.Add(entry.Name))
                throw new DataFormatException(PlaceOf(entry), 0, "a second entry of this name", "one");
            entries.Add(entry);
            place += HeaderLength + name + extra + comment;
        }
        return place == bytes.Length ? entries
            : throw Broken(at + place, $"{bytes.Length - place} more bytes of a directory");
    }

    private ZipEntry ReadEntry(ReadOnlySpan<byte> header, string name, ReadOnlySpan<byte> extra, long at)
    {
        var (flags, method) = (BinaryPrimitives.ReadUInt16LittleEndian(header[8..]),
            BinaryPrimitives.ReadUInt16LittleEndian(header[10..]));
        long packed = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]),
            length = BinaryPrimitives.ReadUInt32LittleEndian(header[24..]),
            place = BinaryPrimitives.ReadUInt32LittleEndian(header[42..]);
        var long64 = Find64(extra);
        // Each is there only where it does not fit its short place, in this order.
        length = Take(length, ref long64);
        packed = Take(packed, ref long64);
        place = Take(place, ref long64);
        var entry = new ZipEntry(name, method == 8, BinaryPrimitives.ReadUInt32LittleEndian(header[16..]), packed,
            length, place);
        if ((flags & 0x2041) != 0)
            throw new DataFormatException(PlaceOf(entry), 0, "an encrypted entry", "entries without a password");
        if (method is not (0 or 8))
            throw new DataFormatException(PlaceOf(entry), 0, $"compression method {method}",
                "entries stored (0) or deflated (8)");
        if (packed < 0 || length < 0 || place < 0) throw Broken(at, $"negative sizes of {name}");
        if (entry.IsDeflated ? length > (Int128)packed * MaxExpansion : length != packed)
            throw new DataFormatException(PlaceOf(entry), 0, $"{packed} bytes that unpack to {length}",
                entry.IsDeflated ? $"at most {MaxExpansion} times as many" : "as many: it is stored as it is");
        return entry;
    }

    private static ReadOnlySpan<byte> Find64(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            var length = Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(extra[2..]), extra.Length - 4);
            if (BinaryPrimitives.ReadUInt16LittleEndian(extra) == 1) return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return [];
    }

    private static long Take(long value, ref ReadOnlySpan<byte> long64)
    {
        if (value != uint.MaxValue || long64.Length < 8) return value;
        value = BinaryPrimitives.ReadInt64LittleEndian(long64);
        long64 = long64[8..];
        return value;
    }

    // The entries lie one after another, before the directory; those of a bomb share their bytes.
    private void Bound(long directory)
    {
        var limit = directory;
        foreach (var entry in Entries.OrderByDescending(entry => entry.Header))
        {
            if (entry.Header > limit) throw Broken(entry.Header, $"{entry.Name}, which lies behind the directory");
            entry.Limit = limit;
            limit = entry.Header;
        }
    }

    // UTF-8 is what those who write tensors use, whether or not they set its flag.
    private static string Decode(ReadOnlySpan<byte> name)
    {
        try
        {
            return Strict.GetString(name);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(name);
        }
    }

    private byte[] ReadAt(long offset, int length)
    {
        var bytes = new byte[length];
        var read = 0;
        for (int more; read < length; read += more)
        {
            more = RandomAccess.Read(file, bytes.AsSpan(read), offset + read);
            if (more == 0) throw Broken(offset + read, "the end");
        }
        return bytes;
    }

    private DataFormatException Broken(long offset, string found) => new(path, offset,
        $"a broken archive ({DataFormatException.Abbreviate(found)})",
        $"a zip archive, stored or deflated, as {expected} writes it; write or copy it again");
}
