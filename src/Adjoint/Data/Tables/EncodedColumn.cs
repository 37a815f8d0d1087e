using System.Globalization;

namespace Adjoint.Data.Tables;

/// <summary>How a column becomes inputs of a network: fitted on training rows, and kept with the model.</summary>
public sealed record EncodedColumn
{
    /// <summary>The name of the column.</summary>
    public required string Name { get; init; }

    /// <summary>What its values were in training.</summary>
    public required ColumnKind Kind { get; init; }

    /// <summary>What it is used as.</summary>
    public required ColumnRole Role { get; init; }

    /// <summary>The mean of the training rows: of the numbers, of 0 and 1, or of the dates in days.</summary>
    public double Mean { get; init; }

    /// <summary>The standard deviation of the training rows (of the population); 0 leaves the scale.</summary>
    public double Deviation { get; init; }

    /// <summary>Whether training rows lacked values, so that an input says whether this row does.</summary>
    public bool HasMissing { get; init; }

    /// <summary>The categories that have an input each, or an index from 1 on, in order.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Whether the rarer categories share an input, the last one.</summary>
    public bool HasOther { get; init; }

    /// <summary>Whether the category is an index in the field <see cref="TableEncoder.Categories"/>.</summary>
    public bool IsEmbedded { get; init; }

    /// <summary>Whether the time of the year is an input, as a point on a circle.</summary>
    public bool HasTimeOfYear { get; init; }

    /// <summary>Whether the time of the week is an input, as a point on a circle.</summary>
    public bool HasTimeOfWeek { get; init; }

    /// <summary>Whether the time of the day is an input, as a point on a circle.</summary>
    public bool HasTimeOfDay { get; init; }

    /// <summary>The names of the inputs that the column becomes.</summary>
    public IReadOnlyList<string> InputNames
    {
        get
        {
            var names = new List<string>();
            if (Role == ColumnRole.Number) names.Add(Name);
            if (Role == ColumnRole.Category && !IsEmbedded)
            {
                names.AddRange(Categories.Select(category => $"{Name}={category}"));
                if (HasOther) names.Add($"{Name}=other");
            }
            if (Role == ColumnRole.Date)
            {
                names.Add($"{Name} day");
                if (HasTimeOfYear) names.AddRange([$"{Name} year sin", $"{Name} year cos"]);
                if (HasTimeOfWeek) names.AddRange([$"{Name} week sin", $"{Name} week cos"]);
                if (HasTimeOfDay) names.AddRange([$"{Name} day sin", $"{Name} day cos"]);
            }
            if (HasMissing && !IsEmbedded) names.Add($"{Name} missing");
            return names;
        }
    }

    /// <summary>The number of inputs that the column becomes.</summary>
    public int Width => (HasMissing && !IsEmbedded ? 1 : 0) + Role switch
    {
        ColumnRole.Number => 1,
        ColumnRole.Category => IsEmbedded ? 0 : Categories.Count + (HasOther ? 1 : 0),
        ColumnRole.Date => 1 + 2 * ((HasTimeOfYear ? 1 : 0) + (HasTimeOfWeek ? 1 : 0) + (HasTimeOfDay ? 1 : 0)),
        _ => 0,
    };

    /// <summary>Fits the encoding of a column on training rows.</summary>
    internal static EncodedColumn Fit(Table table, Column column, ColumnRole role, TableEncoderOptions options)
    {
        if (role == ColumnRole.Date != (column.Kind == ColumnKind.Date) && role != ColumnRole.Category)
            throw new AdjointException($"{table.Name}: column \"{column.Name}\" is "
                + $"{column.Kind.ToString().ToLowerInvariant()}, and cannot be used as "
                + $"{role.ToString().ToLowerInvariant()}; "
                + (role == ColumnRole.Date
                    ? "say that it holds dates where it is read"
                    : "use it as date or category"));
        var encoded = new EncodedColumn { Name = column.Name, Kind = column.Kind, Role = role };
        if (role == ColumnRole.Category) return encoded.FitCategories(column, options);
        var numbers = encoded.Numbers(table, column);
        var profile = TableProfile.Of(new Table(table.Name, [new NumberColumn(column.Name, numbers)])).Columns[0];
        if (profile.Kind == ColumnKind.Empty) return encoded with { HasMissing = true };
        if (!double.IsFinite(profile.Mean) || !double.IsFinite(profile.Deviation))
        {
            var row = Array.FindIndex(numbers, double.IsInfinity);
            if (row < 0) row = Math.Max(0, Array.FindIndex(numbers, value => Math.Abs(value) > 1e150));
            throw Wrong(table, column, row, "a finite number of at most 1e150", "correct or empty the field");
        }
        encoded = encoded with
        {
            Mean = profile.Mean,
            Deviation = profile.Min == profile.Max ? 0 : profile.Deviation,
            HasMissing = profile.Missing > 0,
        };
        if (role != ColumnRole.Date) return encoded;
        var days = numbers.Where(day => !double.IsNaN(day)).ToArray();
        return encoded with
        {
            // Of less than half a year, or of one day of the week, there is nothing to learn.
            HasTimeOfYear = profile.Max - profile.Min >= 180,
            HasTimeOfWeek = profile.Max - profile.Min >= 14
                && days.Select(day => (long)Math.Floor(day) % 7).Distinct().Count() > 1,
            HasTimeOfDay = Array.Exists(days, day => day != Math.Floor(day)),
        };
    }

    private EncodedColumn FitCategories(Column column, TableEncoderOptions options)
    {
        var counts = new Dictionary<string, int>();
        for (var row = 0; row < column.Count; row++)
            if (column.Text(row) is { } text) counts[text] = counts.GetValueOrDefault(text) + 1;
        var isEmbedded = options.Embed && counts.Count > options.MostOneHot;
        var kept = isEmbedded
            ? counts.Keys.AsEnumerable()
            : counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key, StringComparer.Ordinal)
                .Take(options.MostOneHot).Select(entry => entry.Key);
        return this with
        {
            HasMissing = column.MissingCount > 0,
            Categories = Sorted(kept, column),
            HasOther = !isEmbedded && counts.Count > options.MostOneHot,
            IsEmbedded = isEmbedded,
        };
    }

    /// <summary>Numbers in their order, texts by their characters: the same on every machine.</summary>
    internal static string[] Sorted(IEnumerable<string> values, Column column) => column is NumberColumn
        ? [.. values.OrderBy(text => double.Parse(text, CultureInfo.InvariantCulture))]
        : [.. values.Order(StringComparer.Ordinal)];

    /// <summary>Writes the inputs of all rows, each row <paramref name="stride"/> after the one before.</summary>
    internal void Write(Table table, Column column, Span<float> inputs, int stride, EncodingTally tally)
    {
        if (Role == ColumnRole.Category)
        {
            WriteCategories(table, column, inputs, stride, tally);
            return;
        }
        var numbers = Numbers(table, column);
        var (scale, missing) = (Deviation > 0 ? 1 / Deviation : 1, 0);
        for (var row = 0; row < numbers.Length; row++)
        {
            var own = inputs.Slice(row * stride, Width);
            own.Clear();
            if (double.IsNaN(numbers[row]))
            {
                // The mean, which is 0.
                missing++;
                if (HasMissing) own[^1] = 1;
                continue;
            }
            own[0] = (float)((numbers[row] - Mean) * scale);
            if (!float.IsFinite(own[0]))
                throw Wrong(table, column, row, $"a number nearer to those of training (mean {Mean:G6}, standard "
                    + $"deviation {Deviation:G6})", "correct or empty the field");
            var at = 1;
            if (HasTimeOfYear) Circle(own, ref at, numbers[row] / 365.2425);
            if (HasTimeOfWeek) Circle(own, ref at, numbers[row] / 7);
            if (HasTimeOfDay) Circle(own, ref at, numbers[row]);
        }
        if (!HasMissing) tally.Missing(Name, missing);

        static void Circle(Span<float> own, ref int at, double turns)
        {
            var (sin, cos) = Math.SinCos(2 * Math.PI * (turns - Math.Floor(turns)));
            (own[at++], own[at++]) = ((float)sin, (float)cos);
        }
    }

    private void WriteCategories(Table table, Column column, Span<float> inputs, int stride, EncodingTally tally)
    {
        var (unknown, missing) = (0, 0);
        for (var row = 0; row < column.Count; row++)
        {
            var own = inputs.Slice(row * stride, Width);
            own.Clear();
            if (!TryText(column, row, out var text))
            {
                missing++;
                if (HasMissing) own[^1] = 1;
                continue;
            }
            var index = IndexOf(text, tally);
            if (index < 0 && !HasOther) unknown++;
            if (index < 0 && !HasOther && tally.RefuseUnknown)
                throw Wrong(table, column, row, "one of the categories of training: " + DataFormatException.Abbreviate(
                    string.Join(", ", Categories.Select(category => $"\"{category}\""))), "correct or empty the field");
            if (index >= 0 || HasOther) own[index >= 0 ? index : Categories.Count] = 1;
        }
        tally.Unknown(Name, unknown);
        if (!HasMissing) tally.Missing(Name, missing);
    }

    /// <summary>The index of each row's category: 0 where it is missing or unknown, otherwise from 1 on.</summary>
    internal void WriteIndices(Table table, Column column, Span<long> indices, int stride, EncodingTally tally)
    {
        var unknown = 0;
        for (var row = 0; row < column.Count; row++)
        {
            var index = TryText(column, row, out var text) ? IndexOf(text, tally) : -1;
            if (index < 0 && text is not null)
            {
                unknown++;
                if (tally.RefuseUnknown)
                    throw Wrong(table, column, row, $"one of the {Categories.Count} categories of training",
                        "correct or empty the field");
            }
            indices[row * stride] = index + 1;
        }
        tally.Unknown(Name, unknown);
    }

    private bool TryText(Column column, int row, out string? text)
    {
        text = column.Text(row);
        // A category that is a number: 1 and 1.0 are one.
        if (text is not null && column is TextColumn && Kind is (ColumnKind.Integer or ColumnKind.Number)
            && FieldText.TryNumber(text, '.', out var number, out _)) text =
                number.ToString(CultureInfo.InvariantCulture);
        return text is not null;
    }

    private int IndexOf(string? text, EncodingTally tally) => tally.Positions[Name].GetValueOrDefault(text!, -1);

    /// <summary>The values as numbers, NaN where one is missing: dates in days, truth values as 0 and 1.</summary>
    private double[] Numbers(Table table, Column column)
    {
        if (column is NumberColumn plain && Kind is not (ColumnKind.Truth or ColumnKind.Date))
            return plain.Values.ToArray();
        var numbers = new double[column.Count];
        for (var row = 0; row < numbers.Length; row++)
        {
            if (column.IsMissing(row))
            {
                numbers[row] = double.NaN;
                continue;
            }
            if (!TryNumber(column, row, out numbers[row]))
                throw Wrong(table, column, row, Kind switch
                {
                    ColumnKind.Date => "a date, as in training",
                    ColumnKind.Truth => "a truth value, as in training",
                    _ => "a number, as in training",
                }, "correct or empty the field");
        }
        return numbers;
    }

    private bool TryNumber(Column column, int row, out double number)
    {
        number = double.NaN;
        switch (column, Kind)
        {
            case (DateColumn dates, ColumnKind.Date):
                number = TableProfiler.DaysOf(dates.Ticks[row]);
                return true;
            case (TruthColumn truths, not ColumnKind.Date):
                number = truths.Values[row];
                return true;
            case (NumberColumn numbers, ColumnKind.Truth):
                number = numbers.Values[row];
                return number is 0 or 1;
            case (TextColumn texts, _):
                var text = texts.Text(row)!;
                if (Kind == ColumnKind.Date)
                {
                    if (!DateText.TryParse(text, out var ticks, out _)) return false;
                    number = TableProfiler.DaysOf(ticks);
                    return true;
                }
                if (FieldText.IsMissing(text, amongNumbers: true)) return true;
                if (Kind == ColumnKind.Truth && FieldText.TryTruth(text, out var truth, out _))
                {
                    number = truth ? 1 : 0;
                    return true;
                }
                return FieldText.TryNumber(text, '.', out number, out _)
                    && (Kind != ColumnKind.Truth || number is 0 or 1);
            default: return false;
        }
    }

    internal static AdjointException Wrong(Table table, Column column, int row, string expected, string remedy) =>
        new($"{table.Name}, row {table.RowNumber(row)}, column \"{column.Name}\": found "
            + $"\"{DataFormatException.Abbreviate(column.Text(row) ?? "")}\", expected {expected}; {remedy}");
}
