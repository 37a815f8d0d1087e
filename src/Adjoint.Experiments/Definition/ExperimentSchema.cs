using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Adjoint.Experiments;

/// <summary>The JSON schema (draft 2020-12) of experiment files, from which editors complete and check them.</summary>
public static class ExperimentSchema
{
    private const string Factors =
        """
        What is varied: a setting's name and its values, or any name and levels, { "label": …, settings… };
        for random search also a range, { "from": …, "to": …, "scale": "log" }.
        """;

    private const string Search =
        """
        [
          { "const": "grid" },
          { "type": "object", "additionalProperties": false, "required": ["random"], "properties": {
            "random": { "type": "integer", "minimum": 1 }, "seed": { "type": "integer", "minimum": 0 } } }
        ]
        """;

    private const string Seeds =
        """
        [
          { "type": "integer", "minimum": 1 },
          { "type": "array", "minItems": 1, "uniqueItems": true, "items": { "type": "integer", "minimum": 0 } }
        ]
        """;

    private static readonly JsonWriterOptions Layout =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema for the settings that a program knows.</summary>
    /// <param name="program">The program that knows the settings.</param>
    /// <returns>The schema as indented JSON.</returns>
    public static string For(ITrialProgram program)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Layout))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("title", "Experiment");
            ClosedObject(json, () =>
            {
                Property(json, "$schema", "string", "Where this schema is.");
                Property(json, "name", "string",
                    "Names files: letters, digits, - and _. By default the file's name.");
                Property(json, "title", "string", "What the experiment is about.");
                Described(json, "settings", "Settings of all trials.", "$ref", "\"#/$defs/settings\"");
                Described(json, "factors", Factors.ReplaceLineEndings(" "), "type", "\"object\"");
                Described(json, "search", "All combinations, or some drawn at random.", "oneOf", Search);
                Described(json, "seeds", "How many, from 1, or which.", "oneOf", Seeds);
                Measures(json);
                Claims(json);
            });
            json.WriteStartObject("$defs");
            json.WriteStartObject("settings");
            ClosedObject(json, () =>
            {
                foreach (var setting in program.Settings) Write(json, setting);
            });
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void Claims(Utf8JsonWriter json)
    {
        json.WriteStartObject("claims");
        json.WriteString("description", "What is claimed about the cases, to be judged.");
        json.WriteString("type", "array");
        json.WriteStartObject("items");
        Raw(json, "required", "[\"text\"]");
        ClosedObject(json, () =>
        {
            Property(json, "text", "string", "The claim in words.");
            Measures(json);
            Property(json, "higher", "string", "The case that measures more.");
            Property(json, "lower", "string", "The case that measures less.");
            Property(json, "than", "string", "The other case.");
            Property(json, "near", "string", "The case whose measure was reported.");
            Property(json, "value", "number", "The reported number.");
            Property(json, "margin", "number", "How far apart numbers may lie that count as equal.");
            Property(json, "top", "string", "The case that measures more than every other.");
            Property(json, "alike", "boolean", "All cases measure the same, within the margin.");
        });
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Setting setting)
    {
        json.WriteStartObject(setting.Name);
        json.WriteString("type", setting.Kind switch
        {
            SettingKind.Text => "string",
            SettingKind.Integer => "integer",
            SettingKind.Number => "number",
            _ => "boolean",
        });
        var (help, fallback) = (setting.Description, setting.DefaultText);
        json.WriteString("description",
            fallback is null || setting.HasConstantDefault ? help : $"{help} By default {fallback}.");
        if (setting.Choices.Count > 0 && !setting.IsList)
        {
            json.WriteStartArray("enum");
            foreach (var choice in setting.Choices) json.WriteStringValue(choice);
            json.WriteEndArray();
        }
        (string Name, double? Bound)[] bounds =
        [
            ("minimum", setting.Range?.AtLeast), ("maximum", setting.Range?.AtMost),
            ("exclusiveMinimum", setting.Range?.Above), ("exclusiveMaximum", setting.Range?.Below),
        ];
        foreach (var (name, bound) in bounds)
            if (bound is { } number) Raw(json, name, number.ToString(CultureInfo.InvariantCulture));
        if (setting.HasConstantDefault)
            Raw(json, "default", setting.Kind == SettingKind.Text ? $"\"{fallback}\"" : fallback!);
        json.WriteEndObject();
    }

    // In an object that is begun: its properties, and that there are no others.
    private static void ClosedObject(Utf8JsonWriter json, Action properties)
    {
        json.WriteString("type", "object");
        json.WriteBoolean("additionalProperties", false);
        json.WriteStartObject("properties");
        properties();
        json.WriteEndObject();
    }

    private static void Property(Utf8JsonWriter json, string name, string type, string description)
    {
        json.WriteStartObject(name);
        json.WriteString("type", type);
        json.WriteString("description", description);
        json.WriteEndObject();
    }

    private static void Described(Utf8JsonWriter json, string name, string description, string keyword, string value)
    {
        json.WriteStartObject(name);
        json.WriteString("description", description);
        Raw(json, keyword, value);
        json.WriteEndObject();
    }

    // A value in JSON, laid out as the rest.
    private static void Raw(Utf8JsonWriter json, string name, string value)
    {
        json.WritePropertyName(name);
        using var parsed = JsonDocument.Parse(value);
        parsed.RootElement.WriteTo(json);
    }

    private static void Measures(Utf8JsonWriter json)
    {
        json.WriteStartObject("measure");
        json.WriteString("description", "The number by which cases are compared.");
        json.WriteStartArray("enum");
        foreach (var measure in Measure.All) json.WriteStringValue(measure.Name);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
