using System.Text.Json;

namespace Adjoint.Data.Tables;

/// <summary>
/// Turns rows of a table into tensors: numbers are standardized, (x − μ)/σ with the mean and the standard deviation of
/// the training rows, categories become one input each, or an index for an embedding, dates a number of days and the
/// time of year, week and day where they vary. A missing number is the mean, and where training rows lacked values an
/// input says so. It is fitted on training rows alone, kept with the model, and may be used by any number of threads.
/// </summary>
public sealed class TableEncoder : Preprocessing
{
    /// <summary>The name of the field of category indices, int64 (k): 0 is missing or unknown.</summary>
    public const string Categories = "categories";

    private readonly EncodedColumn[] columns;
    private readonly EncodedTarget[] targets;
    private readonly Dictionary<string, Dictionary<string, int>> positions;
    private readonly Dictionary<string, int>[] labels;

    internal TableEncoder(TargetKind task, IEnumerable<EncodedColumn> columns, IEnumerable<EncodedTarget> targets,
        IReadOnlyList<(string Name, string Reason)> leftOut, string? weights, bool refuseUnknown,
        bool refuseMissingTargets)
    {
        (Task, this.columns, this.targets) = (task, [.. columns], [.. targets]);
        (LeftOut, Weights, RefuseUnknown, RefuseMissingTargets) =
            (leftOut, weights, refuseUnknown, refuseMissingTargets);
        positions = this.columns.Where(column => column.Role == ColumnRole.Category)
            .ToDictionary(column => column.Name, column => Positions(column.Categories));
        labels = [.. this.targets.Select(target => Positions(target.Classes))];
        InputCount = this.columns.Sum(column => column.Width);
        EmbeddingSizes =
            [.. this.columns.Where(column => column.IsEmbedded).Select(column => column.Categories.Count + 1)];

        static Dictionary<string, int> Positions(IReadOnlyList<string> names) =>
            names.Index().ToDictionary(entry => entry.Item, entry => entry.Index);
    }

    /// <inheritdoc/>
    public override string Kind => "table";

    /// <summary>What is learned of the target columns.</summary>
    public TargetKind Task { get; }

    /// <summary>The columns that become inputs, in order.</summary>
    public IReadOnlyList<EncodedColumn> Columns => columns;

    /// <summary>The target columns, in order.</summary>
    public IReadOnlyList<EncodedTarget> Targets => targets;

    /// <summary>The columns of training that are not used, and why.</summary>
    public IReadOnlyList<(string Name, string Reason)> LeftOut { get; }

    /// <summary>The column that says how much each row counts; null: all count 1.</summary>
    public string? Weights { get; }

    /// <summary>Whether a category that training did not have is an error.</summary>
    public bool RefuseUnknown { get; }

    /// <summary>Whether a row without target is an error.</summary>
    public bool RefuseMissingTargets { get; }

    /// <summary>The number of inputs of a row: the size of <see cref="Field.Inputs"/>.</summary>
    public int InputCount { get; }

    /// <summary>The names of the inputs, in order, such as "km", "km missing", "maker=BMW".</summary>
    public IReadOnlyList<string> InputNames => [.. columns.SelectMany(column => column.InputNames)];

    /// <summary>
    /// For each column of <see cref="Categories"/>, how many indices there are: the rows of its embedding.
    /// </summary>
    public IReadOnlyList<int> EmbeddingSizes { get; }

    /// <summary>The number of outputs that a model needs: of classes, of target columns.</summary>
    public int OutputCount => Task == TargetKind.Classes ? targets[0].Classes.Count : targets.Length;

    /// <summary>The names of the classes, of the labels of multi-label, or none for regression.</summary>
    public IReadOnlyList<string> ClassNames => Task switch
    {
        TargetKind.Classes => targets[0].Classes,
        TargetKind.MultiLabel => [.. targets.Select(target => target.Name)],
        _ => [],
    };

    /// <summary>
    /// The kinds of all columns that are used, so that a reader of files takes later files as those of training.
    /// </summary>
    public IReadOnlyDictionary<string, ColumnKind> Kinds
    {
        get
        {
            var kinds = targets.ToDictionary(target => target.Name, target => target.Kind);
            foreach (var column in columns) kinds[column.Name] = column.Kind;
            if (Weights is not null) kinds[Weights] = ColumnKind.Number;
            return kinds;
        }
    }

    /// <summary>
    /// Means and standard deviations of the target columns in the training rows, for <c>Nn.Rescale</c>.
    /// </summary>
    public (double[] Mean, double[] Deviation) TargetStatistics =>
        ([.. targets.Select(target => target.Mean)], [.. targets.Select(target => target.Deviation)]);

    /// <summary>What would be learned of target columns, if nobody says so: see
    /// <see cref="TableEncoderOptions.Task"/>.</summary>
    /// <param name="profile">What the table holds.</param>
    /// <param name="targets">The names of the columns to predict, one or more.</param>
    /// <returns>Classes, regression or several labels.</returns>
    /// <exception cref="AdjointException">There is no such column, or its values can be no target.</exception>
    public static TargetKind TaskOf(TableProfile profile, IReadOnlyList<string> targets) =>
        EncodedTarget.KindOf(profile.Name, [.. targets.Select(name => profile[name])]);

    /// <summary>Fits an encoder on training rows.</summary>
    /// <param name="training">The training rows; no others, so that nothing of them leaks.</param>
    /// <param name="target">The name of the column to predict.</param>
    /// <param name="options">What does not follow from the data.</param>
    /// <returns>The encoder, fitted on these rows.</returns>
    /// <exception cref="AdjointException">
    /// There are no rows, no such column, nothing to learn from, or the target is constant, of one class, or of no
    /// value.
    /// </exception>
    public static TableEncoder Fit(Table training, string target, TableEncoderOptions? options = null) =>
        Fit(training, [target], options);

    /// <summary>Fits an encoder on training rows for several target columns.</summary>
    /// <param name="training">The training rows; no others, so that nothing of them leaks.</param>
    /// <param name="targets">The names of the columns to predict.</param>
    /// <param name="options">What does not follow from the data.</param>
    /// <returns>The encoder, fitted on these rows.</returns>
    /// <exception cref="AdjointException">
    /// There are no rows, no such column, nothing to learn from, or a target is constant, of one class, or of no value.
    /// </exception>
    public static TableEncoder Fit(Table training, IReadOnlyList<string> targets, TableEncoderOptions? options = null)
    {
        options ??= new();
        if (targets.Count == 0) throw new AdjointException($"{training.Name}: no target; name a column to predict");
        foreach (var name in options.Roles.Keys) _ = training[name];
        if (training.RowCount == 0)
            throw new AdjointException($"{training.Name}: found no rows, expected some to train with");
        // Rows that are not trained with do not count for means either.
        var (rows, _) = RowsWithTargets(training, targets, options.RefuseMissingTargets);
        if (rows.Length == 0)
            throw new AdjointException($"{training.Name}: found no row with a value of the target "
                + $"\"{targets[0]}\"; choose another target");
        if (rows.Length < training.RowCount) training = training.Take(rows);
        var profile = TableProfile.Of(training);
        ColumnProfile[] targetProfiles = [.. targets.Select(name => profile[name])];
        var task = options.Task ?? EncodedTarget.KindOf(training.Name, targetProfiles);
        if (task == TargetKind.Classes && targets.Count > 1)
            throw new AdjointException($"{training.Name}: classes are of one target: found {targets.Count}; name one");
        EncodedTarget[] fitted = [.. targetProfiles.Select(target => EncodedTarget.Fit(training, target, task))];

        var (columns, leftOut) = (new List<EncodedColumn>(), new List<(string, string)>());
        foreach (var column in profile.Columns)
        {
            if (targets.Contains(column.Name) || column.Name == options.Weights) continue;
            var isGiven = options.Roles.TryGetValue(column.Name, out var role);
            if (!isGiven) role = column.Role;
            if (role == ColumnRole.LeftOut)
            {
                leftOut.Add((column.Name, isGiven ? "as asked for" : column.Reason));
                continue;
            }
            columns.Add(EncodedColumn.Fit(training, training[column.Name], role, options));
        }
        if (columns.Count == 0)
            throw new AdjointException($"{training.Name}: no column is left to learn from"
                + (leftOut.Count == 0 ? "" : ": " + DataFormatException.Abbreviate(
                    string.Join("; ", leftOut.Select(entry => $"\"{entry.Item1}\" {entry.Item2}")))));
        if (options.Weights is not null) WeightsOf(training, options.Weights);
        return new(task, columns, fitted, leftOut, options.Weights, options.RefuseUnknown,
            options.RefuseMissingTargets);
    }

    /// <summary>Encodes rows for a model, without targets; the order of columns does not matter.</summary>
    /// <param name="rows">The rows, of training or others.</param>
    /// <returns>
    /// <see cref="Field.Inputs"/>, float32 (n, <see cref="InputCount"/>), and where columns are embedded
    /// <see cref="Categories"/>, int64 (n, k).
    /// </returns>
    /// <exception cref="AdjointException">Columns are missing, or a value does not fit; the message names
    /// it.</exception>
    public Batch Encode(Table rows) => Encode(rows, out _);

    /// <summary>Encodes rows for a model, without targets, and says what was unusual in them.</summary>
    /// <param name="rows">The rows, of training or others.</param>
    /// <param name="report">Unknown categories, unexpected gaps, columns that are ignored.</param>
    /// <returns>The tensors by name.</returns>
    /// <exception cref="AdjointException">Columns are missing, or a value does not fit; the message names
    /// it.</exception>
    public Batch Encode(Table rows, out EncodingReport report)
    {
        Require(rows, columns.Select(column => column.Name));
        var tally = new EncodingTally(RefuseUnknown, positions);
        var batch = new Batch(Inputs(rows, tally));
        report = tally.Report(0, Ignored(rows));
        return batch;
    }

    /// <summary>Encodes one row of texts, as a form or a query of the web has them.</summary>
    /// <param name="row">The texts by column; null, or a word for missing, where a value is missing.</param>
    /// <returns>The tensors by name, each of one row.</returns>
    /// <exception cref="AdjointException">Columns are missing, or a value does not fit; the message names
    /// it.</exception>
    public Batch Encode(IReadOnlyDictionary<string, string?> row) => Encode(new Table("the row",
        row.Count == 0 ? [] : row.Select(entry => Texts(entry.Key, [entry.Value]))));

    /// <summary>Encodes a JSON object by column, or an array of such objects, one for each row.</summary>
    /// <param name="json">Numbers, texts, true, false, or null where a value is missing.</param>
    /// <returns>The tensors by name.</returns>
    /// <exception cref="AdjointException">
    /// It is something else, columns are missing in a row, or a value does not fit; the message names it.
    /// </exception>
    public Batch Encode(JsonElement json) => Encode(TableOf(json));

    /// <summary>
    /// Encodes rows for training or evaluation, as a data set in memory: what <see cref="Encode(Table)"/> gives, with
    /// <see cref="Field.Targets"/>, and where there is a column of weights <see cref="Field.Weights"/>.
    /// </summary>
    /// <param name="rows">The rows: those the encoder was fitted on, or those for validation or test.</param>
    /// <returns>The data set, with this preprocessing and the names of the classes.</returns>
    /// <exception cref="AdjointException">
    /// Columns are missing, a value does not fit, a class was not in training, or no row has a target.
    /// </exception>
    public TensorDataset ToDataset(Table rows) => ToDataset(rows, out _);

    /// <summary>Encodes rows for training or evaluation, and says what was unusual in them.</summary>
    /// <param name="rows">The rows: those the encoder was fitted on, or those for validation or test.</param>
    /// <param name="report">Rows without target, unknown categories, unexpected gaps, columns that are ignored.</param>
    /// <returns>The data set, with this preprocessing and the names of the classes.</returns>
    /// <exception cref="AdjointException">
    /// Columns are missing, a value does not fit, a class was not in training, or no row has a target.
    /// </exception>
    public TensorDataset ToDataset(Table rows, out EncodingReport report)
    {
        string[] names = [.. targets.Select(target => target.Name)];
        Require(rows, columns.Select(column => column.Name).Concat(names)
            .Concat(Weights is null ? [] : [Weights]));
        var ignored = Ignored(rows);
        var (kept, without) = RowsWithTargets(rows, names, RefuseMissingTargets);
        if (kept.Length == 0 && rows.RowCount > 0)
            throw new AdjointException(
                $"{rows.Name}: found no row with a value of the target \"{names[0]}\"; fill it in");
        if (without > 0) rows = rows.Take(kept);
        var tally = new EncodingTally(RefuseUnknown, positions);
        var tensors = Inputs(rows, tally);
        tensors.Add((Field.Targets, TargetsOf(rows)));
        if (Weights is not null) tensors.Add((Field.Weights, Tensor.From(WeightsOf(rows, Weights), rows.RowCount)));
        report = tally.Report(without, ignored);
        return new(rows.Name, tensors, ClassNames) { Preprocessing = this };
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter json) => TableEncoderJson.Write(this, json);

    private List<(string, Tensor)> Inputs(Table rows, EncodingTally tally)
    {
        var count = rows.RowCount;
        var inputs = new float[checked(count * InputCount)];
        var indices = new long[checked(count * EmbeddingSizes.Count)];
        var (at, embedding) = (0, 0);
        foreach (var column in columns)
        {
            if (count == 0) break;
            if (column.IsEmbedded)
                column.WriteIndices(rows, rows[column.Name], indices.AsSpan(embedding++), EmbeddingSizes.Count, tally);
            else column.Write(rows, rows[column.Name], inputs.AsSpan(at), InputCount, tally);
            at += column.Width;
        }
        var tensors = new List<(string, Tensor)> { (Field.Inputs, Tensor.From(inputs, count, InputCount)) };
        if (EmbeddingSizes.Count > 0) tensors.Add((Categories, Tensor.From(indices, count, EmbeddingSizes.Count)));
        return tensors;
    }

    private Tensor TargetsOf(Table rows)
    {
        var (count, width) = (rows.RowCount, targets.Length);
        var values = new double[count * width];
        for (var i = 0; i < width; i++)
        {
            var column = rows[targets[i].Name];
            for (var row = 0; row < count; row++)
                values[row * width + i] = targets[i].Value(rows, column, row, labels[i]);
        }
        if (Task == TargetKind.Classes) return Tensor.From([.. values.Select(value => (long)value)], count);
        float[] numbers = [.. values.Select(value => (float)value)];
        return width == 1 && Task == TargetKind.Regression
            ? Tensor.From(numbers, count)
            : Tensor.From(numbers, count, width);
    }

    private static float[] WeightsOf(Table rows, string name)
    {
        var column = rows[name];
        var weights = new float[rows.RowCount];
        for (var row = 0; row < weights.Length; row++)
        {
            weights[row] = column is NumberColumn numbers ? (float)numbers.Values[row]
                : column is TruthColumn truths ? truths.Values[row] : float.NaN;
            if (!(weights[row] >= 0 && float.IsFinite(weights[row])))
                throw EncodedColumn.Wrong(rows, column, row, "a weight of 0 or more", "correct the field");
        }
        return weights;
    }

    // A row is trained with if it has every target.
    private static (int[] Rows, int Without) RowsWithTargets(Table rows, IReadOnlyList<string> names, bool isRefused)
    {
        Column[] columns = [.. names.Select(name => rows[name])];
        var kept = new List<int>(rows.RowCount);
        for (var row = 0; row < rows.RowCount; row++)
        {
            var empty = Array.Find(columns, column => column.IsMissing(row));
            if (empty is null) kept.Add(row);
            else if (isRefused)
                throw new AdjointException($"{rows.Name}, row {rows.RowNumber(row)}, column \"{empty.Name}\": found no "
                    + "value, expected a target in every row; fill it in, or let such rows be left out");
        }
        return ([.. kept], rows.RowCount - kept.Count);
    }

    private static void Require(Table rows, IEnumerable<string> names)
    {
        string[] missing = [.. names.Where(name => !rows.Find(name, out _)).Select(name => $"\"{name}\"")];
        if (missing.Length > 0)
            throw new AdjointException($"{rows.Name}: found no {(missing.Length == 1 ? "column" : "columns")} "
                + $"{DataFormatException.Abbreviate(string.Join(", ", missing))}, expected the columns of training; "
                + rows.Names());
    }

    private string[] Ignored(Table rows)
    {
        HashSet<string> known = [.. Kinds.Keys, .. LeftOut.Select(entry => entry.Name)];
        return [.. rows.Columns.Select(column => column.Name).Where(name => !known.Contains(name))];
    }

    private static TextColumn Texts(string name, IReadOnlyList<string?> values) =>
        new(name,
        [
            .. values.Select(value =>
                value is null || FieldText.IsMissing(value, amongNumbers: false) ? null : value.Trim()),
        ]);

    private Table TableOf(JsonElement json)
    {
        JsonElement[] rows = json.ValueKind switch
        {
            JsonValueKind.Object => [json],
            JsonValueKind.Array => [.. json.EnumerateArray()],
            _ => throw Wrong(0, json, "an object by column, or an array of them"),
        };
        var texts = new Dictionary<string, string?[]>();
        for (var row = 0; row < rows.Length; row++)
        {
            if (rows[row].ValueKind != JsonValueKind.Object) throw Wrong(row, rows[row], "an object by column");
            foreach (var column in columns)
                if (!rows[row].TryGetProperty(column.Name, out _))
                    throw new AdjointException(
                        $"the JSON, row {row + 1}: found no \"{column.Name}\", expected the columns "
                        + "of training; null says that a value is missing");
            foreach (var property in rows[row].EnumerateObject())
            {
                if (!texts.TryGetValue(property.Name, out var column))
                    texts[property.Name] = column = new string?[rows.Length];
                column[row] = property.Value.ValueKind switch
                {
                    JsonValueKind.String => property.Value.GetString(),
                    JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => property.Value.GetRawText(),
                    JsonValueKind.Null => null,
                    _ => throw Wrong(row, property.Value,
                        $"a number, a text, true, false or null for \"{property.Name}\""),
                };
            }
        }
        if (rows.Length == 0) foreach (var column in columns) texts[column.Name] = [];
        return new("the JSON", texts.Select(entry => Texts(entry.Key, entry.Value)));

        static AdjointException Wrong(int row, JsonElement found, string expected) =>
            new($"the JSON, row {row + 1}: found {found.ValueKind.ToString().ToLowerInvariant()}, expected {expected}");
    }
}
