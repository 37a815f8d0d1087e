using System.Globalization;

namespace Adjoint.Data.Tables;

/// <summary>What was unusual in rows that were encoded; nothing of it was an error.</summary>
public sealed record EncodingReport
{
    /// <summary>How many rows had no target, and were left out.</summary>
    public int RowsWithoutTarget { get; init; }

    /// <summary>By column, how many rows have a category that training did not have.</summary>
    public IReadOnlyDictionary<string, int> UnknownCategories { get; init; } = new Dictionary<string, int>();

    /// <summary>By column, how many rows lack a value that no training row lacked; the mean stands for it.</summary>
    public IReadOnlyDictionary<string, int> UnexpectedMissing { get; init; } = new Dictionary<string, int>();

    /// <summary>Columns that training did not have.</summary>
    public IReadOnlyList<string> IgnoredColumns { get; init; } = [];

    /// <summary>The report in words, a line for each thing.</summary>
    /// <returns>The lines; none where nothing was unusual.</returns>
    public IReadOnlyList<string> Lines()
    {
        var lines = new List<string>();
        if (RowsWithoutTarget > 0) lines.Add(Text($"{Rows(RowsWithoutTarget)} without a target: left out"));
        foreach (var (column, rows) in UnknownCategories)
            lines.Add($"column \"{column}\": {Rows(rows)} with a category that training did not have");
        foreach (var (column, rows) in UnexpectedMissing)
            lines.Add(
                $"column \"{column}\": {Rows(rows)} without a value, as in no training row; the mean stands for it");
        if (IgnoredColumns.Count > 0)
            lines.Add("columns that training did not have are ignored: " + DataFormatException.Abbreviate(
                string.Join(", ", IgnoredColumns.Select(column => $"\"{column}\""))));
        return lines;
    }

    private static string Rows(int count) => Text($"{count:N0} {(count == 1 ? "row" : "rows")}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What the encoding of some rows gathers, and where it looks categories up.</summary>
internal sealed class EncodingTally(
    bool refuseUnknown, IReadOnlyDictionary<string, Dictionary<string, int>> positions)
{
    private readonly Dictionary<string, int> unknown = [], unexpected = [];

    public bool RefuseUnknown => refuseUnknown;

    public IReadOnlyDictionary<string, Dictionary<string, int>> Positions => positions;

    public void Unknown(string column, int rows)
    {
        if (rows > 0) unknown[column] = rows;
    }

    public void Missing(string column, int rows)
    {
        if (rows > 0) unexpected[column] = rows;
    }

    public EncodingReport Report(int rowsWithoutTarget, IReadOnlyList<string> ignored) => new()
    {
        RowsWithoutTarget = rowsWithoutTarget,
        UnknownCategories = unknown,
        UnexpectedMissing = unexpected,
        IgnoredColumns = ignored,
    };
}
