using System.Text.Json;

namespace Adjoint.Data.Tables;

/// <summary>Writes encoders as JSON and reads them. What is read is untrusted: everything is checked.</summary>
internal static class TableEncoderJson
{
    // Of inputs, and of columns.
    private const int Most = 1 << 20;

    internal static void Write(TableEncoder encoder, Utf8JsonWriter json)
    {
        json.WriteString("task", Name(encoder.Task));
        if (encoder.Weights is not null) json.WriteString("weights", encoder.Weights);
        if (encoder.RefuseUnknown) json.WriteBoolean("refuseUnknown", true);
        if (encoder.RefuseMissingTargets) json.WriteBoolean("refuseMissingTargets", true);
        json.WriteStartArray("targets");
        foreach (var target in encoder.Targets)
        {
            json.WriteStartObject();
            json.WriteString("name", target.Name);
            json.WriteString("type", Name(target.Kind));
            if (encoder.Task == TargetKind.Regression)
            {
                json.WriteNumber("mean", target.Mean);
                json.WriteNumber("deviation", target.Deviation);
            }
            else Write(json, "classes", target.Classes);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("columns");
        foreach (var column in encoder.Columns)
        {
            json.WriteStartObject();
            json.WriteString("name", column.Name);
            json.WriteString("type", Name(column.Kind));
            json.WriteString("role", Name(column.Role));
            if (column.Role == ColumnRole.Category) Write(json, "categories", column.Categories);
            else
            {
                json.WriteNumber("mean", column.Mean);
                json.WriteNumber("deviation", column.Deviation);
            }
            foreach (var (name, value) in Flags(column))
                if (value) json.WriteBoolean(name, true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("leftOut");
        foreach (var (name, reason) in encoder.LeftOut)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("reason", reason);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    internal static TableEncoder Read(JsonElement json)
    {
        var task = Parse<TargetKind>(json, "task");
        EncodedTarget[] targets =
            [.. json.GetProperty("targets").EnumerateArray().Select(target => Target(target, task))];
        EncodedColumn[] columns = [.. json.GetProperty("columns").EnumerateArray().Select(ColumnOf)];
        var leftOut = json.GetProperty("leftOut").EnumerateArray()
            .Select(entry => (Text(entry, "name"), Text(entry, "reason"))).ToArray();
        var weights = json.TryGetProperty("weights", out _) ? Text(json, "weights") : null;
        string[] names = [.. targets.Select(target => target.Name), .. columns.Select(column => column.Name),
            .. weights is null ? [] : (string[])[weights]];
        if (targets.Length == 0 || columns.Length == 0) throw new FormatException("a table needs columns and a target");
        if (task == TargetKind.Classes && targets.Length > 1)
            throw new FormatException($"classes are of one target: found {targets.Length}");
        if (names.Distinct().Count() < names.Length) throw new FormatException("two columns have one name");
        if (columns.Sum(column => (long)column.Width) > Most)
            throw new FormatException($"the columns have more than {Most} inputs");
        return new(task, columns, targets, leftOut, weights, Flag(json, "refuseUnknown"),
            Flag(json, "refuseMissingTargets"));
    }

    private static EncodedTarget Target(JsonElement json, TargetKind task)
    {
        var target = new EncodedTarget { Name = Text(json, "name"), Kind = Parse<ColumnKind>(json, "type") };
        if (task != TargetKind.Regression)
        {
            var classes = Texts(json, "classes");
            return classes.Length >= 2 && (task == TargetKind.Classes || classes.Length == 2)
                ? target with { Classes = classes }
                : throw new FormatException($"target '{target.Name}' has {classes.Length} classes");
        }
        var deviation = Number(json, "deviation");
        return deviation > 0
            ? target with { Mean = Number(json, "mean"), Deviation = deviation }
            : throw new FormatException(
                $"target '{target.Name}' has the deviation {deviation}, which must be positive");
    }

    private static EncodedColumn ColumnOf(JsonElement json)
    {
        var column = new EncodedColumn
        {
            Name = Text(json, "name"),
            Kind = Parse<ColumnKind>(json, "type"),
            Role = Parse<ColumnRole>(json, "role"),
            HasMissing = Flag(json, "missing"),
            HasOther = Flag(json, "other"),
            IsEmbedded = Flag(json, "embedded"),
            HasTimeOfYear = Flag(json, "timeOfYear"),
            HasTimeOfWeek = Flag(json, "timeOfWeek"),
            HasTimeOfDay = Flag(json, "timeOfDay"),
        };
        var isCategory = column.Role == ColumnRole.Category;
        if (column.Role == ColumnRole.LeftOut || column.IsEmbedded && (!isCategory || column.HasOther)
            || column.HasOther && !isCategory
            || column.Role == ColumnRole.Date != (column.Kind == ColumnKind.Date) && !isCategory
            || (column.HasTimeOfYear || column.HasTimeOfWeek || column.HasTimeOfDay) && column.Role != ColumnRole.Date)
            throw new FormatException($"column '{column.Name}' has properties that exclude each other");
        if (isCategory) return column with { Categories = Texts(json, "categories") };
        var deviation = Number(json, "deviation");
        return deviation >= 0
            ? column with { Mean = Number(json, "mean"), Deviation = deviation }
            : throw new FormatException(
                $"column '{column.Name}' has the deviation {deviation}, which must not be negative");
    }

    private static (string Name, bool Value)[] Flags(EncodedColumn column) =>
    [
        ("missing", column.HasMissing), ("other", column.HasOther), ("embedded", column.IsEmbedded),
        ("timeOfYear", column.HasTimeOfYear), ("timeOfWeek", column.HasTimeOfWeek), ("timeOfDay", column.HasTimeOfDay),
    ];

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static string Name<T>(T value) where T : struct, Enum =>
        JsonNamingPolicy.CamelCase.ConvertName(value.ToString());

    private static T Parse<T>(JsonElement json, string property) where T : struct, Enum
    {
        var text = Text(json, property);
        foreach (var value in Enum.GetValues<T>())
            if (Name(value) == text) return value;
        throw new FormatException($"'{property}' is '{text}', which is none of "
            + string.Join(", ", Enum.GetValues<T>().Select(Name)));
    }

    private static string Text(JsonElement json, string property) => json.GetProperty(property).GetString()
        ?? throw new FormatException($"'{property}' must be a text");

    private static double Number(JsonElement json, string property) =>
        json.GetProperty(property).GetDouble() is var number && double.IsFinite(number)
            ? number
            : throw new FormatException($"'{property}' must be finite");

    private static bool Flag(JsonElement json, string property) =>
        json.TryGetProperty(property, out var value) && value.GetBoolean();

    private static string[] Texts(JsonElement json, string property)
    {
        string[] texts = [.. json.GetProperty(property).EnumerateArray().Select(text => text.GetString()
            ?? throw new FormatException($"'{property}' must hold texts"))];
        return texts.Distinct().Count() == texts.Length
            ? texts
            : throw new FormatException($"'{property}' holds a text twice");
    }
}
