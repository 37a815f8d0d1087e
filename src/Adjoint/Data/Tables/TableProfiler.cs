namespace Adjoint.Data.Tables;

/// <summary>
/// Gathers the profile of a table from its parts, one after another, in memory that does not grow with their number.
/// </summary>
/// <param name="name">Where the rows come from, such as a file.</param>
/// <param name="format">How the file is written; empty where there is none.</param>
public sealed class TableProfiler(string name, string format = "")
{
    // Longer ones are no categories; they only count as different.
    private const int LongestCategory = 200;
    private static readonly DateTime Reference = new(2000, 1, 1);

    private readonly List<string> notes = [];
    private List<ColumnTally>? columns;
    private long rows;

    /// <summary>Adds the rows of a part.</summary>
    /// <param name="part">The next rows, with the same columns as before.</param>
    public void Add(Table part)
    {
        columns ??= [.. part.Columns.Select(column => new ColumnTally(column.Name))];
        foreach (var tally in columns) tally.Add(part[tally.Name]);
        rows += part.RowCount;
    }

    /// <summary>Adds something that a person should know.</summary>
    /// <param name="note">The note, a line of text.</param>
    public void AddNote(string note) => notes.Add(note);

    /// <summary>What was gathered so far.</summary>
    /// <returns>The profile of all rows.</returns>
    public TableProfile Finish() =>
        new(name, format, rows, [.. (columns ?? []).Select(tally => tally.Finish())], [.. notes]);

    /// <summary>A date as days since 1 January 2000.</summary>
    internal static double DaysOf(long ticks) => (ticks - Reference.Ticks) / (double)TimeSpan.TicksPerDay;

    internal static DateTime DateOf(double days) =>
        new((long)Math.Round(days * TimeSpan.TicksPerDay) + Reference.Ticks);

    private sealed class ColumnTally(string name)
    {
        private Dictionary<double, long>? numbers = [];
        private Dictionary<string, long>? words = [];
        private readonly HashSet<ColumnKind> kinds = [];
        private long count, missing, used;
        private double min = double.PositiveInfinity, max = double.NegativeInfinity, mean, squares, last = double.NaN;
        private bool isRowNumber = true, hasTimeOfDay;

        public string Name => name;

        public void Add(Column column)
        {
            count += column.Count;
            missing += column.MissingCount;
            if (column.Kind == ColumnKind.Empty) return;
            kinds.Add(column.Kind);
            switch (column)
            {
                case NumberColumn values: Numbers(values.Values); break;
                case TruthColumn values:
                    var yes = values.Values.Count((sbyte)1);
                    Words(values.FalseWord, values.Count - values.MissingCount - yes);
                    Words(values.TrueWord, yes);
                    Moments([.. values.Values.ToArray().Select(value => value < 0 ? double.NaN : value)]);
                    break;
                case DateColumn values:
                    var days = new double[values.Count];
                    for (var row = 0; row < days.Length; row++)
                    {
                        days[row] = values.IsMissing(row) ? double.NaN : DaysOf(values.Ticks[row]);
                        hasTimeOfDay |= days[row] != Math.Floor(days[row]) && !double.IsNaN(days[row]);
                    }
                    Moments(days);
                    break;
                case TextColumn values: Texts(values); break;
            }
        }

        public ColumnProfile Finish()
        {
            var kind = kinds.Count == 0 ? ColumnKind.Empty : kinds.Count == 1 ? kinds.Single()
                : kinds.SetEquals([ColumnKind.Integer, ColumnKind.Number]) ? ColumnKind.Number : ColumnKind.Text;
            var isText = kind is ColumnKind.Text or ColumnKind.Truth;
            var isNumber = kind is ColumnKind.Integer or ColumnKind.Number or ColumnKind.Truth or ColumnKind.Date;
            return new()
            {
                Name = name,
                Kind = kind,
                Count = count,
                Missing = missing,
                Distinct = isText ? words?.Count : kind == ColumnKind.Date ? null : numbers?.Count,
                Min = isNumber ? min : double.NaN,
                Max = isNumber ? max : double.NaN,
                Mean = isNumber ? mean : double.NaN,
                Deviation = isNumber ? Math.Sqrt(squares / used) : double.NaN,
                IsRowNumber = kind == ColumnKind.Integer && isRowNumber && missing == 0,
                HasTimeOfDay = hasTimeOfDay,
                MostFrequent = isText ? Top(words) : kind == ColumnKind.Integer ? Top(numbers) : [],
            };
        }

        private static (string, long)[] Top<T>(Dictionary<T, long>? counts) where T : notnull =>
            [.. (counts ?? []).OrderByDescending(entry => entry.Value).Take(10).Select(entry =>
                (FormattableString.Invariant($"{entry.Key}"), entry.Value))];

        private void Numbers(ReadOnlySpan<double> values)
        {
            foreach (var value in values)
            {
                isRowNumber &= double.IsNaN(last) || value == last + 1;
                last = value;
                if (numbers is null || double.IsNaN(value)) continue;
                System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(numbers, value, out _)++;
                if (numbers.Count > ColumnProfile.MostDistinct) numbers = null;
            }
            Moments(values);
        }

        // Of a part about its own mean, then of both together (Chan, Golub, LeVeque, 1979): nothing cancels.
        private void Moments(ReadOnlySpan<double> values)
        {
            var (sum, part) = (0.0, 0L);
            foreach (var value in values)
            {
                if (double.IsNaN(value)) continue;
                part++;
                sum += value;
                min = Math.Min(min, value);
                max = Math.Max(max, value);
            }
            if (part == 0) return;
            var (own, ownSquares) = (sum / part, 0.0);
            foreach (var value in values)
                if (!double.IsNaN(value)) ownSquares += (value - own) * (value - own);
            var (total, difference) = (used + part, own - mean);
            mean += difference * part / total;
            squares += ownSquares + difference * difference * used * part / total;
            used = total;
        }

        private void Texts(TextColumn column)
        {
            if (words is null) return;
            var counts = new long[column.Words.Length];
            foreach (var code in column.Codes)
                if (code >= 0) counts[code]++;
            for (var code = 0; code < counts.Length && words is not null; code++)
                Words(column.Words[code], counts[code]);
        }

        private void Words(string word, long rows)
        {
            if (words is null || rows == 0) return;
            if (word.Length > LongestCategory) word = word[..LongestCategory];
            words[word] = words.GetValueOrDefault(word) + rows;
            if (words.Count > ColumnProfile.MostDistinct) words = null;
        }
    }
}
