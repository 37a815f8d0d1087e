using System.Text.Json;

namespace Adjoint.Explorer;

/// <summary>Numbers that JSON lacks are written as their names.</summary>
internal static class JsonNumbers
{
    internal static string Name(double value) => double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";

    internal static void WriteReal(this Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        json.WriteReal(value);
    }

    internal static void WriteReal(this Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value)) json.WriteNumberValue(value);
        else json.WriteStringValue(Name(value));
    }

    internal static void WriteNumbers(this Utf8JsonWriter json, string name, IEnumerable<int> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    /// <summary>Runs a writer over memory.</summary>
    internal static byte[] ToBytes(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) write(json);
        return buffer.ToArray();
    }
}
