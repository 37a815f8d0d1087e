using System.Globalization;
using System.Text.Json;

namespace Adjoint.Cli;

/// <summary>What the metadata of a model file say of the model, in a few lines.</summary>
internal static class ModelDescription
{
    private const int MostParts = 12, MostDepth = 200;

    /// <summary>Lines of a name and a text; none where the description is not as this version writes it.</summary>
    internal static IEnumerable<(string Name, string Text)> Lines(string description)
    {
        try
        {
            using var json = JsonDocument.Parse(description, new() { MaxDepth = MostDepth });
            return [.. Lines(json.RootElement)];
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return [];
        }
    }

    private static IEnumerable<(string, string)> Lines(JsonElement json)
    {
        yield return ("model", Module(json.GetProperty("architecture")));
        if (json.TryGetProperty("task", out var task))
            yield return ("task", task.GetString()
                + Counted(json, "classNames", "class", "classes") + Counted(json, "targetNames", "target", "targets"));
        if (json.TryGetProperty("epoch", out var epoch))
            yield return ("trained", $"until epoch {epoch.GetRawText()}"
                + (json.TryGetProperty("score", out var score) && score.GetString() is { } name
                    && json.TryGetProperty("metrics", out var metrics) && metrics.TryGetProperty(name, out var value)
                    && value.ValueKind == JsonValueKind.Number
                    ? string.Create(CultureInfo.InvariantCulture, $", {name} {value.GetDouble():G4}") : ""));
    }

    // Its type and settings; of what only holds others these.
    private static string Module(JsonElement module)
    {
        if (module.TryGetProperty("shared", out var shared)) return $"that of {shared.GetString()}";
        var type = module.GetProperty("type").GetString();
        var settings = module.TryGetProperty("settings", out var given)
            ? given.EnumerateObject().Select(one => $"{one.Name} {Value(one.Value)}") : [];
        var parts = module.TryGetProperty("modules", out var modules)
            ? modules.EnumerateObject().Select(one => Module(one.Value)).ToArray() : [];
        string[] inner =
        [
            .. settings, .. parts.Take(MostParts),
            .. parts.Length > MostParts ? [$"{parts.Length - MostParts} more"] : Array.Empty<string>(),
        ];
        return inner.Length == 0 ? type! : $"{type}({string.Join(", ", inner)})";
    }

    private static string Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Array => $"[{string.Join(", ", value.EnumerateArray().Select(Value))}]",
        _ => value.GetRawText(),
    };

    private static string Counted(JsonElement json, string name, string one, string several) =>
        json.TryGetProperty(name, out var list) && list.GetArrayLength() is var count
            ? $", {count} {(count == 1 ? one : several)}" : "";
}
