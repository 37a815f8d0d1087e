using System.Globalization;

namespace Adjoint.Data.Tables;

/// <summary>
/// How the text of a field becomes a value: which words say that it is missing, and how numbers, truth values and dates
/// are written. Blanks around a field do not count.
/// </summary>
public static class FieldText
{
    /// <summary>The largest magnitude up to which float64 has every whole number: 2⁵³.</summary>
    public const double LargestInteger = 1L << 53;

    // Exact in float64.
    private static readonly double[] PowersOfTen = [.. Enumerable.Range(0, 23).Select(power => Math.Pow(10, power))];

    /// <summary>Words that say that a value is missing, in any case; an empty field does, too.</summary>
    public static IReadOnlyList<string> MissingWords { get; } = ["NA", "N/A", "#N/A", "NaN", "null", "?"];

    /// <summary>
    /// Words that say so in columns of numbers, truth values and dates only; among texts they are texts.
    /// </summary>
    public static IReadOnlyList<string> MissingAmongNumbers { get; } = ["None", "-", "."];

    /// <summary>Pairs of words for false and true, in any case; a column uses one pair.</summary>
    public static IReadOnlyList<(string False, string True)> TruthWords { get; } =
        [("false", "true"), ("no", "yes"), ("f", "t"), ("n", "y"), ("0", "1")];

    /// <summary>Whether a field says that its value is missing: it is empty, or one of the words.</summary>
    /// <param name="field">The text of the field.</param>
    /// <param name="amongNumbers">Whether <see cref="MissingAmongNumbers"/> count, too.</param>
    /// <returns>True where the value is missing.</returns>
    public static bool IsMissing(ReadOnlySpan<char> field, bool amongNumbers)
    {
        field = field.Trim();
        return field.Length switch
        {
            0 => true,
            > 4 => false,
            _ => IsMissing(field, MissingWords) || amongNumbers && IsMissing(field, MissingAmongNumbers),
        };
    }

    /// <summary>Whether a field is empty, or one of some words.</summary>
    /// <param name="field">The text of the field.</param>
    /// <param name="words">The words that say that a value is missing, in any case.</param>
    /// <returns>True where the value is missing.</returns>
    public static bool IsMissing(ReadOnlySpan<char> field, IReadOnlyList<string> words)
    {
        field = field.Trim();
        if (field.IsEmpty) return true;
        for (var i = 0; i < words.Count; i++)
            if (field.Equals(words[i], StringComparison.OrdinalIgnoreCase)) return true;
        return false;
    }

    /// <summary>
    /// Reads a number: sign, digits, perhaps a fraction and an exponent, or ±inf. Thousands may be grouped by the other
    /// mark, an apostrophe or a blank, in strict groups of three digits. Rounded as by
    /// <see cref="double.Parse(string)"/>.
    /// </summary>
    /// <param name="field">The text of the field.</param>
    /// <param name="decimalMark">What begins the fraction: '.' or ','.</param>
    /// <param name="value">The number; NaN where the field is none.</param>
    /// <param name="form">How the number was written.</param>
    /// <returns>Whether the field is a number.</returns>
    public static bool TryNumber(ReadOnlySpan<char> field, char decimalMark, out double value, out NumberForm form)
    {
        field = field.Trim();
        (value, form) = (double.NaN, NumberForm.None);
        var at = 0;
        var isNegative = false;
        if (field.Length > 0 && field[0] is '-' or '+' or '\u2212')
        {
            isNegative = field[0] != '+';
            at = 1;
        }
        ulong mantissa = 0;
        var (start, whole) = (at, 0);
        for (; at < field.Length && (uint)(field[at] - '0') <= 9; at++)
            mantissa = mantissa * 10 + (uint)(field[at] - '0');
        whole = at - start;
        if (at == field.Length)
        {
            if (whole is 0 or > 15) return whole > 0 && TryLong(field, decimalMark, out value, out form);
            value = isNegative ? -(double)mantissa : mantissa;
            form = whole > 1 && field[start] == '0' ? NumberForm.Whole | NumberForm.LeadingZero : NumberForm.Whole;
            return true;
        }
        if (field[at] != decimalMark) return TryLong(field, decimalMark, out value, out form);
        var fraction = ++at;
        for (; at < field.Length && (uint)(field[at] - '0') <= 9; at++)
            mantissa = mantissa * 10 + (uint)(field[at] - '0');
        fraction = at - fraction;
        if (at < field.Length || whole + fraction is 0 or > 15)
            return TryLong(field, decimalMark, out value, out form);
        // Both are exact, so the quotient is rounded once (Clinger, 1990).
        value = mantissa / PowersOfTen[fraction];
        if (isNegative) value = -value;
        form = NumberForm.Fraction;
        return true;
    }

    // Whatever is not a few digits with at most a mark.
    private static bool TryLong(ReadOnlySpan<char> field, char decimalMark, out double value, out NumberForm form)
    {
        (value, form) = (double.NaN, NumberForm.None);
        // More digits than any number needs is no number that somebody wrote.
        if (field.Length > 400) return false;
        Span<char> plain = stackalloc char[field.Length];
        var (length, at) = (0, 0);
        if (field[0] is '-' or '+' or '\u2212')
        {
            if (field[0] != '+') plain[length++] = '-';
            at = 1;
        }
        if (field[at..].Equals("inf", StringComparison.OrdinalIgnoreCase)
            || field[at..].Equals("infinity", StringComparison.OrdinalIgnoreCase))
        {
            (value, form) = (length > 0 ? double.NegativeInfinity : double.PositiveInfinity, NumberForm.Fraction);
            return true;
        }
        var (digits, group, separator) = (0, 0, '\0');
        form = NumberForm.Whole;
        for (; at < field.Length; at++)
        {
            var sign = field[at];
            if (char.IsAsciiDigit(sign))
            {
                (digits, group) = (digits + 1, group + 1);
                if (separator != '\0' && group > 3) return false;
                plain[length++] = sign;
            }
            else if (sign == decimalMark || sign is 'e' or 'E') break;
            else
            {
                var isGroup = sign == (decimalMark == '.' ? ',' : '.') || sign is '\'' or '\u2019' or ' ' or '\u00a0'
                    or '\u202f';
                if (!isGroup || separator != '\0' && sign != separator || group is 0 or > 3
                    || separator != '\0' && group != 3) return false;
                (separator, group) = (sign, 0);
                form |= NumberForm.Grouped;
            }
        }
        if (separator != '\0' && group != 3) return false;
        if (at < field.Length && field[at] == decimalMark)
        {
            plain[length++] = '.';
            form = form & ~NumberForm.Whole | NumberForm.Fraction;
            for (at++; at < field.Length && char.IsAsciiDigit(field[at]); at++, digits++) plain[length++] = field[at];
        }
        if (digits == 0) return false;
        if (at < field.Length && field[at] is 'e' or 'E')
        {
            form = form & ~NumberForm.Whole | NumberForm.Fraction;
            plain[length++] = 'e';
            if (++at < field.Length && field[at] is '+' or '-') plain[length++] = field[at++];
            if (at == field.Length) return false;
            for (; at < field.Length && char.IsAsciiDigit(field[at]); at++) plain[length++] = field[at];
        }
        if (at < field.Length) return false;
        value = double.Parse(plain[..length], NumberStyles.Float, CultureInfo.InvariantCulture);
        if ((form & NumberForm.Whole) != 0 && Math.Abs(value) > LargestInteger) form |= NumberForm.Large;
        return true;
    }

    /// <summary>Reads a truth value.</summary>
    /// <param name="field">The text of the field.</param>
    /// <param name="value">The truth value.</param>
    /// <param name="pair">The position in <see cref="TruthWords"/> of the pair that the word is of.</param>
    /// <returns>Whether the field is one of the words.</returns>
    public static bool TryTruth(ReadOnlySpan<char> field, out bool value, out int pair)
    {
        field = field.Trim();
        for (pair = 0; pair < TruthWords.Count; pair++)
        {
            var (no, yes) = TruthWords[pair];
            value = field.Equals(yes, StringComparison.OrdinalIgnoreCase);
            if (value || field.Equals(no, StringComparison.OrdinalIgnoreCase)) return true;
        }
        value = false;
        return false;
    }
}
