using System.Globalization;
using Adjoint.Data;
using Adjoint.Data.Tables;
using Adjoint.Experiments;
using Adjoint.Formats;

namespace Adjoint.Cli;

/// <summary>Own data in a table: rows are samples.</summary>
internal sealed class OwnTable : OwnData
{
    // A small network takes about so many steps to learn a table.
    private const int UsualSteps = 3000, MinEpochs = 20, MaxEpochs = 200;
    private const int FewRows = 5000, SmallBatch = 32, UsualBatch = 128;
    private static readonly string[] UsualTargets = ["target", "label", "class", "y"];
    private readonly Table table;
    private readonly TableProfile profile;

    internal OwnTable(string path)
    {
        table = TableFile.Read(path);
        profile = TableProfile.Of(table);
        if (table.RowCount < 2)
            throw new AdjointException(
                $"{path}: found {table.RowCount} rows, expected 2 or more, some to learn from and some to validate on");
    }

    private protected override IEnumerable<(Setting Setting, string Value)> Findings(
        IReadOnlyDictionary<string, string> given)
    {
        var target = given.GetValueOrDefault(TrainSettings.Target.Name) ?? UsualTarget();
        yield return (TrainSettings.Target, target);
        yield return (TrainSettings.Task, NameOf(TableEncoder.TaskOf(profile, Items(target))));
        var batch = table.RowCount < FewRows ? SmallBatch : UsualBatch;
        yield return (TrainSettings.BatchSize, Text(batch));
        var steps = Math.Max(1, table.RowCount / batch);
        yield return (TrainSettings.Epochs, Text(Math.Clamp(UsualSteps / steps, MinEpochs, MaxEpochs)));
    }

    internal override DataSplits Load(SettingValues settings, Action<string> say)
    {
        var targets = Items(settings.Get(TrainSettings.Target));
        var rows = WithTargets(targets, say);
        var parts = Split(rows, targets, settings);
        var roles = new Dictionary<string, ColumnRole>();
        foreach (var name in Items(settings.Get(TrainSettings.Ignore))) roles[Known(name)] = ColumnRole.LeftOut;
        foreach (var name in Items(settings.Get(TrainSettings.Categories))) roles[Known(name)] = ColumnRole.Category;
        // What rows are split by is no property that a new row could have.
        if (OwnData.ColumnOf(settings.Get(TrainSettings.Split), "group") is { } group)
            roles.TryAdd(Known(group), ColumnRole.LeftOut);
        var train = rows.Take([.. parts.Train]);
        var encoder = TableEncoder.Fit(train, targets, new()
        {
            Task = KindOfTask(settings.Get(TrainSettings.Task)),
            Roles = roles,
        });
        foreach (var (name, reason) in encoder.LeftOut) say($"column \"{name}\" is left out: {reason}");
        return new(encoder.ToDataset(train), Part(parts.Validation, "validation"),
            parts.Test.Count > 0 ? Part(parts.Test, "test") : null);

        TensorDataset Part(IReadOnlyList<int> indices, string name)
        {
            var data = encoder.ToDataset(rows.Take([.. indices]), out var report);
            foreach (var line in report.Lines()) say($"{name}: {line}");
            return data;
        }
    }

    internal override string Describe(SettingValues settings) => profile.ToString();

    // Rows without a target cannot be learned from; they are left out before the parts are made.
    private Table WithTargets(IReadOnlyList<string> targets, Action<string> say)
    {
        var columns = targets.Select(name => table[name]).ToArray();
        int[] kept =
        [
            .. Enumerable.Range(0, table.RowCount)
                .Where(row => !Array.Exists(columns, column => column.IsMissing(row))),
        ];
        if (kept.Length == table.RowCount) return table;
        var without = table.RowCount - kept.Length;
        say(string.Create(CultureInfo.InvariantCulture,
            $"{without:N0} of {table.RowCount:N0} rows have no target and are left out"));
        return kept.Length >= 2
            ? table.Take(kept)
            : throw new AdjointException(
                $"{table.Name}: found {kept.Length} rows with a value of the target \"{targets[0]}\", expected 2 or "
                + "more; choose another --target, or fill it in");
    }

    private SplitIndices Split(Table rows, IReadOnlyList<string> targets, SettingValues settings)
    {
        var (validation, test) = PartsOf(rows.RowCount, settings);
        var (seed, rule) = (settings.Get(TrainSettings.Seed), settings.Get(TrainSettings.Split));
        if (ColumnOf(rule, "group") is { } group)
            return SplitIndices.ByGroup(Texts(rows[Known(group)]), validation, test, seed);
        if (ColumnOf(rule, "time") is { } time)
            return SplitIndices.ByTime(Times(rows[Known(time)]), validation, test);
        // Of many values each would be a class of its own.
        return rule == "stratified" && settings.Get(TrainSettings.Task) == "classification"
            ? SplitIndices.Stratified(Texts(rows[targets[0]]), validation, test, seed)
            : SplitIndices.Random(rows.RowCount, validation, test, seed);
    }

    private static string[] Texts(Column column) =>
        [.. Enumerable.Range(0, column.Count).Select(row => column.Text(row) ?? "")];

    private static double[] Times(Column column)
    {
        double[] times = column switch
        {
            NumberColumn numbers => numbers.Values.ToArray(),
            DateColumn dates => [.. dates.Ticks.ToArray().Select(ticks => (double)ticks)],
            _ => throw new AdjointException(
                $"--split: column \"{column.Name}\" must hold dates or numbers to order rows in time: found "
                + $"{column.Kind.ToString().ToLowerInvariant()}"),
        };
        var missing = Enumerable.Range(0, column.Count).FirstOrDefault(column.IsMissing, -1);
        return missing < 0
            ? times
            : throw new AdjointException(
                $"--split: column \"{column.Name}\" has no value in row {missing + 1}; fill it in, or split otherwise");
    }

    // Two or three names are tried before a person is asked.
    private string UsualTarget() =>
        UsualTargets.Select(usual => profile.Columns.FirstOrDefault(column =>
                column.Name.Equals(usual, StringComparison.OrdinalIgnoreCase))?.Name)
                    .FirstOrDefault(name => name is not null)
        ?? throw new UsageException(
            "--target: which column is to be predicted? Columns are "
            + string.Join(", ", profile.Columns.Select(column => $"\"{column.Name}\"")));

    private string Known(string column) => profile[column].Name;

    // A name may hold a comma itself.
    private IReadOnlyList<string> Items(string list) =>
        list == "none" ? [] : table.Find(list, out _) ? [list] : [.. list.Split(',', StringSplitOptions.TrimEntries)];

    private static string NameOf(TargetKind task) => task switch
    {
        TargetKind.Regression => "regression",
        TargetKind.MultiLabel => "multi-label",
        _ => "classification",
    };

    private static TargetKind KindOfTask(string task) => task switch
    {
        "regression" => TargetKind.Regression,
        "multi-label" => TargetKind.MultiLabel,
        "classification" => TargetKind.Classes,
        _ => throw new UsageException($"--task: {task} is not for tables; use classification, regression, multi-label"),
    };

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
