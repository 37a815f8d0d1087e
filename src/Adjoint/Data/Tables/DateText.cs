namespace Adjoint.Data.Tables;

/// <summary>
/// Reads dates: ISO 8601 (2024-03-31, 2024-03-31T14:30:00Z), year first with other marks (2024/3/31), 31.3.2024,
/// 31/3/2024 or 3/31/2024, 31 Mar 2024, March 31, 2024; years of two digits after '/' and in 31.03.24, where 50 to 99
/// are of the 20th century. A time of day may follow; one with an offset becomes UTC.
/// </summary>
public static class DateText
{
    private static readonly string[] Months =
    [
        "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
        "december",
    ];

    /// <summary>
    /// Reads a date; where the order of day and month is open, the first number is taken for the day.
    /// </summary>
    /// <param name="field">The text of the field; blanks around it do not count.</param>
    /// <param name="ticks">The date as <see cref="DateTime.Ticks"/>.</param>
    /// <param name="form">What the text says about the order of day and month.</param>
    /// <returns>Whether the field is a date.</returns>
    public static bool TryParse(ReadOnlySpan<char> field, out long ticks, out DateForm form)
    {
        (ticks, form) = (0, DateForm.None);
        var reader = new Reader(field.Trim());
        if (field.Length > 64 || !reader.Date(out var year, out var month, out var day, out form)
            || year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)
            || !reader.Time(out var time)) return false;
        ticks = new DateTime(year, month, day).Ticks + time;
        return ticks >= 0 && ticks <= DateTime.MaxValue.Ticks;
    }

    /// <summary>A date that was read with the day first, read with the month first.</summary>
    /// <param name="ticks">The date as <see cref="DateTime.Ticks"/>.</param>
    /// <returns>The date with day and month exchanged, where both can be months; the same date otherwise.</returns>
    public static long Exchange(long ticks)
    {
        var date = new DateTime(ticks);
        return date.Day > 12 ? ticks : new DateTime(date.Year, date.Day, date.Month).Ticks + date.TimeOfDay.Ticks;
    }

    private ref struct Reader(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> rest = text;

        public bool Date(out int year, out int month, out int day, out DateForm form)
        {
            (year, month, day, form) = (0, 0, 0, DateForm.Plain);
            if (Month(out month))
            {
                Skip(' ');
                if (!Number(2, out day, out _)) return false;
                Skip(',');
                Skip(' ');
                return Number(4, out year, out var digits) && digits == 4;
            }
            if (!Number(4, out var first, out var length) || rest.Length == 0) return false;
            var mark = rest[0];
            if (length == 4)
            {
                year = first;
                if (mark is not ('-' or '/' or '.') || !Skip(mark) || !Number(2, out month, out _)) return false;
                // A month alone begins on its first day.
                if (rest.Length == 0 && mark == '-')
                {
                    day = 1;
                    return true;
                }
                return Skip(mark) && Number(2, out day, out _);
            }
            if (length > 2 || mark is not ('-' or '/' or '.' or ' ')) return false;
            Skip(mark);
            var firstDigits = length;
            if (Month(out month))
            {
                day = first;
                if (mark == '.') return false;
                Skip('.');
                return Skip(mark) && Number(4, out year, out length) && length == 4;
            }
            if (mark == ' ' || !Number(2, out var second, out var secondDigits) || !Skip(mark)
                || !Number(4, out year, out length)) return false;
            if (length == 2)
            {
                // 1.2.10 is rather a version.
                if (mark == '-' || mark == '.' && (firstDigits, secondDigits) != (2, 2)) return false;
                year += year < 50 ? 2000 : 1900;
            }
            else if (length != 4) return false;
            (day, month) = (first, second);
            if (mark == '.') return true;
            if (second > 12) (day, month) = (second, first);
            form = first > 12 ? DateForm.DayFirst : second > 12 ? DateForm.MonthFirst : DateForm.Open;
            return true;
        }

        // The time of day in ticks, less the offset.
        public bool Time(out long ticks)
        {
            ticks = 0;
            if (rest.Length == 0) return true;
            if (!Skip('T') && !Skip(' ')) return false;
            if (!Number(2, out var hour, out _) || !Skip(':') || !Number(2, out var minute, out var digits)
                || digits != 2 || minute > 59) return false;
            var (second, fraction) = (0, 0L);
            if (Skip(':'))
            {
                if (!Number(2, out second, out digits) || digits != 2 || second > 59) return false;
                if (Skip('.') || Skip(','))
                {
                    var (length, unit) = (0, TimeSpan.TicksPerSecond);
                    for (; length < rest.Length && char.IsAsciiDigit(rest[length]); length++)
                        fraction += (unit /= 10) * (rest[length] - '0');
                    if (length is 0 or > 9) return false;
                    rest = rest[length..];
                }
            }
            var half = rest.TrimStart();
            if (half.Length == 2 && (half[1] | 32) == 'm' && (half[0] | 32) is 'a' or 'p')
            {
                if (hour is 0 or > 12) return false;
                hour = hour % 12 + ((half[0] | 32) == 'p' ? 12 : 0);
                rest = [];
            }
            if (hour > 23) return false;
            ticks = ((hour * 60L + minute) * 60 + second) * TimeSpan.TicksPerSecond + fraction;
            Skip(' ');
            if (rest.Length == 0 || rest is "Z" or "z" or "UTC") return true;
            if (rest[0] is not ('+' or '-')) return false;
            var sign = rest[0] == '+' ? -1 : 1;
            rest = rest[1..];
            if (!Number(4, out var offset, out digits)) return false;
            var minutes = digits == 4 ? offset / 100 * 60 + offset % 100 : offset * 60;
            if (digits is 1 or 3) return false;
            if (Skip(':'))
            {
                if (digits != 2 || !Number(2, out var more, out digits) || digits != 2) return false;
                minutes += more;
            }
            if (rest.Length > 0 || minutes > 18 * 60) return false;
            ticks += sign * minutes * TimeSpan.TicksPerMinute;
            return true;
        }

        private bool Skip(char sign)
        {
            if (rest.Length == 0 || rest[0] != sign) return false;
            rest = rest[1..];
            return true;
        }

        private bool Number(int most, out int value, out int digits)
        {
            (value, digits) = (0, 0);
            for (; digits < rest.Length && digits < most && char.IsAsciiDigit(rest[digits]); digits++)
                value = value * 10 + (rest[digits] - '0');
            rest = rest[digits..];
            return digits > 0 && !(rest.Length > 0 && char.IsAsciiDigit(rest[0]));
        }

        private bool Month(out int month)
        {
            month = 0;
            var letters = 0;
            while (letters < rest.Length && char.IsAsciiLetter(rest[letters])) letters++;
            if (letters < 3) return false;
            for (var i = 0; i < Months.Length; i++)
                if (letters == 3 && rest[..3].Equals(Months[i].AsSpan(0, 3), StringComparison.OrdinalIgnoreCase)
                    || rest[..letters].Equals(Months[i], StringComparison.OrdinalIgnoreCase))
                {
                    month = i + 1;
                    rest = rest[letters..];
                    return true;
                }
            return false;
        }
    }
}
