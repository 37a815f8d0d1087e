using System.Text.Json;

namespace Adjoint.Explorer;

/// <summary>Rules taken apart, and checks, for the page.</summary>
internal static class RuleJson
{
    internal static void Write(Utf8JsonWriter json, IReadOnlyList<TakenApart> parts)
    {
        json.WriteStartArray();
        foreach (var part in parts) Write(json, part);
        json.WriteEndArray();
    }

    internal static void Write(Utf8JsonWriter json, TakenApart part)
    {
        json.WriteStartObject();
        json.WriteNumber("input", part.Input);
        json.WriteNumbers("at", part.At);
        json.WriteNumber("count", part.Count);
        json.WriteReal("sum", part.Sum);
        json.WriteReal("held", part.Held);
        json.WriteStartArray("terms");
        foreach (var term in part.Terms)
        {
            json.WriteStartObject();
            json.WriteNumber("output", term.Output);
            json.WriteNumbers("at", term.At);
            json.WriteReal("factor", term.Factor);
            json.WriteReal("slope", term.Slope);
            json.WriteReal("product", term.Product);
            if (term.SlopeIs is var (input, at))
            {
                json.WriteNumber("slopeInput", input);
                json.WriteNumbers("slopeAt", at);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter json, IReadOnlyList<CheckedElement> rows, double tolerance)
    {
        json.WriteStartObject();
        json.WriteReal("tolerance", tolerance);
        json.WriteReal("worst", rows.Select(row => row.Error).DefaultIfEmpty(0).Max());
        json.WriteBoolean("passed", rows.All(row => row.Error <= tolerance));
        json.WriteStartArray("rows");
        foreach (var row in rows)
        {
            json.WriteStartObject();
            json.WriteNumber("input", row.Input);
            json.WriteNumbers("at", row.At);
            json.WriteReal("held", row.Held);
            json.WriteReal("analytic", row.Analytic);
            json.WriteReal("numeric", row.Numeric);
            json.WriteReal("error", row.Error);
            json.WriteBoolean("kink", row.IsKink);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
