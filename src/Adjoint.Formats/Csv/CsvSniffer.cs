using Adjoint.Data.Tables;

namespace Adjoint.Formats;

/// <summary>Finds how a file is written from the text of its first part.</summary>
internal sealed class CsvSniffer
{
    private const int MostRows = 1000;

    // In this order where several fit: who writes one of the first ones has commas inside of fields.
    private static readonly char[] Delimiters = ['\t', ';', '|', ','];

    private CsvSniffer(char delimiter, bool hasQuotes, List<string[]> rows) =>
        (Delimiter, HasQuotes, Rows) = (delimiter, hasQuotes, rows);

    internal char Delimiter { get; }
    internal bool HasQuotes { get; }
    internal char DecimalMark { get; private init; } = '.';
    internal bool IsMarkKnown { get; private init; }

    /// <summary>The first rows, blank lines left out, as fields without quotes.</summary>
    internal List<string[]> Rows { get; }

    internal static CsvSniffer Of(string text, bool isWhole, CsvOptions options)
    {
        var hasQuotes = options.HasQuotes ?? QuotesBeginFields(text);
        var candidates = options.Delimiter is { } given ? [given] : Delimiters;
        var best = (Delimiter: ',', Share: 0.0, Rows: Split(text, ',', hasQuotes, isWhole));
        if (candidates.Length == 1) best = (candidates[0], 1, Split(text, candidates[0], hasQuotes, isWhole));
        else
            foreach (var delimiter in candidates)
            {
                var rows = Split(text, delimiter, hasQuotes, isWhole);
                if (rows.Count == 0 || rows[0].Length < 2) continue;
                var share = rows.Count(row => row.Length == rows[0].Length) / (double)rows.Count;
                if (share > best.Share) best = (delimiter, share, rows);
            }
        // Nothing separates the names of the first row: one column, whose numbers may have commas.
        if (best.Share == 0 && best.Rows.Count > 0 && best.Rows[0].Length == 1)
            best = (';', 1, Split(text, ';', hasQuotes, isWhole));
        var (mark, isKnown) = options.DecimalMark is { } known ? (known, true) : Mark(best.Rows, best.Delimiter);
        return new(best.Delimiter, hasQuotes, best.Rows) { DecimalMark = mark, IsMarkKnown = isKnown };
    }

    // Names, unless the first row holds a number or a date and no other column has a word above numbers.
    internal bool HasHeader()
    {
        if (!Array.Exists(Rows[0], IsValue)) return true;
        for (var column = 0; column < Rows[0].Length; column++)
        {
            if (IsValue(Rows[0][column]) || FieldText.IsMissing(Rows[0][column], amongNumbers: true)) continue;
            var below = Rows.Skip(1).Where(row => column < row.Length
                && !FieldText.IsMissing(row[column], amongNumbers: true)).ToArray();
            if (below.Length > 0 && Array.TrueForAll(below, row => IsValue(row[column]))) return true;
        }
        return false;
    }

    private bool IsValue(string field) =>
        FieldText.TryNumber(field, DecimalMark, out _, out _) || DateText.TryParse(field, out _, out _);

    private static bool QuotesBeginFields(string text)
    {
        var (any, isFirst) = (false, true);
        foreach (var sign in text)
        {
            if (sign == '"')
            {
                if (isFirst) return true;
                any = true;
            }
            isFirst = sign is '\t' or ';' or '|' or ',' or '\n' or '\r' || isFirst && sign == ' ';
        }
        return !any;
    }

    private static List<string[]> Split(string text, char delimiter, bool hasQuotes, bool isWhole)
    {
        var (rows, row, start, isQuoted) = (new List<string[]>(), new List<string>(), 0, false);
        for (var i = 0; i < text.Length && rows.Count < MostRows; i++)
        {
            var sign = text[i];
            if (sign == '"' && hasQuotes) isQuoted = !isQuoted;
            else if (!isQuoted && sign == delimiter)
            {
                row.Add(Field(start, i));
                start = i + 1;
            }
            else if (!isQuoted && sign is '\n' or '\r' && !isQuoted) End(i);
        }
        if (isWhole && rows.Count < MostRows && (start < text.Length || row.Count > 0)) End(text.Length);
        return rows;

        void End(int end)
        {
            row.Add(Field(start, end));
            start = end + 1;
            if (row.Count > 1 || row[0].Length > 0) rows.Add([.. row]);
            row.Clear();
        }

        string Field(int from, int to)
        {
            var raw = text.AsSpan(from, to - from).Trim();
            return hasQuotes && raw is ['"', ..] && CsvField.Unquote(raw, out var inner)
                ? inner.Trim().ToString()
                : raw.ToString();
        }
    }

    private static (char Mark, bool IsKnown) Mark(List<string[]> rows, char delimiter)
    {
        var (dot, comma) = (0, 0);
        foreach (var field in rows.SelectMany(row => row))
        {
            if (FieldRules.IsFraction(field, '.')) dot++;
            else if (FieldRules.IsFraction(field, ',')) comma++;
        }
        if (dot > 0 || comma > 0) return dot >= comma ? ('.', true) : (',', true);
        // Who separates fields by semicolons needs the comma for numbers.
        return delimiter == ';' ? (',', false) : ('.', false);
    }
}
