using System.Globalization;

namespace Adjoint.Data.Tables;

/// <summary>A column of dates, with or without a time of day; those with an offset are in UTC.</summary>
public sealed class DateColumn : Column
{
    /// <summary>What stands for a missing date.</summary>
    public const long Missing = long.MinValue;

    private readonly long[] ticks;

    /// <summary>Creates a column of dates.</summary>
    /// <param name="name">The name of the column.</param>
    /// <param name="ticks">
    /// The dates as <see cref="DateTime.Ticks"/>, which the column keeps; <see cref="Missing"/> where one is missing.
    /// </param>
    public DateColumn(string name, long[] ticks) : base(name, ticks.Length, ticks.Count(date => date == Missing)) =>
        this.ticks = ticks;

    /// <inheritdoc/>
    public override ColumnKind Kind => MissingCount == Count ? ColumnKind.Empty : ColumnKind.Date;

    /// <summary>The dates as <see cref="DateTime.Ticks"/>; <see cref="Missing"/> where one is missing.</summary>
    public ReadOnlySpan<long> Ticks => ticks;

    /// <inheritdoc/>
    public override bool IsMissing(int row) => ticks[row] == Missing;

    /// <inheritdoc/>
    public override string? Text(int row)
    {
        if (IsMissing(row)) return null;
        var date = new DateTime(ticks[row]);
        return date.ToString(date.TimeOfDay == default ? "yyyy-MM-dd" : "yyyy-MM-dd HH:mm:ss.FFFFFFF",
            CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public override Column Rename(string name) => new DateColumn(name, ticks);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows) => new DateColumn(Name, Pick(ticks, rows));
}
