using System.Text;

namespace Adjoint.Data;

/// <summary>Reads files of plain text: UTF-8, or UTF-16 and UTF-32 with a byte-order mark.</summary>
public static class TextFile
{
    /// <summary>The largest file that is read, in bytes: 1 GiB.</summary>
    public const long MaxBytes = 1 << 30;

    // The longest first: the mark of UTF-16 begins that of UTF-32.
    private static readonly (byte[] Mark, Encoding Encoding)[] Marked =
    [
        ([0xFF, 0xFE, 0, 0], new UTF32Encoding(bigEndian: false, byteOrderMark: true, throwOnInvalidCharacters: true)),
        ([0, 0, 0xFE, 0xFF], new UTF32Encoding(bigEndian: true, byteOrderMark: true, throwOnInvalidCharacters: true)),
        ([0xEF, 0xBB, 0xBF], new UTF8Encoding(false, throwOnInvalidBytes: true)),
        ([0xFF, 0xFE], new UnicodeEncoding(bigEndian: false, byteOrderMark: true, throwOnInvalidBytes: true)),
        ([0xFE, 0xFF], new UnicodeEncoding(bigEndian: true, byteOrderMark: true, throwOnInvalidBytes: true)),
        ([], new UTF8Encoding(false, throwOnInvalidBytes: true)),
    ];

    /// <summary>Reads a whole file, without its byte-order mark.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The text; it is not empty.</returns>
    /// <exception cref="DataFormatException">
    /// The file is empty, too large, no text in such an encoding, or no regular file.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static string Read(string path)
    {
        var bytes = RegularFile.ReadAllBytes(path, MaxBytes);
        var (mark, encoding) = Array.Find(Marked, one => bytes.AsSpan().StartsWith(one.Mark));
        if (bytes.Length == mark.Length)
            throw new DataFormatException(path, bytes.Length, "an empty file", "text; leave it out");
        try
        {
            return encoding.GetString(bytes, mark.Length, bytes.Length - mark.Length);
        }
        catch (DecoderFallbackException error)
        {
            throw new DataFormatException(path, mark.Length + Math.Max(0, error.Index),
                $"the byte{(error.BytesUnknown?.Length > 1 ? "s" : "")} 0x"
                + Convert.ToHexStringLower(error.BytesUnknown ?? []),
                $"text in {encoding.WebName.ToUpperInvariant()}; convert it, as by iconv -f LATIN1 -t UTF-8");
        }
    }
}
