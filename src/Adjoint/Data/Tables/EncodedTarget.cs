namespace Adjoint.Data.Tables;

/// <summary>How a target column becomes targets: fitted on training rows, and kept with the model.</summary>
public sealed record EncodedTarget
{
    /// <summary>The name of the column.</summary>
    public required string Name { get; init; }

    /// <summary>What its values were in training.</summary>
    public required ColumnKind Kind { get; init; }

    /// <summary>The mean of the training rows, for <c>Nn.Rescale</c>; 0 for classes.</summary>
    public double Mean { get; init; }

    /// <summary>The standard deviation of the training rows (of the population); 1 for classes.</summary>
    public double Deviation { get; init; } = 1;

    /// <summary>
    /// The names of the classes, in the order of their labels: numbers ascending, texts by their characters, false
    /// before true. Empty for regression.
    /// </summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>What is learned of some target columns, where nobody says.</summary>
    internal static TargetKind KindOf(string table, IReadOnlyList<ColumnProfile> targets)
    {
        var dates = targets.FirstOrDefault(target => target.Kind == ColumnKind.Date);
        if (dates is not null)
            throw new AdjointException(
                $"{table}: the target \"{dates.Name}\" holds dates, expected numbers, texts or "
                + "truth values; make days of it");
        if (targets.Count > 1)
        {
            if (targets.All(target => target.Kind is ColumnKind.Truth)) return TargetKind.MultiLabel;
            return targets.FirstOrDefault(target => target.Kind is not (ColumnKind.Number or ColumnKind.Integer
                or ColumnKind.Truth)) is { } other
                ? throw new AdjointException($"{table}: several targets must be numbers or truth values: found "
                    + $"{other.Kind.ToString().ToLowerInvariant()} in \"{other.Name}\"; choose one target")
                : TargetKind.Regression;
        }
        var target = targets[0];
        return target.Kind switch
        {
            ColumnKind.Text or ColumnKind.Truth => TargetKind.Classes,
            ColumnKind.Integer when target.Distinct <= 2
                || target.Distinct <= 20 && target.Count - target.Missing >= 10L * target.Distinct.Value =>
                TargetKind.Classes,
            _ => TargetKind.Regression,
        };
    }

    internal static EncodedTarget Fit(Table table, ColumnProfile profile, TargetKind task)
    {
        var column = table[profile.Name];
        var where = $"{table.Name}: the target \"{profile.Name}\"";
        var rows = profile.Count - profile.Missing;
        if (rows == 0) throw new AdjointException($"{where} has no value in any row; choose another target");
        if (task == TargetKind.Regression)
        {
            if (column is not (NumberColumn or TruthColumn))
                throw new AdjointException($"{where} holds {profile.Kind.ToString().ToLowerInvariant()}, such as "
                    + $"\"{First(column)}\", expected numbers; correct such fields, or learn it as classes");
            if (profile.Min == profile.Max)
                throw new AdjointException($"{where} is {First(column)} in all {rows:N0} rows, so there is nothing to "
                    + "learn; choose another target");
            if (!double.IsFinite(profile.Mean) || !double.IsFinite(profile.Deviation))
                throw new AdjointException(
                    $"{where} holds infinite or too large numbers; correct or empty such fields");
            return new() { Name = column.Name, Kind = column.Kind, Mean = profile.Mean, Deviation = profile.Deviation };
        }
        if (column is TruthColumn truths)
        {
            var yes = truths.Values.Count((sbyte)1);
            if (yes == 0 || yes == rows) throw Alone(yes == 0 ? truths.FalseWord : truths.TrueWord);
            return new() { Name = column.Name, Kind = column.Kind, Classes = [truths.FalseWord, truths.TrueWord] };
        }
        if (task == TargetKind.MultiLabel)
            throw new AdjointException($"{where} holds {profile.Kind.ToString().ToLowerInvariant()}, such as "
                + $"\"{First(column)}\", expected truth values, for multi-label; leave it out, or choose one target");
        var classes = new HashSet<string>();
        for (var row = 0; row < column.Count && classes.Count <= ColumnProfile.MostDistinct; row++)
            if (column.Text(row) is { } text) classes.Add(text);
        if (classes.Count == 1) throw Alone(classes.Single());
        if (classes.Count > ColumnProfile.MostDistinct || classes.Count > 20 && classes.Count > rows / 2)
            throw new AdjointException($"{where} has {(classes.Count > ColumnProfile.MostDistinct ? "more than " : "")}"
                + $"{Math.Min(classes.Count, ColumnProfile.MostDistinct):N0} different values in {rows:N0} rows, "
                + "expected classes of several rows each; choose another target"
                + (column is NumberColumn ? ", or learn it as regression" : ""));
        return new() { Name = column.Name, Kind = column.Kind, Classes = EncodedColumn.Sorted(classes, column) };

        AdjointException Alone(string only) =>
            new($"{where} is \"{only}\" in all {rows:N0} rows, expected two classes or "
            + "more; choose another target, or add rows of another class");
    }

    /// <summary>The label of a row's class, or its value; the row has one.</summary>
    internal double Value(Table table, Column column, int row, Dictionary<string, int> labels)
    {
        if (Classes.Count > 0)
        {
            var text = column.Text(row)!;
            if (labels.TryGetValue(text, out var label)) return label;
            if (Kind == ColumnKind.Truth)
            {
                if (column is TruthColumn truths) return truths.Values[row];
                if (FieldText.TryTruth(text, out var truth, out _)) return truth ? 1 : 0;
            }
            throw EncodedColumn.Wrong(table, column, row, "one of the classes of training: "
                + DataFormatException.Abbreviate(string.Join(", ", Classes.Select(name => $"\"{name}\""))),
                "leave such rows out, or have rows of every class in training (a stratified split)");
        }
        var value = column switch
        {
            NumberColumn numbers => numbers.Values[row],
            TruthColumn truths => truths.Values[row],
            _ when FieldText.TryNumber(column.Text(row), '.', out var number, out _) => number,
            _ => double.NaN,
        };
        return float.IsFinite((float)value)
            ? value
            : throw EncodedColumn.Wrong(table, column, row, "a finite number", "correct or empty the field");
    }

    private static string First(Column column)
    {
        for (var row = 0; row < column.Count; row++)
            if (column.Text(row) is { } text) return DataFormatException.Abbreviate(text);
        return "";
    }
}
