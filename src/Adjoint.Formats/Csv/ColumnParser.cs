using System.Diagnostics;
using Adjoint.Data.Tables;

namespace Adjoint.Formats;

/// <summary>
/// What a column's fields are tried as; a field that does not fit moves the column on to a later one.
/// </summary>
internal enum FieldMode
{
    Number,
    Date,
    Truth,
    Text,
    Skip,
}

/// <summary>
/// A column of a file, and what it is tried as in the next block. Shared by the parsers of all blocks.
/// </summary>
internal sealed class ColumnPlan(string name, int position)
{
    internal string Name { get; } = name;
    internal int Position { get; } = position;

    /// <summary>The mode in which the next block begins.</summary>
    internal volatile FieldMode Mode;

    /// <summary>The kind that the fields must have; null where it is found.</summary>
    internal ColumnKind? Asserted { get; init; }
}

/// <summary>What all parsers of a file need to know.</summary>
internal sealed class FieldRules(CsvDialect dialect, CsvOptions options, bool isMarkKnown)
{
    internal char DecimalMark { get; } = dialect.DecimalMark;
    internal char OtherMark { get; } = dialect.DecimalMark == '.' ? ',' : '.';
    internal bool HasQuotes { get; } = dialect.HasQuotes;

    // 1,234 is no number where nothing says whether the comma begins a fraction.
    private readonly bool hasGroups = isMarkKnown || dialect.Delimiter == ',';

    /// <summary>Whether a number has been seen whose fraction can only begin with the other mark.</summary>
    internal volatile bool OtherMarkSeen;

    internal bool IsMissing(ReadOnlySpan<char> field, bool amongNumbers) => options.MissingWords is { } words
        ? FieldText.IsMissing(field, words)
        : FieldText.IsMissing(field, amongNumbers);

    internal bool TryNumber(ReadOnlySpan<char> field, out double value, out NumberForm form)
    {
        if (!FieldText.TryNumber(field, DecimalMark, out value, out form)) return false;
        if ((form & NumberForm.Grouped) == 0 || hasGroups || !field.Contains(OtherMark)) return true;
        (value, form) = (double.NaN, NumberForm.None);
        return false;
    }

    /// <summary>Looks at a field that is no number with this mark.</summary>
    internal void Refused(ReadOnlySpan<char> field)
    {
        if (IsFraction(field, OtherMark)) OtherMarkSeen = true;
    }

    /// <summary>Whether a mark can only begin a fraction: 1.234 may be a thousand; 1,234.5 and 0.125 are not.</summary>
    internal static bool IsFraction(ReadOnlySpan<char> field, char mark)
    {
        field = field.Trim();
        if (field.Length > 40 || !field.Contains(mark) || !FieldText.TryNumber(field, mark, out _, out var form)
            || (form & NumberForm.Fraction) == 0) return false;
        var at = field.LastIndexOf(mark);
        return field.Length - 1 - at != 3 || (form & NumberForm.Grouped) != 0 || at > 3
            || field.TrimStart("-+")[0] is '0' or '.' or ',';
    }
}

/// <summary>The fields of a column in one block, parsed one after another into an array of its kind.</summary>
internal sealed class ColumnParser
{
    private readonly ColumnPlan plan;
    private readonly FieldRules rules;
    private readonly int capacity;
    private double[] numbers = [];
    private long[] ticks = [];
    private sbyte[] truths = [];
    private int[] codes = [];
    private Dictionary<string, int>? words;
    private Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup;
    private int count;
    private int pair = -1;
    private string? falseWord, trueWord;
    private NumberForm numberForms;
    private DateForm dateForms;

    internal ColumnParser(ColumnPlan plan, FieldMode mode, FieldRules rules, int capacity)
    {
        (this.plan, this.rules, this.capacity, Mode) = (plan, rules, capacity, mode);
        switch (mode)
        {
            case FieldMode.Number: numbers = new double[capacity]; break;
            case FieldMode.Date: ticks = new long[capacity]; break;
            case FieldMode.Truth: truths = new sbyte[capacity]; break;
            case FieldMode.Text:
                codes = new int[capacity];
                words = [];
                lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
                break;
            case FieldMode.Skip: break;
            default: throw new UnreachableException();
        }
    }

    internal FieldMode Mode { get; private set; }

    /// <summary>The mode to try instead, where a field did not fit.</summary>
    internal FieldMode? Next { get; private set; }

    internal ColumnPlan Plan => plan;

    /// <summary>Adds the next field; false where the column's kind is asserted, and the field is of another.</summary>
    internal bool Add(ReadOnlySpan<char> field)
    {
        switch (Mode)
        {
            case FieldMode.Number:
                if (rules.TryNumber(field, out var number, out var form) && Fits(form, number))
                {
                    numbers[count++] = number;
                    numberForms |= form;
                    return true;
                }
                if (rules.IsMissing(field, amongNumbers: true))
                {
                    numbers[count++] = double.NaN;
                    return true;
                }
                rules.Refused(field);
                break;
            case FieldMode.Date:
                if (DateText.TryParse(field, out var date, out var dateForm))
                {
                    ticks[count++] = date;
                    dateForms |= dateForm;
                    return true;
                }
                if (rules.IsMissing(field, amongNumbers: true))
                {
                    ticks[count++] = DateColumn.Missing;
                    return true;
                }
                break;
            case FieldMode.Truth:
                if (TryTruth(field, out var truth))
                {
                    truths[count++] = (sbyte)(truth ? 1 : 0);
                    return true;
                }
                if (rules.IsMissing(field, amongNumbers: true))
                {
                    truths[count++] = -1;
                    return true;
                }
                break;
            case FieldMode.Text:
                if (rules.IsMissing(field, amongNumbers: false))
                {
                    codes[count++] = -1;
                    return true;
                }
                if (!lookup.TryGetValue(field, out var code))
                {
                    code = words!.Count;
                    words[field.ToString()] = code;
                }
                codes[count++] = code;
                return true;
            default: return true;
        }
        if (plan.Asserted is not null) return false;
        Next = Mode != FieldMode.Number ? FieldMode.Text
            : DateText.TryParse(field, out _, out _) ? FieldMode.Date
            : FieldText.TryTruth(field, out _, out _) ? FieldMode.Truth : FieldMode.Text;
        Mode = FieldMode.Skip;
        return true;
    }

    // Postal codes and long identifiers are numbers only where somebody says so.
    private bool Fits(NumberForm form, double value) => plan.Asserted switch
    {
        null => (form & (NumberForm.LeadingZero | NumberForm.Large)) == 0,
        ColumnKind.Integer => value == Math.Floor(value) && Math.Abs(value) <= FieldText.LargestInteger,
        _ => true,
    };

    private bool TryTruth(ReadOnlySpan<char> field, out bool value)
    {
        if (!FieldText.TryTruth(field, out value, out var other))
        {
            // Truth values with gaps are often written as 1.0 and 0.0.
            if (!rules.TryNumber(field, out var number, out _) || number is not (0 or 1)) return false;
            (value, other) = (number == 1, FieldText.TruthWords.Count - 1);
            field = value ? "1" : "0";
        }
        if (pair >= 0 && pair != other) return false;
        pair = other;
        if (value) trueWord ??= field.ToString();
        else falseWord ??= field.ToString();
        return true;
    }

    internal ParsedColumn Finish()
    {
        switch (Mode)
        {
            case FieldMode.Number:
                Array.Resize(ref numbers, count);
                var column = new NumberColumn(plan.Name, numbers);
                return new(column)
                {
                    NumberForms = numberForms,
                    IsZeroOrOne = column.IsInteger
                        && Array.TrueForAll(numbers, value => double.IsNaN(value) || value is 0 or 1),
                };
            case FieldMode.Date:
                Array.Resize(ref ticks, count);
                return new(new DateColumn(plan.Name, ticks)) { DateForms = dateForms };
            case FieldMode.Truth:
                Array.Resize(ref truths, count);
                return new(new TruthColumn(plan.Name, truths))
                {
                    TruthPair = pair,
                    FalseWord = falseWord,
                    TrueWord = trueWord,
                };
            case FieldMode.Text:
                Array.Resize(ref codes, count);
                return new(new TextColumn(plan.Name, codes, [.. words!.Keys]));
            default: throw new UnreachableException();
        }
    }

    internal ColumnParser Again(FieldMode mode) => new(plan, mode, rules, capacity);
}

/// <summary>A column of one block, and what its fields say about the column's kind.</summary>
internal sealed record ParsedColumn(Column Column)
{
    internal NumberForm NumberForms { get; init; }
    internal DateForm DateForms { get; init; }
    internal bool IsZeroOrOne { get; init; }

    /// <summary>
    /// The pair of words for false and true; −1 where none occurred. The words are as the file has them.
    /// </summary>
    internal int TruthPair { get; init; } = -1;
    internal string? FalseWord { get; init; }
    internal string? TrueWord { get; init; }
}
