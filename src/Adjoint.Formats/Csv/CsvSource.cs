using System.Text;
using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>A file of separated values, opened: its text as UTF-8 without a byte-order mark.</summary>
internal sealed class CsvSource : IDisposable
{
    private readonly FileStream file;

    private CsvSource(FileStream file, Stream text, string encoding) =>
        (this.file, Text, Encoding) = (file, text, encoding);

    internal Stream Text { get; }

    internal string Encoding { get; }

    internal static CsvSource Open(string path, string? encodingName)
    {
        var file = RegularFile.Open(path);
        try
        {
            var start = new byte[4096];
            var length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            if (length == 0)
                throw new DataFormatException($"{path}: the file is empty; expected rows of separated values");
            var (encoding, mark) = Find(start.AsSpan(0, length), path, encodingName);
            file.Position = mark;
            if (file.Length == mark)
                throw new DataFormatException($"{path}: the file holds a byte-order mark only; expected rows of "
                    + "separated values");
            var text = encoding is UTF8Encoding
                ? (Stream)file
                : System.Text.Encoding.CreateTranscodingStream(file, encoding, new UTF8Encoding(false));
            return new(file, text, encoding.WebName);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Text.Dispose();
        file.Dispose();
    }

    private static (Encoding Encoding, int Mark) Find(ReadOnlySpan<byte> start, string path, string? name)
    {
        if (start.StartsWith("PK\u0003\u0004"u8))
            throw Wrong("a zip archive, such as an Excel workbook", "save it as CSV");
        if (start.StartsWith("PAR1"u8)) throw Wrong("a Parquet file", "use ParquetFile, or name it *.parquet");
        if (start is [0x1f, 0x8b, ..]) throw Wrong("gzip data", "unpack it (gunzip)");
        // The longest first: UTF-32's mark begins as UTF-16's does.
        foreach (var encoding in new[] { new UTF32Encoding(), System.Text.Encoding.UTF8, System.Text.Encoding.Unicode,
            System.Text.Encoding.BigEndianUnicode })
            if (start.StartsWith(encoding.Preamble) && encoding.Preamble.Length > 0)
                return (encoding, encoding.Preamble.Length);
        if (name is not null)
            return (Named(path, name), 0);
        // UTF-16 without a mark: every other byte of Latin text is zero.
        var (even, odd) = (0, 0);
        for (var i = 0; i < start.Length; i++)
            if (start[i] == 0 && i % 2 == 0) even++;
            else if (start[i] == 0) odd++;
        if (odd > start.Length / 4 && even == 0) return (System.Text.Encoding.Unicode, 0);
        if (even > start.Length / 4 && odd == 0) return (System.Text.Encoding.BigEndianUnicode, 0);
        if (even + odd > 0) throw Wrong("zero bytes, which text has not", "name a file of text");
        return (System.Text.Encoding.UTF8, 0);

        DataFormatException Wrong(string found, string remedy) =>
            new($"{path}: found {found}, expected rows of separated values; {remedy}");
    }

    private static Encoding Named(string path, string name)
    {
        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name) ?? System.Text.Encoding.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            throw new AdjointException(
                $"{path}: the encoding \"{name}\" is unknown; use utf-8, utf-16, windows-1252 or another IANA name");
        }
    }
}
