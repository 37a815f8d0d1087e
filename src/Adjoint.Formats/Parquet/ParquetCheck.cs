using System.Buffers.Binary;

namespace Adjoint.Formats;

/// <summary>
/// Looks at a Parquet file's description and at the head of every page before the package reads them, since it believes
/// what they say: sizes, counts and offsets must be of this file, and what is unpacked not longer than packing can do.
/// </summary>
internal static class ParquetCheck
{
    // Numbers of fields in parquet.thrift.
    private const int RowGroups = 4, Columns = 1, GroupRows = 3, MetaData = 3;
    private const int Codec = 4, Values = 5, Compressed = 7, DataOffset = 9, DictionaryOffset = 11;
    private const int PageType = 1, PageUnpacked = 2, PagePacked = 3, DataHead = 5, DictionaryHead = 7, DataHead2 = 8;

    private const int MostHead = 1 << 20;
    // Deflate shrinks by 1032 to 1; Brotli and Zstandard by more, but no column does.
    private const long MostExpansion = 1 << 14;

    /// <summary>Checks a file.</summary>
    /// <param name="file">The file; its position changes.</param>
    /// <exception cref="FormatException">It is no Parquet file, or says what cannot be.</exception>
    internal static void Run(FileStream file)
    {
        var length = file.Length;
        var tail = new byte[8];
        if (length < 12) throw new FormatException($"{length} bytes, too few for one");
        Read(file, 0, tail.AsSpan(0, 4));
        if (!tail.AsSpan(0, 4).SequenceEqual("PAR1"u8)) throw new FormatException("it does not begin with PAR1");
        Read(file, length - 8, tail);
        if (!tail.AsSpan(4).SequenceEqual("PAR1"u8)) throw new FormatException("it does not end with PAR1");
        var size = BinaryPrimitives.ReadUInt32LittleEndian(tail);
        if (size > length - 12) throw new FormatException($"a description of {size} bytes in a file of {length}");
        var bytes = new byte[size];
        Read(file, length - 8 - size, bytes);
        var description = ThriftStruct.Read(bytes, out _);
        foreach (var group in description.Structs(RowGroups))
            foreach (var column in group.Structs(Columns))
                Check(file, length - 8 - size, group.Number(GroupRows) ?? 0,
                    column.Struct(MetaData) ?? throw new FormatException("a column without description"));
    }

    private static void Check(FileStream file, long end, long rows, ThriftStruct column)
    {
        var start = column.Number(DataOffset) ?? -1;
        if (column.Number(DictionaryOffset) is > 0 and var dictionary) start = Math.Min(start, dictionary);
        var (size, values) = (column.Number(Compressed) ?? -1, column.Number(Values) ?? -1);
        if (start < 4 || size < 0 || start > end - size)
            throw new FormatException($"a column of {size} bytes at offset {start}, which are not of the file");
        // Lists have more or fewer values than rows; they are left out.
        if (values < 0 || rows < 0) throw new FormatException($"a column of {values} values in {rows} rows");
        var stop = start + size;
        var head = new byte[Math.Min(1 << 14, MostHead)];
        for (var found = 0L; found < values;)
        {
            var page = Head(file, start, stop, ref head, out var headLength);
            var (unpacked, packed) = (page.Number(PageUnpacked) ?? -1, page.Number(PagePacked) ?? -1);
            start += headLength;
            if (packed < 0 || packed > stop - start || unpacked < 0
                || unpacked > (column.Number(Codec) == 0 ? Math.Max(packed, 1) : (packed + 64) * MostExpansion))
                throw new FormatException($"a page of {packed} bytes that become {unpacked}, at offset {start}");
            var own = (page.Number(PageType) switch
            {
                0 => page.Struct(DataHead),
                2 => page.Struct(DictionaryHead),
                3 => page.Struct(DataHead2),
                _ => null,
            })?.Number(1) ?? -1;
            // An entry of a dictionary takes a byte at least; values may be in runs.
            if (own < 0 || page.Number(PageType) == 2 && own > unpacked + 1 || page.Number(PageType) != 2 && own == 0
                || own > values) throw new FormatException($"a page of {own} values at offset {start}");
            if (page.Number(PageType) != 2) found += own;
            start += packed;
            if (start > stop || start == stop && found < values)
                throw new FormatException($"{found} values in the pages of a column of {values}");
        }
    }

    private static ThriftStruct Head(FileStream file, long start, long stop, ref byte[] head, out int length)
    {
        while (true)
        {
            var read = head.AsSpan(0, (int)Math.Min(head.Length, stop - start));
            Read(file, start, read);
            try
            {
                return ThriftStruct.Read(read, out length);
            }
            catch (FormatException) when (read.Length < stop - start && head.Length < MostHead)
            {
                // It may be longer: statistics hold texts.
                head = new byte[Math.Min(MostHead, 8 * head.Length)];
            }
        }
    }

    private static void Read(FileStream file, long at, Span<byte> bytes)
    {
        file.Position = at;
        file.ReadExactly(bytes);
    }
}
