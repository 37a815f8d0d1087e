using System.Diagnostics.CodeAnalysis;

namespace Adjoint.Data.Tables;

/// <summary>
/// Rows of named columns in memory, column by column: numbers, truth values, dates and texts, with missing values.
/// Tables do not change: what selects rows or columns gives a new one that shares what it can.
/// </summary>
public sealed class Table
{
    private readonly Column[] columns;
    private readonly Dictionary<string, int> positions;
    private readonly int firstRow;
    private readonly int[]? rowNumbers;

    /// <summary>Creates a table of columns.</summary>
    /// <param name="name">Where the rows come from, such as a file, for messages.</param>
    /// <param name="columns">The columns, all with the same number of rows.</param>
    /// <param name="firstRow">The number of the first row where it comes from, for messages.</param>
    /// <exception cref="AdjointException">There is no column, two have one name, or their lengths differ.</exception>
    public Table(string name, IEnumerable<Column> columns, int firstRow = 1) : this(name, columns, firstRow, null) { }

    private Table(string name, IEnumerable<Column> columns, int firstRow, int[]? rowNumbers)
    {
        (Name, this.columns, this.firstRow, this.rowNumbers) = (name, [.. columns], firstRow, rowNumbers);
        if (this.columns.Length == 0) throw new AdjointException($"{name}: a table needs a column, found none");
        RowCount = this.columns[0].Count;
        positions = new(this.columns.Length);
        for (var i = 0; i < this.columns.Length; i++)
        {
            var column = this.columns[i];
            if (!positions.TryAdd(column.Name, i))
                throw new AdjointException($"{name}: columns {positions[column.Name] + 1} and {i + 1} are both named "
                    + $"\"{column.Name}\"; rename one of them");
            if (column.Count != RowCount)
                throw new AdjointException($"{name}: column \"{column.Name}\" has {column.Count} rows, expected "
                    + $"{RowCount} as in column \"{this.columns[0].Name}\"");
        }
    }

    /// <summary>Where the rows come from, such as a file.</summary>
    public string Name { get; }

    /// <summary>The number of rows.</summary>
    public int RowCount { get; }

    /// <summary>The columns, in order.</summary>
    public IReadOnlyList<Column> Columns => columns;

    /// <summary>The column with a name.</summary>
    /// <param name="name">The name, in this case.</param>
    /// <returns>The column of that name.</returns>
    /// <exception cref="AdjointException">There is none; the message names those that there are.</exception>
    public Column this[string name] => Find(name, out var column)
        ? column
        : throw new AdjointException($"{Name}: there is no column \"{name}\"; {Names()}");

    /// <summary>Looks for a column.</summary>
    /// <param name="name">The name, in this case.</param>
    /// <param name="column">The column; null where there is none.</param>
    /// <returns>Whether there is one.</returns>
    public bool Find(string name, [NotNullWhen(true)] out Column? column)
    {
        column = positions.TryGetValue(name, out var position) ? columns[position] : null;
        return column is not null;
    }

    /// <summary>The number of a row where it came from, from 1 on, without the names of columns.</summary>
    /// <param name="row">The position of the row in this table, from 0 on.</param>
    /// <returns>The number, for messages.</returns>
    public int RowNumber(int row) => rowNumbers is null ? firstRow + row : rowNumbers[row];

    /// <summary>Some rows, in the order asked for; a row may come more than once.</summary>
    /// <param name="rows">The positions of the rows, from 0 on.</param>
    /// <returns>The new table.</returns>
    /// <exception cref="AdjointException">There is no row at one of the positions.</exception>
    public Table Take(ReadOnlySpan<int> rows)
    {
        var numbers = new int[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)RowCount)
                throw new AdjointException($"{Name}: there is no row at position {rows[i]}; use 0..{RowCount - 1}");
            numbers[i] = RowNumber(rows[i]);
        }
        var taken = new Column[columns.Length];
        for (var i = 0; i < taken.Length; i++) taken[i] = columns[i].Take(rows);
        return new(Name, taken, 1, numbers);
    }

    /// <summary>Some columns, in the order asked for.</summary>
    /// <param name="names">The names of the columns.</param>
    /// <returns>The new table.</returns>
    /// <exception cref="AdjointException">There is no column of such a name, or one comes twice.</exception>
    public Table Select(params IEnumerable<string> names) => With(names.Select(name => this[name]));

    /// <summary>All columns but some.</summary>
    /// <param name="names">The names of the columns to leave out.</param>
    /// <returns>The new table.</returns>
    /// <exception cref="AdjointException">There is no column of such a name, or none is left.</exception>
    public Table Without(params IEnumerable<string> names)
    {
        var left = names.Select(name => this[name]).ToHashSet();
        return With(columns.Where(column => !left.Contains(column)));
    }

    /// <summary>Adds a column, or replaces the one of the same name.</summary>
    /// <param name="column">The new column, with as many rows as the table.</param>
    /// <returns>The new table.</returns>
    /// <exception cref="AdjointException">The number of rows differs.</exception>
    public Table With(Column column) => With(positions.ContainsKey(column.Name)
        ? columns.Select(old => old.Name == column.Name ? column : old)
        : columns.Append(column));

    /// <summary>Puts tables with the same columns, whatever their order, under each other.</summary>
    /// <param name="name">The name of the new table.</param>
    /// <param name="tables">The tables; a column that is numbers in one and text in another becomes text.</param>
    /// <returns>The new table, with the columns in the order of the first.</returns>
    /// <exception cref="AdjointException">There is no table, or one lacks a column of the first.</exception>
    public static Table Concat(string name, params IReadOnlyList<Table> tables)
    {
        if (tables.Count == 0) throw new AdjointException($"{name}: no tables to put under each other");
        var joined = tables[0].Columns.Select(first =>
            Column.Concat(first.Name, [.. tables.Select(table => table[first.Name])]));
        return new(name, joined);
    }

    private Table With(IEnumerable<Column> other) => new(Name, other, firstRow, rowNumbers);

    internal string Names() => "columns are " + DataFormatException.Abbreviate(
        string.Join(", ", columns.Select(column => $"\"{column.Name}\"")));
}
