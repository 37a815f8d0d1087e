using System.Buffers;
using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>Some whole rows of a file, as bytes of UTF-8.</summary>
/// <param name="Bytes">A rented array.</param>
/// <param name="Length">How many of its bytes are the block's.</param>
/// <param name="FirstLine">The line of the file on which it begins, from 1 on.</param>
/// <param name="Lines">How many line ends it has.</param>
internal sealed record CsvBlock(byte[] Bytes, int Length, int FirstLine, int Lines)
{
    internal ReadOnlySpan<byte> Text => Bytes.AsSpan(0, Length);
}

/// <summary>
/// Cuts a text into blocks at ends of rows: line ends with an even number of quotes before them. Only bytes are
/// counted, so one thread keeps several parsers busy.
/// </summary>
internal sealed class CsvBlocks(Stream text, string path, bool hasQuotes)
{
    internal const int Size = 1 << 20;
    // A row beyond this is a quote that is never closed.
    private const int Most = 1 << 26;

    private byte[] rest = [];
    private int line = 1;
    private bool isAtEnd;

    internal CsvBlock? Next()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Max(Size, 2 * rest.Length));
        rest.CopyTo(buffer, 0);
        var length = rest.Length;
        while (!isAtEnd)
        {
            var wanted = buffer.Length - length;
            var read = text.ReadAtLeast(buffer.AsSpan(length), wanted, throwOnEndOfStream: false);
            isAtEnd = read < wanted;
            length += read;
            if (isAtEnd) break;
            var end = EndOfRows(buffer.AsSpan(0, length));
            if (end > 0)
            {
                rest = buffer.AsSpan(end, length - end).ToArray();
                return Block(buffer, end);
            }
            if (buffer.Length >= Most)
                throw new DataFormatException(
                    $"{path}, line {line}: the row that begins here is longer than {Most >> 20} "
                    + "MiB; a quote in it is never closed: close it, or read quotes as text (HasQuotes = false)");
            var larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
            buffer.AsSpan(0, length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }
        rest = [];
        if (length > 0) return Block(buffer, length);
        ArrayPool<byte>.Shared.Return(buffer);
        return null;
    }

    private CsvBlock Block(byte[] buffer, int length)
    {
        var lines = CountLines(buffer.AsSpan(0, length));
        var block = new CsvBlock(buffer, length, line, lines);
        line += lines;
        return block;
    }

    internal static int CountLines(ReadOnlySpan<byte> text)
    {
        var lines = text.Count((byte)'\n');
        return lines > 0 ? lines : text.Count((byte)'\r');
    }

    private int EndOfRows(ReadOnlySpan<byte> text)
    {
        var mark = text.Contains((byte)'\n') ? (byte)'\n' : (byte)'\r';
        var end = text.LastIndexOf(mark) + 1;
        if (!hasQuotes) return end;
        var quotes = text[..end].Count((byte)'"');
        while (end > 0 && quotes % 2 != 0)
        {
            var before = text[..(end - 1)].LastIndexOf(mark) + 1;
            quotes -= text[before..end].Count((byte)'"');
            end = before;
        }
        return end;
    }
}
