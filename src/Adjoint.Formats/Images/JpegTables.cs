using System.Buffers.Binary;
using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>
/// Checks the Huffman tables of a JPEG, those between its scans too: with more codes of a length than there can be, the
/// decoder counts for seconds.
/// </summary>
internal static class JpegTables
{
    private const byte Table = 0xC4;
    private const byte End = 0xD9;

    /// <summary>Refuses a file with an impossible table.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="name">The name of the file, for messages.</param>
    internal static void Check(ReadOnlySpan<byte> file, string name)
    {
        for (var at = 2; ;)
        {
            var next = file[at..].IndexOf((byte)0xFF);
            if (next < 0 || at + next + 4 > file.Length) return;
            at += next;
            // Among pixels, 0xFF is followed by 0 or a restart marker; and there are fill bytes.
            if (file[at + 1] is 0 or 0xFF or 0x01 or >= 0xD0 and <= 0xD7)
            {
                at++;
                continue;
            }
            if (file[at + 1] == End) return;
            var length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]);
            if (length < 2 || at + 2 + length > file.Length) return;
            if (file[at + 1] == Table) CheckTables(file.Slice(at + 4, length - 2), name, at);
            at += 2 + length;
        }
    }

    // Each: its number, how many codes there are of 1 to 16 bits, and what they mean.
    private static void CheckTables(ReadOnlySpan<byte> data, string name, int offset)
    {
        while (data.Length > 0)
        {
            var (codes, free) = (0, 1);
            for (var bits = 1; bits <= 16 && bits < data.Length; bits++)
            {
                codes += data[bits];
                free = 2 * free - data[bits];
                if (free < 0 || codes > 256) break;
            }
            if (free < 0 || codes > 256 || data.Length < 17 + codes)
                throw new DataFormatException(name, offset, "an impossible Huffman table",
                    "one that was written; the file is damaged: copy or download it again");
            data = data[(17 + codes)..];
        }
    }
}
