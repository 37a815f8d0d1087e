using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>What a model file says beside the model: what it is for, and what its inputs and outputs mean.</summary>
public sealed record ModelInfo
{
    /// <summary>The name of the task, such as <c>classification</c> or <c>regression</c>; null: not known.</summary>
    public string? Task { get; init; }

    /// <summary>The names of the classes, in the order of the model's outputs; empty where there are none.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>The names of the values that are predicted, such as <c>price</c>; empty where they have none.</summary>
    public IReadOnlyList<string> TargetNames { get; init; } = [];

    /// <summary>
    /// Names, shapes and element types of the tensors of a sample that it learned from; empty where they are not known.
    /// </summary>
    public IReadOnlyList<Field> Fields { get; init; } = [];

    /// <summary>How raw data become the model's inputs; null where nothing is known of it.</summary>
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>
    /// The means and standard deviations by which the inputs were standardized, of the whole or by column or channel,
    /// after the preprocessing; null where they were not.
    /// </summary>
    public (double[] Mean, double[] Deviation)? Statistics { get; init; }

    /// <summary>The name of the metric by which the model was chosen, such as <c>accuracy</c>; null: none.</summary>
    public string? Score { get; init; }

    /// <summary>The measures of the model on validation samples, by name, such as <c>accuracy</c>.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new Dictionary<string, double>();

    /// <summary>The epoch of training that the model is of; null: not known.</summary>
    public int? Epoch { get; init; }

    /// <summary>The version of the library that wrote the file; null for a model that was not read from one.</summary>
    public string? Version { get; init; }

    internal void Write(Utf8JsonWriter json)
    {
        if (Task is not null) json.WriteString("task", Task);
        Texts("classNames", ClassNames);
        Texts("targetNames", TargetNames);
        if (Fields.Count > 0) WriteFields(json);
        if (Preprocessing is not null)
        {
            json.WriteStartObject("preprocessing");
            json.WriteString("kind", Preprocessing.Kind);
            Preprocessing.Write(json);
            json.WriteEndObject();
        }
        if (Score is not null) json.WriteString("score", Score);
        if (Epoch is { } epoch) json.WriteNumber("epoch", epoch);
        if (Metrics.Count > 0)
        {
            json.WriteStartObject("metrics");
            foreach (var (name, value) in Metrics)
                if (double.IsFinite(value)) json.WriteNumber(name, value);
                else json.WriteNull(name);
            json.WriteEndObject();
        }

        void Texts(string name, IReadOnlyList<string> texts)
        {
            if (texts.Count == 0) return;
            json.WriteStartArray(name);
            foreach (var text in texts) json.WriteStringValue(text);
            json.WriteEndArray();
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; what a later version wrote beside is left out.</summary>
    internal static ModelInfo Read(JsonElement json)
    {
        return new()
        {
            Task = json.TryGetProperty("task", out var task) ? Text(task) : null,
            ClassNames = Texts("classNames"),
            TargetNames = Texts("targetNames"),
            Fields = json.TryGetProperty("fields", out var fields) ? ReadFields(fields) : [],
            Preprocessing = json.TryGetProperty("preprocessing", out var preprocessing)
                ? Preprocessing.Read(preprocessing)
                : null,
            Score = json.TryGetProperty("score", out var score) ? Text(score) : null,
            Epoch = json.TryGetProperty("epoch", out var epoch) ? epoch.GetInt32() : null,
            Metrics = json.TryGetProperty("metrics", out var metrics)
                ? metrics.EnumerateObject().ToDictionary(one => one.Name,
                    one => one.Value.ValueKind == JsonValueKind.Null ? double.NaN : one.Value.GetDouble())
                : new Dictionary<string, double>(),
            Version = json.TryGetProperty("version", out var version) ? Text(version) : null,
        };

        string[] Texts(string name) => json.TryGetProperty(name, out var texts)
            ? [.. texts.EnumerateArray().Select(Text)]
            : [];
    }

    private void WriteFields(Utf8JsonWriter json)
    {
        json.WriteStartArray("fields");
        foreach (var field in Fields)
        {
            json.WriteStartObject();
            json.WriteString("name", field.Name);
            json.WriteStartArray("shape");
            foreach (var size in field.Shape) json.WriteNumberValue(size);
            json.WriteEndArray();
            json.WriteString("dtype", field.DType.Label());
            if (field.IsRagged) json.WriteBoolean("ragged", true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static Field[] ReadFields(JsonElement json) =>
    [
        .. json.EnumerateArray().Select(field => new Field(
            Text(field.GetProperty("name")),
            (int[])[.. field.GetProperty("shape").EnumerateArray().Select(size => size.GetInt32())],
            TypeNamed(Text(field.GetProperty("dtype"))))
        {
            IsRagged = field.TryGetProperty("ragged", out var ragged) && ragged.GetBoolean(),
        }),
    ];

    private static DType TypeNamed(string label) => Enum.GetValues<DType>().Cast<DType?>()
        .FirstOrDefault(type => type!.Value.Label() == label)
        ?? throw new FormatException($"'{DataFormatException.Abbreviate(label)}' is no element type");

    private static string Text(JsonElement value) => value.GetString() ?? throw new FormatException("null is no text");
}
