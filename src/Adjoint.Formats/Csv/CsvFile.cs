using Adjoint.Data;
using Adjoint.Data.Tables;

namespace Adjoint.Formats;

/// <summary>
/// Reads files of separated values (CSV, TSV): RFC 4180, and what else people have. Delimiter, decimal mark, encoding,
/// names of columns and the kind of each column are found, the kinds from all rows. Blank lines are no rows (but in a
/// file of one column, where they are missing values); blanks around fields do not count. A row that is not right is an
/// error that names file, row, line and column. Blocks of the file are parsed on all cores.
/// </summary>
public static class CsvFile
{
    /// <summary>Finds how a file is written, from its first part.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="options">What is known already.</param>
    /// <returns>Delimiter, decimal mark, names of columns, encoding.</returns>
    /// <exception cref="DataFormatException">The file is empty, no text, or cannot be read.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static CsvDialect Detect(string path, CsvOptions? options = null) =>
        CsvLayout.Find(path, options ?? new()).Dialect;

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="options">What is known of the file; the rest is found.</param>
    /// <returns>The rows, in columns of the kinds found or given.</returns>
    /// <exception cref="DataFormatException">A row is not right, or the file cannot be read.</exception>
    /// <exception cref="AdjointException">A column to read is not there.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static Table Read(string path, CsvOptions? options = null)
    {
        options ??= new();
        var layout = CsvLayout.Find(path, options);
        var (scan, parts) = Scan(layout, options, isKept: true);
        var texts = scan.Verdicts.Where(verdict => verdict.Kind == ColumnKind.Text && verdict.HasOthers).ToArray();
        if (texts.Length > 0)
        {
            // Numbers in the first rows, words in a later one: their text is only in the file.
            var again = Scan(scan.Layout,
                options with
                {
                    Kinds = texts.ToDictionary(verdict => verdict.Plan.Name, _ => ColumnKind.Text),
                    Columns = [.. texts.Select(verdict => verdict.Plan.Name)]
                }, isKept: true).Parts;
            for (var i = 0; i < texts.Length; i++) parts[Array.IndexOf(scan.Verdicts, texts[i])] = again[i];
        }
        var columns = new Column[parts.Length];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = scan.Verdicts[i].Convert(Column.Concat(scan.Verdicts[i].Plan.Name, parts[i]));
            parts[i] = [];
        }
        return new(path, columns);
    }

    /// <summary>
    /// Reads a file in parts of about a MiB, in memory that does not grow with the file. The kinds of columns are found
    /// in a pass over the whole file before, unless all are given.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="options">What is known of the file; the rest is found.</param>
    /// <returns>The rows, in order, as tables of the same columns.</returns>
    /// <exception cref="DataFormatException">A row is not right, or the file cannot be read.</exception>
    /// <exception cref="AdjointException">A column to read is not there.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static IEnumerable<Table> ReadChunks(string path, CsvOptions? options = null)
    {
        options ??= new();
        return Chunks(Scan(CsvLayout.Find(path, options), options, isKept: false).Scan, options);
    }

    /// <summary>
    /// Describes a file: how it is written, and the kind, range and missing values of each column. In memory that does
    /// not grow with the file.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="options">What is known of the file; the rest is found.</param>
    /// <returns>The profile, to be shown and checked before anything is trained.</returns>
    /// <exception cref="DataFormatException">A row is not right, or the file cannot be read.</exception>
    /// <exception cref="AdjointException">A column to read is not there.</exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static TableProfile Profile(string path, CsvOptions? options = null)
    {
        options ??= new();
        var scan = Scan(CsvLayout.Find(path, options), options, isKept: false).Scan;
        var profiler = new TableProfiler(path, scan.Layout.Dialect.ToString());
        foreach (var note in scan.Layout.Notes) profiler.AddNote(note);
        foreach (var verdict in scan.Verdicts)
            if (verdict.Note is { } note) profiler.AddNote(note);
        foreach (var chunk in Chunks(scan, options)) profiler.Add(chunk);
        return profiler.Finish();
    }

    private sealed record Scanned(CsvLayout Layout, ColumnVerdict[] Verdicts);

    // Over the whole file: what each column is, and where wanted its parts.
    private static (Scanned Scan, List<Column>[] Parts) Scan(CsvLayout layout, CsvOptions options, bool isKept)
    {
        while (true)
        {
            var plans = Plans(layout, options);
            var rules = new FieldRules(layout.Dialect, options, layout.IsMarkKnown);
            var verdicts = plans.Select(plan => new ColumnVerdict(plan, layout.Dialect, options)).ToArray();
            var parts = plans.Select(_ => new List<Column>()).ToArray();
            foreach (var block in CsvPass.Run(layout, options, plans, rules))
                for (var i = 0; i < plans.Length; i++)
                {
                    verdicts[i].Add(block.Columns[i]);
                    if (isKept) parts[i].Add(block.Columns[i].Column);
                }
            // The first part of the file had no fraction to tell the mark.
            if (!layout.IsMarkKnown && rules.OtherMarkSeen && !verdicts.Any(verdict => verdict.HasFraction))
            {
                layout = layout.WithMark(rules.OtherMark);
                continue;
            }
            foreach (var (i, plan) in plans.Index())
                if (parts[i].Count == 0) parts[i].Add(new NumberColumn(plan.Name, []));
            return (new(layout, verdicts), parts);
        }
    }

    private static IEnumerable<Table> Chunks(Scanned scan, CsvOptions options)
    {
        var plans = scan.Verdicts
            .Select(verdict => Planned(verdict.Plan.Name, verdict.Plan.Position, verdict.Kind)).ToArray();
        var rules = new FieldRules(scan.Layout.Dialect, options, scan.Layout.IsMarkKnown);
        var first = 1;
        foreach (var block in CsvPass.Run(scan.Layout, options, plans, rules))
        {
            yield return new(scan.Layout.Path,
                block.Columns.Select((parsed, i) => scan.Verdicts[i].Convert(parsed.Column)), first);
            first += block.Rows;
        }
    }

    private static ColumnPlan[] Plans(CsvLayout layout, CsvOptions options)
    {
        var positions = layout.Names.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
        return [.. (options.Columns ?? layout.Names).Select(name => positions.TryGetValue(name, out var position)
            ? Planned(name, position, options.Kinds.TryGetValue(name, out var kind) ? kind : null)
            : throw new AdjointException($"{layout.Path}: there is no column \"{name}\"; columns are "
                + DataFormatException.Abbreviate(string.Join(", ", layout.Names.Select(other => $"\"{other}\"")))))];
    }

    private static ColumnPlan Planned(string name, int position, ColumnKind? kind) => new(name, position)
    {
        Asserted = kind,
        Mode = kind switch
        {
            ColumnKind.Date => FieldMode.Date,
            ColumnKind.Truth => FieldMode.Truth,
            ColumnKind.Text => FieldMode.Text,
            _ => FieldMode.Number,
        },
    };
}
