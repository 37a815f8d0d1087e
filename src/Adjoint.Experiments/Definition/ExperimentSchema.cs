using System.Text;
using System.Text.Json;

namespace Adjoint.Experiments;

/// <summary>The JSON schema (draft 2020-12) of experiment files, so that editors complete and check them.</summary>
public static class ExperimentSchema
{
    /// <summary>The schema for the settings that a program knows.</summary>
    public static string For(ITrialProgram program)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("title", "Experiment");
            json.WriteString("type", "object");
            json.WriteBoolean("additionalProperties", false);
            json.WriteStartObject("properties");
            Property(json, "$schema", "string", "Where this schema lies.");
            Property(json, "name", "string", "Names files: letters, digits, - and _. By default the file's name.");
            Property(json, "title", "string", "What the experiment is about.");
            json.WriteStartObject("settings");
            json.WriteString("description", "Of all trials.");
            json.WriteString("$ref", "#/$defs/settings");
            json.WriteEndObject();
            json.WriteStartObject("factors");
            json.WriteString("description", "What is varied: a setting's name and its values, or any name and levels, { \"label\": …, settings… }; for random search also a range, { \"from\": …, \"to\": …, \"scale\": \"log\" }.");
            json.WriteString("type", "object");
            json.WriteEndObject();
            json.WriteStartObject("search");
            json.WriteString("description", "All combinations, or some drawn at random.");
            json.WritePropertyName("oneOf");
            json.WriteRawValue("""[{ "const": "grid" }, { "type": "object", "additionalProperties": false, "required": ["random"], "properties": { "random": { "type": "integer", "minimum": 1 }, "seed": { "type": "integer", "minimum": 0 } } }]""");
            json.WriteEndObject();
            json.WriteStartObject("seeds");
            json.WriteString("description", "How many, from 1, or which.");
            json.WritePropertyName("oneOf");
            json.WriteRawValue("""[{ "type": "integer", "minimum": 1 }, { "type": "array", "minItems": 1, "uniqueItems": true, "items": { "type": "integer", "minimum": 0 } }]""");
            json.WriteEndObject();
            Measures(json);
            json.WriteStartObject("claims");
            json.WriteString("description", "What is said about the cases, to be judged.");
            json.WriteString("type", "array");
            json.WriteStartObject("items");
            json.WriteString("type", "object");
            json.WriteBoolean("additionalProperties", false);
            json.WritePropertyName("required");
            json.WriteRawValue("""["text"]""");
            json.WriteStartObject("properties");
            Property(json, "text", "string", "In words.");
            Measures(json);
            Property(json, "higher", "string", "The case that measures more.");
            Property(json, "lower", "string", "The case that measures less.");
            Property(json, "than", "string", "The other case.");
            Property(json, "near", "string", "The case whose measure was reported.");
            Property(json, "value", "number", "The reported number.");
            Property(json, "margin", "number", "What counts as equal.");
            Property(json, "top", "string", "The case that measures more than every other.");
            Property(json, "alike", "boolean", "All cases measure the same, within the margin.");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("$defs");
            json.WriteStartObject("settings");
            json.WriteString("type", "object");
            json.WriteBoolean("additionalProperties", false);
            json.WriteStartObject("properties");
            foreach (var setting in program.Settings)
                Property(json, setting.Name, setting.Kind switch { SettingKind.Text => "string", SettingKind.Integer => "integer", SettingKind.Number => "number", _ => "boolean" }, setting.Description);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    private static void Property(Utf8JsonWriter json, string name, string type, string description)
    {
        json.WriteStartObject(name);
        json.WriteString("type", type);
        json.WriteString("description", description);
        json.WriteEndObject();
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
