using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Numerics;
using System.Text;
using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>
/// Decodes PNG (ISO/IEC 15948): every color type and depth, palettes, transparency, interlacing. Checksums are checked.
/// </summary>
// Our own: the package BigGustave 1.0.6 fails on gray of 1 bit, reads palettes of 1 and 4 bits wrongly, keeps 8 of
// 16 bits, and allocates what a header says.
internal static class PngReader
{
    // The largest ratio of deflate: 258 bytes from 2 bits.
    private const long MaxRatio = 1032;

    // Adam7: first column and row, and distances of columns and rows.
    private static readonly (int Left, int Top, int Right, int Down)[] Passes =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    /// <summary>The chunks of a file that matter.</summary>
    private sealed class Chunks
    {
        internal byte[] Palette { get; set; } = [];
        internal byte[]? Transparency { get; set; }
        internal int Orientation { get; set; } = 1;

        /// <summary>Where the compressed pixels lie in the file: each IDAT chunk's data.</summary>
        internal List<(int Start, int Length)> Data { get; } = [];
        internal long DataLength => Data.Sum(part => (long)part.Length);
    }

    /// <summary>The EXIF orientation, where it stands before the pixels.</summary>
    /// <param name="file">The beginning of the file.</param>
    /// <returns>1 to 8; null if the beginning ends before the pixels begin.</returns>
    internal static int? FindOrientation(ReadOnlySpan<byte> file)
    {
        for (long at = PngHeader.Length; at + 8 <= file.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file[(int)at..]);
            var type = file.Slice((int)at + 4, 4);
            if (type.SequenceEqual("IDAT"u8) || type.SequenceEqual("IEND"u8)) return 1;
            if (type.SequenceEqual("eXIf"u8) && at + 8 + length <= file.Length)
                return ExifOrientation.Read(file.Slice((int)at + 8, (int)length));
            at += 12L + length;
        }
        return null;
    }

    /// <summary>Decodes a file of up to 8 bits per sample.</summary>
    internal static (Raster<byte> Pixels, int Orientation) Decode8(byte[] file, PngHeader header, string name)
    {
        var chunks = ReadChunks(file, header, name);
        var hasAlpha = chunks.Transparency is not null || header.Color is PngColor.GrayAlpha or PngColor.Rgba;
        var channels = (header.HasColor ? 3 : 1) + (hasAlpha ? 1 : 0);
        var result = new byte[checked((long)header.Width * header.Height * channels)];
        var palette = header.Color == PngColor.Palette ? Colors(chunks, channels) : null;
        var key = Key(chunks, header, name);
        var scale = header.Color == PngColor.Gray ? 255 / ((1 << header.Depth) - 1) : 1;
        var entries = chunks.Palette.Length / 3;
        ReadRows(file, header, chunks, name, (row, y, left, step, count) =>
        {
            var samples = header.Depth == 8 ? row : Unpack(row, header.Depth, count);
            var to = result.AsSpan(y * header.Width * channels);
            if (palette is not null)
                for (var i = 0; i < count; i++)
                {
                    if (samples[i] >= entries)
                        throw new DataFormatException(name, chunks.Data[0].Start,
                            $"color {samples[i]} in row {y}", $"one of the palette's {entries}");
                    palette.AsSpan(samples[i] * channels, channels).CopyTo(to[((left + i * step) * channels)..]);
                }
            else if (key is null && scale == 1 && step == 1)
                samples[..(count * channels)].CopyTo(to);
            else
                for (var i = 0; i < count; i++)
                {
                    var own = samples.Slice(i * header.Samples, header.Samples);
                    var pixel = to.Slice((left + i * step) * channels, channels);
                    for (var c = 0; c < own.Length; c++) pixel[c] = (byte)(own[c] * scale);
                    if (key is not null) pixel[^1] = Matches(own, key) ? (byte)0 : (byte)255;
                }
        });
        return (new(header.Width, header.Height, channels, result), chunks.Orientation);
    }

    /// <summary>Decodes a file of 16 bits per sample.</summary>
    internal static (Raster<ushort> Pixels, int Orientation) Decode16(byte[] file, PngHeader header, string name)
    {
        var chunks = ReadChunks(file, header, name);
        var key = Key(chunks, header, name);
        var channels = header.Samples + (key is null ? 0 : 1);
        var result = new ushort[checked((long)header.Width * header.Height * channels)];
        ReadRows(file, header, chunks, name, (row, y, left, step, count) =>
        {
            for (var i = 0; i < count; i++)
            {
                var pixel = result.AsSpan((y * header.Width + left + i * step) * channels, channels);
                var isKey = key is not null;
                for (var c = 0; c < header.Samples; c++)
                {
                    pixel[c] = BinaryPrimitives.ReadUInt16BigEndian(row[((i * header.Samples + c) * 2)..]);
                    isKey = isKey && pixel[c] == key![c];
                }
                if (key is not null) pixel[^1] = isKey ? (ushort)0 : ushort.MaxValue;
            }
        });
        return (new(header.Width, header.Height, channels, result), chunks.Orientation);
    }

    /// <summary>Decodes the numbers of a gray or palette image as they are: classes, not brightness.</summary>
    internal static (Raster<ushort> Pixels, int Orientation) DecodeNumbers(byte[] file, PngHeader header, string name)
    {
        var chunks = ReadChunks(file, header, name);
        var result = new ushort[checked((long)header.Width * header.Height)];
        ReadRows(file, header, chunks, name, (row, y, left, step, count) =>
        {
            var samples = header.Depth < 8 ? Unpack(row, header.Depth, count) : row;
            for (var i = 0; i < count; i++)
                result[y * header.Width + left + i * step] = header.Depth == 16
                    ? BinaryPrimitives.ReadUInt16BigEndian(samples[(2 * i)..])
                    : samples[i];
        });
        return (new(header.Width, header.Height, 1, result), chunks.Orientation);
    }

    internal static string ChunkName(ReadOnlySpan<byte> type)
    {
        var text = new StringBuilder();
        foreach (var letter in type) text.Append(char.IsAsciiLetter((char)letter) ? (char)letter : '?');
        return text.ToString();
    }

    internal static void CheckSum(ReadOnlySpan<byte> covered, ReadOnlySpan<byte> stored, string name, long offset)
    {
        if (Crc32.HashToUInt32(covered) != BinaryPrimitives.ReadUInt32BigEndian(stored))
            throw new DataFormatException(name, offset, $"a chunk {ChunkName(covered[..4])} with a wrong checksum",
                "what was written; the file is damaged: copy or download it again");
    }

    private static Chunks ReadChunks(byte[] file, PngHeader header, string name)
    {
        var chunks = new Chunks();
        for (var at = PngHeader.Length; ;)
        {
            if (file.Length - at < 12) throw Truncated(name, file.Length);
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            if (length > file.Length - at - 12) throw Truncated(name, file.Length);
            var covered = file.AsSpan(at + 4, (int)length + 4);
            CheckSum(covered, file.AsSpan(at + 8 + (int)length), name, at);
            if (Take(chunks, covered[..4], covered[4..], at, header, name)) break;
            at += 12 + (int)length;
        }
        if (chunks.Data.Count == 0)
            throw new DataFormatException(name, file.Length, "no pixels (no chunk IDAT)", "some");
        if (header.Color == PngColor.Palette && chunks.Palette.Length == 0)
            throw new DataFormatException(name, PngHeader.Length, "no palette (no chunk PLTE)", "one");
        // Before memory is taken for them.
        var unpacked = 0L;
        foreach (var pass in PassesOf(header))
        {
            var (columns, rows) = Size(header, pass);
            if (columns > 0) unpacked += rows * (1L + header.RowLength(columns));
        }
        if (unpacked > chunks.DataLength * MaxRatio)
            throw new DataFormatException(name, chunks.Data[0].Start,
                $"{chunks.DataLength} bytes of compressed pixels, which cannot hold {unpacked}",
                $"{header.Width}×{header.Height} pixels; the file is truncated or damaged: copy or download it again");
        return chunks;
    }

    // True at the last one.
    private static bool Take(Chunks chunks, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data, int at, PngHeader header,
        string name)
    {
        if (type.SequenceEqual("IDAT"u8)) chunks.Data.Add((at + 8, data.Length));
        else if (type.SequenceEqual("PLTE"u8))
        {
            if (data.Length % 3 != 0 || data.Length is 0 or > 768)
                throw new DataFormatException(name, at, $"a palette of {data.Length} bytes",
                    "3 for each of 1 to 256 colors");
            chunks.Palette = data.ToArray();
        }
        else if (type.SequenceEqual("tRNS"u8)) chunks.Transparency = data.ToArray();
        else if (type.SequenceEqual("eXIf"u8)) chunks.Orientation = ExifOrientation.Read(data);
        else if (type.SequenceEqual("IEND"u8)) return true;
        else if ((type[0] & 0x20) == 0)
            throw new DataFormatException(name, at, $"a chunk {ChunkName(type)} without which the image cannot be "
                + "understood", "one of the PNG standard; save the image anew with another program");
        if (chunks.Transparency is not null && header.Color is PngColor.GrayAlpha or PngColor.Rgba)
            chunks.Transparency = null;
        return false;
    }

    // Each color of the palette, with its alpha where there is one.
    private static byte[] Colors(Chunks chunks, int channels)
    {
        var result = new byte[chunks.Palette.Length / 3 * channels];
        for (var i = 0; i < chunks.Palette.Length / 3; i++)
        {
            chunks.Palette.AsSpan(3 * i, 3).CopyTo(result.AsSpan(i * channels));
            if (channels == 4)
                result[4 * i + 3] = i < chunks.Transparency!.Length ? chunks.Transparency[i] : (byte)255;
        }
        return result;
    }

    // The one color of a gray or RGB image that is transparent.
    private static int[]? Key(Chunks chunks, PngHeader header, string name)
    {
        if (chunks.Transparency is not { } bytes || header.Color == PngColor.Palette) return null;
        if (bytes.Length != 2 * header.Samples)
            throw new DataFormatException(name, PngHeader.Length, $"a chunk tRNS of {bytes.Length} bytes",
                $"{2 * header.Samples}");
        return [.. Enumerable.Range(0, header.Samples)
            .Select(c => (int)BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(2 * c)))];
    }

    private static bool Matches(ReadOnlySpan<byte> samples, int[] key)
    {
        for (var c = 0; c < samples.Length; c++)
            if (samples[c] != key[c]) return false;
        return true;
    }

    private delegate void RowReader(ReadOnlySpan<byte> row, int y, int left, int step, int count);

    private static void ReadRows(byte[] file, PngHeader header, Chunks chunks, string name, RowReader read)
    {
        using var inflate = new ZLibStream(Compressed(file, chunks), CompressionMode.Decompress);
        var longest = header.RowLength(header.Width);
        var buffer = ArrayPool<byte>.Shared.Rent(2 * (longest + 1));
        try
        {
            foreach (var pass in PassesOf(header))
            {
                var (columns, rows) = Size(header, pass);
                if (columns == 0) continue;
                var count = 1 + header.RowLength(columns);
                var row = buffer.AsSpan(0, count);
                var before = buffer.AsSpan(longest + 1, count);
                before.Clear();
                for (var y = 0; y < rows; y++)
                {
                    Fill(inflate, row, header, name, chunks.Data[0].Start);
                    if (row[0] > 4)
                        throw new DataFormatException(name, chunks.Data[0].Start, $"filter {row[0]} in row {y}",
                            "0 to 4; the file is damaged: copy or download it again");
                    Unfilter(row[0], row[1..], before[1..], Math.Max(1, header.Samples * header.Depth / 8));
                    read(row[1..], pass.Top + y * pass.Down, pass.Left, pass.Right, columns);
                    var last = before;
                    before = row;
                    row = last;
                }
            }
            // At the end, the stream compares its checksum.
            Fill(inflate, [], header, name, chunks.Data[0].Start);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static (int Left, int Top, int Right, int Down)[] PassesOf(PngHeader header) =>
        header.IsInterlaced ? Passes : [(0, 0, 1, 1)];

    private static (int Columns, int Rows) Size(PngHeader header, (int Left, int Top, int Right, int Down) pass) =>
        ((int)((header.Width - pass.Left + (long)pass.Right - 1) / pass.Right),
            (int)((header.Height - pass.Top + (long)pass.Down - 1) / pass.Down));

    private static MemoryStream Compressed(byte[] file, Chunks chunks)
    {
        if (chunks.Data.Count == 1) return new(file, chunks.Data[0].Start, chunks.Data[0].Length, writable: false);
        var joined = new byte[chunks.DataLength];
        var at = 0;
        foreach (var (start, length) in chunks.Data)
        {
            file.AsSpan(start, length).CopyTo(joined.AsSpan(at));
            at += length;
        }
        return new(joined);
    }

    // Fills a row; without one, reads to the end.
    private static void Fill(ZLibStream inflate, Span<byte> row, PngHeader header, string name, long offset)
    {
        try
        {
            if (row.Length == 0) inflate.ReadByte();
            else if (inflate.ReadAtLeast(row, row.Length, throwOnEndOfStream: false) < row.Length)
                throw new DataFormatException(name, offset, "the end of the compressed pixels",
                    $"{header.Width}×{header.Height} pixels; the file is truncated: copy or download it again");
        }
        catch (InvalidDataException)
        {
            throw new DataFormatException(name, offset, "compressed pixels that cannot be unpacked",
                "what was written; the file is damaged: copy or download it again");
        }
    }

    // Each byte was written as its difference from what the neighbors predict; distance is that of the pixel before.
    private static void Unfilter(int filter, Span<byte> row, ReadOnlySpan<byte> before, int distance)
    {
        switch (filter)
        {
            case 1:
                for (var i = distance; i < row.Length; i++) row[i] += row[i - distance];
                break;
            case 2:
                var at = 0;
                for (; at <= row.Length - Vector<byte>.Count; at += Vector<byte>.Count)
                    (new Vector<byte>(row[at..]) + new Vector<byte>(before[at..])).CopyTo(row[at..]);
                for (; at < row.Length; at++) row[at] += before[at];
                break;
            case 3:
                for (var i = 0; i < Math.Min(distance, row.Length); i++) row[i] += (byte)(before[i] / 2);
                for (var i = distance; i < row.Length; i++) row[i] += (byte)((row[i - distance] + before[i]) / 2);
                break;
            case 4:
                for (var i = 0; i < Math.Min(distance, row.Length); i++) row[i] += before[i];
                for (var i = distance; i < row.Length; i++)
                    row[i] += Paeth(row[i - distance], before[i], before[i - distance]);
                break;
        }
    }

    // The neighbor that is nearest to left + above − corner.
    private static byte Paeth(byte left, byte above, byte corner)
    {
        var (fromLeft, fromAbove) = (Math.Abs(above - corner), Math.Abs(left - corner));
        var fromCorner = Math.Abs(left + above - 2 * corner);
        return fromLeft <= fromAbove && fromLeft <= fromCorner ? left : fromAbove <= fromCorner ? above : corner;
    }

    // Samples of 1, 2 or 4 bits, the first in the highest.
    private static byte[] Unpack(ReadOnlySpan<byte> row, int depth, int count)
    {
        var (result, perByte, mask) = (new byte[count], 8 / depth, (1 << depth) - 1);
        for (var i = 0; i < count; i++)
            result[i] = (byte)((row[i / perByte] >> (8 - depth * (i % perByte + 1)) & mask));
        return result;
    }

    private static DataFormatException Truncated(string name, long length) =>
        new(name, length, "the end of the file", "the rest of the image; the file is truncated: copy or download it "
            + "again");
}
