using Adjoint.Data.Tables;

namespace Adjoint.Formats;

/// <summary>Gathers over all blocks what a column is.</summary>
internal sealed class ColumnVerdict(ColumnPlan plan, CsvDialect dialect, CsvOptions options)
{
    private bool isInteger = true, isZeroOrOne = true, hasZero, hasOne, hasTexts, isMixed;
    private ColumnKind? seen;
    private DateForm dateForms;
    private int pair = -1;
    private string? falseWord, trueWord;

    internal ColumnPlan Plan => plan;

    /// <summary>Whether a number had a fraction: the decimal mark is then more than an assumption.</summary>
    internal bool HasFraction { get; private set; }

    /// <summary>Whether a block was not kept as text, so that a column of text must be read again.</summary>
    internal bool HasOthers { get; private set; }

    internal void Add(ParsedColumn parsed)
    {
        HasOthers |= parsed.Column is not TextColumn;
        HasFraction |= (parsed.NumberForms & NumberForm.Fraction) != 0;
        if (parsed.Column.Kind == ColumnKind.Empty) return;
        var kind = parsed.Column.Kind == ColumnKind.Integer ? ColumnKind.Number : parsed.Column.Kind;
        isMixed |= seen is { } before && before != kind;
        seen = kind;
        hasTexts |= kind == ColumnKind.Text;
        dateForms |= parsed.DateForms;
        isInteger &= parsed.Column.Kind != ColumnKind.Number;
        isZeroOrOne &= parsed.IsZeroOrOne;
        if (parsed.IsZeroOrOne && !(hasZero && hasOne))
            foreach (var value in ((NumberColumn)parsed.Column).Values)
            {
                hasZero |= value == 0;
                hasOne |= value == 1;
            }
        if (parsed.TruthPair < 0) return;
        isMixed |= pair >= 0 && pair != parsed.TruthPair;
        (pair, falseWord, trueWord) =
            (parsed.TruthPair, falseWord ?? parsed.FalseWord, trueWord ?? parsed.TrueWord);
    }

    internal ColumnKind Kind => plan.Asserted is { } asserted ? asserted
        : seen is null ? ColumnKind.Empty
        : isMixed || hasTexts || seen == ColumnKind.Date && !HasOneOrder ? ColumnKind.Text
        : seen != ColumnKind.Number ? seen.Value
        : isZeroOrOne && hasZero && hasOne ? ColumnKind.Truth
        : isInteger ? ColumnKind.Integer : ColumnKind.Number;

    // Of day and month; all dates of a column are of one form.
    private bool HasOneOrder => dateForms == DateForm.Plain
        || (dateForms & (DateForm.DayFirst | DateForm.MonthFirst)) != (DateForm.DayFirst | DateForm.MonthFirst)
            && (dateForms & DateForm.Plain) == 0;

    private bool IsMonthFirst => (dateForms & DateForm.MonthFirst) != 0 || (dateForms & DateForm.Open) != 0
        && (dateForms & DateForm.DayFirst) == 0
        && !(options.IsDayFirst ?? (dialect.DecimalMark == ',' || dialect.Delimiter == ';'));

    internal string? Note
    {
        get
        {
            if (Kind != ColumnKind.Date || dateForms != DateForm.Open || options.IsDayFirst is not null) return null;
            return $"column \"{plan.Name}\": every date may have the day or the month first; "
                + $"{(IsMonthFirst ? "the month" : "the day")} is assumed (IsDayFirst)";
        }
    }

    /// <summary>The column of one block, or of the file, in the kind of all blocks.</summary>
    internal Column Convert(Column column)
    {
        if (Kind == ColumnKind.Truth)
        {
            var values = new sbyte[column.Count];
            for (var row = 0; row < values.Length; row++)
                values[row] = column.IsMissing(row) ? (sbyte)-1
                    : column is NumberColumn numbers ? (sbyte)numbers.Values[row]
                    : ((TruthColumn)column).Values[row];
            // Of a word that did not occur, that of the list.
            var (no, yes) = seen == ColumnKind.Number ? ("0", "1")
                : pair < 0 ? ("false", "true") : FieldText.TruthWords[pair];
            return new TruthColumn(plan.Name, values, falseWord ?? no, trueWord ?? yes);
        }
        if (column is DateColumn dates && IsMonthFirst)
            return new DateColumn(plan.Name, Exchanged(dates));
        return column;
    }

    private static long[] Exchanged(DateColumn dates)
    {
        var ticks = dates.Ticks.ToArray();
        foreach (ref var date in ticks.AsSpan())
            if (date != DateColumn.Missing) date = DateText.Exchange(date);
        return ticks;
    }
}
