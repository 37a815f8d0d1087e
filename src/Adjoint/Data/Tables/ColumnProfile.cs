using System.Globalization;

namespace Adjoint.Data.Tables;

/// <summary>What a column holds, and what a network is given of it.</summary>
public sealed record ColumnProfile
{
    /// <summary>How many different values of a column are counted.</summary>
    public const int MostDistinct = 10_000;

    // A whole number of few values, each in many rows, is rather a category.
    private const int MostWholeCategories = 8;
    private const int RowsPerCategory = 50;

    /// <summary>The name of the column.</summary>
    public required string Name { get; init; }

    /// <summary>What the values are.</summary>
    public required ColumnKind Kind { get; init; }

    /// <summary>The number of rows, missing values among them.</summary>
    public required long Count { get; init; }

    /// <summary>How many of the rows have no value.</summary>
    public required long Missing { get; init; }

    /// <summary>The number of different values; null where there are more than <see cref="MostDistinct"/>.</summary>
    public int? Distinct { get; init; }

    /// <summary>The smallest number, or the first date in days since 1 January 2000; NaN where there is none.</summary>
    public double Min { get; init; } = double.NaN;

    /// <summary>The largest number, or the last date in days since 1 January 2000; NaN where there is none.</summary>
    public double Max { get; init; } = double.NaN;

    /// <summary>The mean of the numbers (of dates: in days); NaN where there is none.</summary>
    public double Mean { get; init; } = double.NaN;

    /// <summary>The standard deviation of the population of numbers; NaN where there is no number.</summary>
    public double Deviation { get; init; } = double.NaN;

    /// <summary>The most frequent values with their numbers of rows, most frequent first; at most ten.</summary>
    public IReadOnlyList<(string Value, long Count)> MostFrequent { get; init; } = [];

    /// <summary>Whether the numbers are those of the rows: each one more than the one before.</summary>
    public bool IsRowNumber { get; init; }

    /// <summary>Whether some date has a time of day.</summary>
    public bool HasTimeOfDay { get; init; }

    /// <summary>What a network is given of the column by default.</summary>
    public ColumnRole Role => RoleAndReason.Role;

    /// <summary>Why it has this role, where that is not plain from its kind; empty otherwise.</summary>
    public string Reason => RoleAndReason.Reason;

    private long Filled => Count - Missing;

    private (ColumnRole Role, string Reason) RoleAndReason => Kind switch
    {
        _ when Filled == 0 => (ColumnRole.LeftOut, "no value in any row"),
        _ when Missing == 0 && (Distinct == 1 || Min == Max) =>
            (ColumnRole.LeftOut, "the same value in all rows"),
        ColumnKind.Integer when IsRowNumber && Count > 2 => (ColumnRole.LeftOut, "numbers the rows"),
        ColumnKind.Integer when Distinct <= MostWholeCategories && Filled >= (long)RowsPerCategory * Distinct.Value
            && Distinct > 2 => (ColumnRole.Category, $"{Distinct} whole numbers only"),
        ColumnKind.Text when Distinct is null =>
            (ColumnRole.LeftOut, $"more than {MostDistinct:N0} different texts"),
        ColumnKind.Text when Distinct > 20 && Distinct > Filled / 2 =>
            (ColumnRole.LeftOut, $"{Distinct:N0} different texts in {Filled:N0} rows"),
        ColumnKind.Text => (ColumnRole.Category, ""),
        ColumnKind.Date => (ColumnRole.Date, ""),
        _ => (ColumnRole.Number, ""),
    };

    /// <summary>The values in a few words: a range, or the most frequent ones.</summary>
    /// <returns>A text such as "1998 … 2023, mean 2011" or "BMW (1,204), Opel (960), … (12 different)".</returns>
    public string Describe()
    {
        if (Filled == 0) return "";
        if (Kind is ColumnKind.Integer or ColumnKind.Number && Role != ColumnRole.Category)
            return string.Create(CultureInfo.InvariantCulture, $"{Min:G6} … {Max:G6}, mean {Mean:G6}");
        if (Kind == ColumnKind.Date)
            return string.Create(CultureInfo.InvariantCulture,
                $"{TableProfiler.DateOf(Min):yyyy-MM-dd} … {TableProfiler.DateOf(Max):yyyy-MM-dd}");
        var shown = MostFrequent.Take(3).Select(entry => string.Create(CultureInfo.InvariantCulture,
            $"{(entry.Value.Length > 24 ? entry.Value[..24] + "…" : entry.Value)} ({entry.Count:N0})"));
        var text = string.Join(", ", shown);
        if (Distinct is null) return $"{text}, …";
        return Distinct <= 3 ? text
            : string.Create(CultureInfo.InvariantCulture, $"{text}, … ({Distinct:N0} different)");
    }
}
