using System.Text;
using Adjoint.Data;

namespace Adjoint.Formats;

/// <summary>How a file is written, and its columns' names: from its first part, before any row is read.</summary>
internal sealed class CsvLayout
{
    private const int SampleSize = 1 << 18;
    private const int MostSample = 1 << 26;
    private const int MostColumns = 1 << 17;

    private CsvLayout(string path, CsvDialect dialect, string[] names, bool isMarkKnown, List<string> notes) =>
        (Path, Dialect, Names, IsMarkKnown, Notes) = (path, dialect, names, isMarkKnown, notes);

    internal string Path { get; }
    internal CsvDialect Dialect { get; }
    internal string[] Names { get; }

    /// <summary>Whether the decimal mark is given or seen; otherwise it is assumed.</summary>
    internal bool IsMarkKnown { get; }

    /// <summary>What a person should know of how the file was understood.</summary>
    internal IReadOnlyList<string> Notes { get; }

    internal CsvLayout WithMark(char mark) => new(Path, Dialect with { DecimalMark = mark }, Names, true, [.. Notes]);

    internal static CsvLayout Find(string path, CsvOptions options)
    {
        using var source = CsvSource.Open(path, options.Encoding);
        var sniffer = Sample(source.Text, path, options);
        var first = sniffer.Rows.Count > 0 ? sniffer.Rows[0] : [];
        if (first.Length == 0)
            throw new DataFormatException($"{path}: found blank lines only, expected rows of separated values");
        if (first.Length > MostColumns)
            throw new DataFormatException($"{path}: found {first.Length} columns, expected at most {MostColumns}");
        var notes = new List<string>();
        var hasHeader = options.HasHeader ?? sniffer.HasHeader();
        if (!hasHeader && options.HasHeader is null)
            notes.Add("no names of columns: the first row holds numbers or dates, as those below it");
        var dialect = new CsvDialect(sniffer.Delimiter, sniffer.DecimalMark, hasHeader, source.Encoding)
        {
            HasQuotes = sniffer.HasQuotes,
        };
        if (!sniffer.HasQuotes && options.HasQuotes is null)
            notes.Add("quotes are text: none is at the beginning of a field");
        return new(path, dialect, Named(path, hasHeader ? first : new string[first.Length], notes),
            sniffer.IsMarkKnown, notes);
    }

    // Enough for a row at least.
    private static CsvSniffer Sample(Stream text, string path, CsvOptions options)
    {
        var (buffer, length) = (new byte[SampleSize], 0);
        while (true)
        {
            var wanted = buffer.Length - length;
            var read = text.ReadAtLeast(buffer.AsSpan(length), wanted, throwOnEndOfStream: false);
            length += read;
            var isWhole = read < wanted;
            var sniffer = CsvSniffer.Of(Encoding.UTF8.GetString(buffer, 0, length), isWhole, options);
            if (isWhole || sniffer.Rows.Count > 0) return sniffer;
            if (buffer.Length >= MostSample)
                throw new DataFormatException($"{path}, line 1: the first row is longer than {MostSample >> 20} MiB; a "
                    + "quote in it is never closed, or this is no file of separated values");
            Array.Resize(ref buffer, 4 * buffer.Length);
        }
    }

    private static string[] Named(string path, string[] found, List<string> notes)
    {
        var names = new string[found.Length];
        var positions = new Dictionary<string, int>();
        for (var i = 0; i < found.Length; i++)
        {
            if (string.IsNullOrWhiteSpace(found[i])) continue;
            names[i] = found[i].Trim();
            if (!positions.TryAdd(names[i], i))
                throw new DataFormatException($"{path}, line 1: columns {positions[names[i]] + 1} and {i + 1} are both "
                    + $"named \"{DataFormatException.Abbreviate(names[i])}\", expected different names; rename one, or "
                    + "say that the first row holds no names (HasHeader = false)");
        }
        for (var i = 0; i < names.Length; i++)
        {
            if (names[i] is not null) continue;
            var name = $"column{i + 1}";
            while (!positions.TryAdd(name, i)) name += "_";
            names[i] = name;
            if (found[i] is not null) notes.Add($"column {i + 1} has no name, and is called \"{name}\"");
        }
        return names;
    }

    /// <summary>How many rows end in a text, and on which of its lines, from 1 on, it ends.</summary>
    internal (int Rows, int Line) Count(ReadOnlySpan<byte> text)
    {
        var (rows, lines, isQuoted) = (0, 0, false);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '"' && Dialect.HasQuotes) isQuoted = !isQuoted;
            var isEnd = text[i] == '\n' || text[i] == '\r' && i + 1 < text.Length && text[i + 1] != '\n';
            if (!isEnd) continue;
            lines++;
            if (!isQuoted) rows++;
        }
        return (rows, lines + 1);
    }
}
