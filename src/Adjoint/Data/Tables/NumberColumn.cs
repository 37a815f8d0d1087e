using System.Globalization;

namespace Adjoint.Data.Tables;

/// <summary>A column of numbers in float64; NaN is a missing value.</summary>
public sealed class NumberColumn : Column
{
    private readonly double[] values;

    /// <summary>Creates a column of numbers.</summary>
    /// <param name="name">The name of the column.</param>
    /// <param name="values">The numbers, which the column keeps; NaN where one is missing.</param>
    public NumberColumn(string name, double[] values) : base(name, values.Length, values.Count(double.IsNaN))
    {
        this.values = values;
        IsInteger = Array.TrueForAll(values, value => double.IsNaN(value)
            || value == Math.Floor(value) && Math.Abs(value) <= FieldText.LargestInteger);
    }

    private NumberColumn(string name, double[] values, int missing, bool isInteger)
        : base(name, values.Length, missing) => (this.values, IsInteger) = (values, isInteger);

    /// <summary>Whether all numbers are whole.</summary>
    public bool IsInteger { get; }

    /// <inheritdoc/>
    public override ColumnKind Kind =>
        MissingCount == Count ? ColumnKind.Empty : IsInteger ? ColumnKind.Integer : ColumnKind.Number;

    /// <summary>The numbers, one per row; NaN where one is missing.</summary>
    public ReadOnlySpan<double> Values => values;

    /// <inheritdoc/>
    public override bool IsMissing(int row) => double.IsNaN(values[row]);

    /// <inheritdoc/>
    public override string? Text(int row) =>
        IsMissing(row) ? null : values[row].ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override Column Rename(string name) => new NumberColumn(name, values, MissingCount, IsInteger);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows)
    {
        var picked = Pick(values, rows);
        return new NumberColumn(Name, picked, picked.Count(double.IsNaN), IsInteger);
    }
}
