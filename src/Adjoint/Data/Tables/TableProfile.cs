using System.Globalization;
using System.Text;

namespace Adjoint.Data.Tables;

/// <summary>
/// What a table holds: its columns with kinds, ranges, missing values, and what should be known of it.
/// </summary>
/// <param name="Name">Where the rows come from, such as a file.</param>
/// <param name="Format">How the file is written; empty where there is none.</param>
/// <param name="RowCount">The number of rows.</param>
/// <param name="Columns">The columns, in order.</param>
/// <param name="Notes">What a person should know of how the rows were understood.</param>
public sealed record TableProfile(
    string Name, string Format, long RowCount, IReadOnlyList<ColumnProfile> Columns, IReadOnlyList<string> Notes)
{
    /// <summary>Describes a table in memory.</summary>
    /// <param name="table">The table, of any size.</param>
    /// <returns>The profile of all columns.</returns>
    public static TableProfile Of(Table table)
    {
        var profiler = new TableProfiler(table.Name);
        profiler.Add(table);
        return profiler.Finish();
    }

    /// <summary>The profile of a column.</summary>
    /// <param name="column">The name of the column.</param>
    /// <returns>The profile of that column.</returns>
    /// <exception cref="AdjointException">There is no such column.</exception>
    public ColumnProfile this[string column] => Columns.FirstOrDefault(other => other.Name == column)
        ?? throw new AdjointException($"{Name}: there is no column \"{column}\"; columns are "
            + DataFormatException.Abbreviate(string.Join(", ", Columns.Select(other => $"\"{other.Name}\""))));

    /// <summary>The profile as a table for a terminal, one line for each column.</summary>
    /// <returns>The text, of several lines.</returns>
    public override string ToString()
    {
        var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture,
            $"{Name}: {RowCount:N0} rows, {Columns.Count:N0} columns{(Format == "" ? "" : "; " + Format)}\n"));
        string[][] rows =
        [
            ["column", "kind", "missing", "used as", "values"],
            .. Columns.Select(column => (string[])[column.Name, column.Kind.ToString().ToLowerInvariant(),
                column.Missing == 0 ? "" : column.Missing.ToString("N0", CultureInfo.InvariantCulture),
                RoleText(column.Role), column.Describe()
                    + (column.Reason == "" ? "" : $"{(column.Describe() == "" ? "" : "; ")}{column.Reason}")]),
        ];
        var widths = Enumerable.Range(0, 4).Select(i => rows.Max(row => row[i].Length)).ToArray();
        foreach (var row in rows)
        {
            for (var i = 0; i < widths.Length; i++)
                text.Append(i == 2 ? row[i].PadLeft(widths[i]) : row[i].PadRight(widths[i])).Append("  ");
            text.Append(row[^1]).Append('\n');
        }
        foreach (var note in Notes) text.Append(note).Append('\n');
        return text.ToString();
    }

    private static string RoleText(ColumnRole role) => role switch
    {
        ColumnRole.Number => "number",
        ColumnRole.Category => "category",
        ColumnRole.Date => "date",
        _ => "left out",
    };
}
