using System.Buffers;
using System.Text.Unicode;
using Adjoint.Data.Tables;
using nietras.SeparatedValues;

namespace Adjoint.Formats;

/// <summary>A row that is wrong; the reader of all blocks knows its number in the file.</summary>
/// <param name="row">The row of the block, from 0 on, without the names of columns.</param>
/// <param name="line">The line of the block on which the row begins, from 1 on.</param>
/// <param name="message">Column, found, expected, remedy.</param>
internal sealed class BadRowException(int row, int line, string message) : Exception(message)
{
    internal int Row { get; } = row;
    internal int Line { get; } = line;
}

/// <summary>The columns of one block.</summary>
/// <param name="Rows">The number of rows.</param>
/// <param name="Columns">One for each plan, in order.</param>
internal sealed record ParsedBlock(int Rows, ParsedColumn[] Columns);

/// <summary>Parses blocks; several threads may use it at once.</summary>
internal sealed class CsvBlockParser(CsvLayout layout, IReadOnlyList<ColumnPlan> plans, FieldRules rules)
{
    private readonly SepReaderOptions reading = new Sep(layout.Dialect.Delimiter).Reader(options => options with
    {
        HasHeader = false,
        DisableColCountCheck = true,
        DisableQuotesParsing = !layout.Dialect.HasQuotes,
    });

    /// <summary>Parses a block, and gives its memory back.</summary>
    /// <exception cref="BadRowException">A row is ragged, a quote not closed, a field of the wrong kind.</exception>
    internal ParsedBlock Parse(CsvBlock block)
    {
        var text = ArrayPool<char>.Shared.Rent(block.Length);
        try
        {
            var status = Utf8.ToUtf16(block.Text, text, out var read, out var length, replaceInvalidSequences: false);
            if (status != OperationStatus.Done) throw Invalid(block, read);
            var hasQuotes = layout.Dialect.HasQuotes && block.Text.Contains((byte)'"');
            // The last row may lack its line end.
            var parsers = plans.Select(plan => new ColumnParser(plan, plan.Mode, rules, block.Lines + 1)).ToArray();
            var finished = new ParsedColumn[plans.Count];
            var rows = Run(block, text.AsMemory(0, length), parsers, hasQuotes);
            while (true)
            {
                var again = new ColumnParser[parsers.Length];
                for (var i = 0; i < parsers.Length; i++)
                {
                    if (parsers[i].Next is { } next)
                    {
                        parsers[i].Plan.Mode = next;
                        again[i] = parsers[i].Again(next);
                        continue;
                    }
                    if (parsers[i].Mode != FieldMode.Skip) finished[i] = parsers[i].Finish();
                    again[i] = parsers[i].Again(FieldMode.Skip);
                }
                if (Array.TrueForAll(again, parser => parser.Mode == FieldMode.Skip)) break;
                Run(block, text.AsMemory(0, length), parsers = again, hasQuotes);
            }
            return new(rows, finished);
        }
        finally
        {
            ArrayPool<char>.Shared.Return(text);
            ArrayPool<byte>.Shared.Return(block.Bytes);
        }
    }

    private int Run(CsvBlock block, ReadOnlyMemory<char> text, ColumnParser[] parsers, bool hasQuotes)
    {
        using var reader = reading.From(new MemoryText(text));
        var isHeader = block.FirstLine == 1 && layout.Dialect.HasHeader;
        var (rows, width) = (0, layout.Names.Length);
        foreach (var row in reader)
        {
            // A blank line is no row, unless rows have one field.
            if (row.ColCount == 1 && (width > 1 || isHeader) && row[0].Span.IsWhiteSpace()) continue;
            if (isHeader)
            {
                isHeader = false;
                continue;
            }
            if (row.ColCount != width) throw Ragged(rows, row.LineNumberFrom, row.ColCount, row.Span);
            for (var i = 0; i < parsers.Length; i++)
            {
                var parser = parsers[i];
                if (parser.Mode == FieldMode.Skip) continue;
                var field = row[parser.Plan.Position].Span.Trim();
                if (hasQuotes && field.Contains('"'))
                {
                    if (field[0] != '"' || !CsvField.Unquote(field, out var inner))
                        throw new BadRowException(rows, row.LineNumberFrom,
                            $"column \"{parser.Plan.Name}\": found a quote inside of {Shown(field)}, expected quotes "
                            + "around a field only; double those inside, or read quotes as text (HasQuotes = false)");
                    field = inner.Trim();
                }
                if (!parser.Add(field)) throw Misfit(parser.Plan, rows, row.LineNumberFrom, field);
            }
            rows++;
        }
        return rows;
    }

    private BadRowException Ragged(int row, int line, int found, ReadOnlySpan<char> text)
    {
        var width = layout.Names.Length;
        var source = layout.Dialect.HasHeader ? "the names in the first row" : "the first row";
        // An odd number of quotes before has joined rows.
        var remedy = layout.Dialect.HasQuotes && text.Contains('"') && text.ContainsAny('\r', '\n')
            ? "close its quotes"
            : found > width ? $"put a field that holds {layout.Dialect.DelimiterName} in quotes"
            : "complete the row, or leave it out";
        return new(row, line, $"found {found} {(found == 1 ? "column" : "columns")}, expected {width} as in {source}; "
            + remedy);
    }

    private static BadRowException Misfit(ColumnPlan plan, int row, int line, ReadOnlySpan<char> field)
    {
        var expected = plan.Asserted switch
        {
            ColumnKind.Integer => "a whole number",
            ColumnKind.Truth => "a truth value (" + string.Join(", ",
                FieldText.TruthWords.Select(pair => $"{pair.False}/{pair.True}")) + ", one pair in a column)",
            ColumnKind.Date => "a date",
            _ => "a number",
        };
        return new(
            row, line, $"column \"{plan.Name}\": found {Shown(field)}, expected {expected}; correct or empty the "
            + "field, or let the column be text");
    }

    private BadRowException Invalid(CsvBlock block, int at)
    {
        var (row, line) = layout.Count(block.Text[..at]);
        var isFirst = block.FirstLine == 1 && layout.Dialect.HasHeader;
        return new(isFirst ? Math.Max(0, row - 1) : row, line,
            $"found byte {block.Text[at]:x2}, which is not valid UTF-8; name the file's encoding (Encoding = "
            + "\"windows-1252\", for example), or save it as UTF-8");
    }

    private static string Shown(ReadOnlySpan<char> field) =>
        '"' + (field.Length > 60 ? $"{field[..60]}…" : field.ToString()).ReplaceLineEndings(" ") + '"';

    private sealed class MemoryText(ReadOnlyMemory<char> text) : TextReader
    {
        private ReadOnlyMemory<char> rest = text;

        public override int Read(Span<char> buffer)
        {
            var length = Math.Min(buffer.Length, rest.Length);
            rest.Span[..length].CopyTo(buffer);
            rest = rest[length..];
            return length;
        }

        public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

        public override int Read()
        {
            Span<char> one = stackalloc char[1];
            return Read(one) == 0 ? -1 : one[0];
        }

        public override int Peek() => rest.IsEmpty ? -1 : rest.Span[0];
    }
}
