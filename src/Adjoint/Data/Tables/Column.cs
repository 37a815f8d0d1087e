namespace Adjoint.Data.Tables;

/// <summary>
/// A named column of a <see cref="Table"/>: one value per row, some of which may be missing. Columns do not change, so
/// threads may share them.
/// </summary>
public abstract class Column
{
    private protected Column(string name, int count, int missing) =>
        (Name, Count, MissingCount) = (name, count, missing);

    /// <summary>The name, unique within a table.</summary>
    public string Name { get; }

    /// <summary>What the values are.</summary>
    public abstract ColumnKind Kind { get; }

    /// <summary>The number of rows, missing values among them.</summary>
    public int Count { get; }

    /// <summary>How many of the rows have no value.</summary>
    public int MissingCount { get; }

    /// <summary>Whether a row has no value.</summary>
    /// <param name="row">The position of the row, from 0 on.</param>
    /// <returns>True where the value is missing.</returns>
    public abstract bool IsMissing(int row);

    /// <summary>A row's value as text: numbers with a decimal point, dates as in ISO 8601.</summary>
    /// <param name="row">The position of the row, from 0 on.</param>
    /// <returns>The text; null where the value is missing.</returns>
    public abstract string? Text(int row);

    /// <summary>The same values under another name.</summary>
    /// <param name="name">The name of the new column.</param>
    /// <returns>The new column, which shares the memory of this one.</returns>
    public abstract Column Rename(string name);

    /// <summary>The values of some rows, in the order asked for.</summary>
    /// <param name="rows">The positions of the rows, from 0 on.</param>
    /// <returns>The new column.</returns>
    public abstract Column Take(ReadOnlySpan<int> rows);

    /// <summary>
    /// Puts columns under each other. Parts without a value fit to any other; parts of different kinds become text.
    /// </summary>
    /// <param name="name">The name of the new column.</param>
    /// <param name="parts">The columns, first rows first.</param>
    /// <returns>The new column.</returns>
    public static Column Concat(string name, params IReadOnlyList<Column> parts)
    {
        if (parts.Count == 1) return parts[0].Rename(name);
        var filled = parts.Where(part => part.Kind != ColumnKind.Empty).ToArray();
        if (filled.All(part => part is NumberColumn))
            return new NumberColumn(name, Join(parts, double.NaN, part => ((NumberColumn)part).Values));
        if (filled.All(part => part is DateColumn))
            return new DateColumn(name, Join(parts, DateColumn.Missing, part => ((DateColumn)part).Ticks));
        if (filled[0] is TruthColumn truth && filled.All(part => part is TruthColumn other
            && (other.FalseWord, other.TrueWord) == (truth.FalseWord, truth.TrueWord)))
            return new TruthColumn(name, Join(parts, (sbyte)-1, part => ((TruthColumn)part).Values), truth.FalseWord,
                truth.TrueWord);
        return TextColumn.Join(name, parts);
    }

    private static T[] Join<T>(IReadOnlyList<Column> parts, T missing, Func<Column, ReadOnlySpan<T>> values)
    {
        var joined = new T[parts.Sum(part => part.Count)];
        var at = 0;
        foreach (var part in parts)
        {
            var to = joined.AsSpan(at, part.Count);
            if (part.Kind == ColumnKind.Empty) to.Fill(missing);
            else values(part).CopyTo(to);
            at += part.Count;
        }
        return joined;
    }

    private protected static T[] Pick<T>(T[] values, ReadOnlySpan<int> rows)
    {
        var picked = new T[rows.Length];
        for (var i = 0; i < rows.Length; i++) picked[i] = values[rows[i]];
        return picked;
    }
}
