using System.Text.Json;
using Adjoint.Shared;

namespace Adjoint.Explorer;

/// <summary>The structure of a graph for the page: no values but those of single numbers.</summary>
internal static class GraphJson
{
    internal static void Write(Utf8JsonWriter json, ComputationGraph graph, string title, string version,
        int? step = null)
    {
        json.WriteStartObject();
        json.WriteString("title", title);
        json.WriteString("version", version);
        json.WriteBoolean("trained", step is not null);
        if (step is { } taken) json.WriteNumber("step", taken);
        if (graph.MissingGradients is { } missing) json.WriteString("missingGradients", missing);
        json.WriteStartArray("tensors");
        foreach (var tensor in graph.Tensors) WriteTensor(json, tensor);
        json.WriteEndArray();
        json.WriteStartArray("ops");
        foreach (var op in graph.Ops) WriteOp(json, op);
        json.WriteEndArray();
        json.WriteStartArray("modules");
        foreach (var module in graph.Modules)
        {
            json.WriteStartObject();
            json.WriteNumber("id", module.Id);
            json.WriteString("name", module.Name);
            json.WriteString("path", module.Path);
            json.WriteString("label", module.Label);
            if (module.Parent is { } parent) json.WriteNumber("parent", parent.Id);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumbers("backward", graph.BackwardOps.Select(op => op.Id));
        json.WriteEndObject();
    }

    private static void WriteTensor(Utf8JsonWriter json, TensorItem item)
    {
        json.WriteStartObject();
        json.WriteNumber("id", item.Id);
        json.WriteString("kind", item.Kind.ToString().ToLowerInvariant());
        json.WriteString("name", item.Name);
        json.WriteNumbers("shape", [.. item.Tensor.Shape]);
        json.WriteString("dtype", item.Tensor.DType.Label());
        json.WriteBoolean("requiresGrad", item.Tensor.RequiresGrad);
        if (item.Tensor.Length == 1) json.WriteReal("item", item.Tensor.Item());
        if (item.Gradient is not null) json.WriteBoolean("hasGradient", true);
        json.WriteNumbers("arrivals", item.Contributions.Select(contribution => contribution.From.Id));
        json.WriteEndObject();
    }

    private static void WriteOp(Utf8JsonWriter json, OpItem item)
    {
        var op = item.Node.Op;
        json.WriteStartObject();
        json.WriteNumber("id", item.Id);
        json.WriteString("name", op.Name);
        json.WriteNumbers("inputs", item.Inputs.Select(input => input.Id));
        json.WriteNumbers("outputs", item.Outputs.Select(output => output.Id));
        if (item.Module is { } module) json.WriteNumber("module", module.Id);
        if (op.Attributes.Count > 0) json.WriteString("attributes", string.Join(", ", op.Attributes));
        json.WriteString("formula", Html.Write(MathMl.Convert(op.Formula)));
        json.WriteString("derivation", Html.Write(MathMl.Convert(op.Derivation)));
        json.WriteString("formulaText", op.Formula);
        json.WriteString("derivationText", op.Derivation);
        if (item.Node.Trace is { } trace)
        {
            if (trace.CalledAt.Length > 0) json.WriteString("calledAt", Shorten(trace.CalledAt));
            if (item.Node.CalledAt is { } outside && outside != trace.CalledAt)
                json.WriteString("calledFrom", Shorten(outside));
            WriteCost(json, "forward", trace.Forward);
            WriteCost(json, "backward", trace.Backward);
        }
        json.WriteEndObject();
    }

    private static void WriteCost(Utf8JsonWriter json, string name, OpCost? cost)
    {
        if (cost is not { Operations: > 0 } spent) return;
        json.WriteStartObject(name);
        json.WriteReal("milliseconds", spent.Milliseconds);
        json.WriteReal("flops", spent.Flops);
        json.WriteReal("bytes", spent.Bytes);
        json.WriteEndObject();
    }

    // The page may be sent to others: of a place outside the current folder only the file's name is told.
    private static string Shorten(string place)
    {
        var colon = place.LastIndexOf(':');
        if (colon < 0 || !Path.IsPathRooted(place)) return place;
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, place[..colon]);
        return (relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative)
            ? Path.GetFileName(relative)
            : relative.Replace('\\', '/')) + place[colon..];
    }
}
