using System.Text.Json;
using Adjoint.Nn;

namespace Adjoint.IO;

/// <summary>
/// The configuration of a published model, <c>config.json</c>: what is left out has the default of the model's kind.
/// </summary>
/// <param name="json">The object in the file.</param>
internal readonly struct PublishedConfig(JsonElement json)
{
    private static readonly (string Name, FeedForwardActivation Value)[] Activations =
    [
        ("gelu", FeedForwardActivation.Gelu), ("gelu_new", FeedForwardActivation.GeluTanh),
        ("gelu_pytorch_tanh", FeedForwardActivation.GeluTanh), ("relu", FeedForwardActivation.Relu),
        ("silu", FeedForwardActivation.Silu), ("swish", FeedForwardActivation.Silu),
    ];

    /// <summary>Reads a configuration of the given kind.</summary>
    internal static T Read<T>(string path, string kind, Func<PublishedConfig, T> read) => JsonFile.Read(path,
        $"the configuration of a model of type {kind}", json =>
        {
            if (json.ValueKind != JsonValueKind.Object) throw new FormatException("it is no object");
            var config = new PublishedConfig(json);
            return config.Text("model_type", kind) is var type && type == kind
                ? read(config)
                : throw new FormatException($"'model_type' is '{type}'");
        });

    /// <summary>The first of these names that is there.</summary>
    internal int? Integer(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (Find(name) is { } value) return value.GetInt32();
        return null;
    }

    internal int RequiredInteger(params ReadOnlySpan<string> names) =>
        Integer(names) ?? throw new FormatException($"'{names[0]}' is missing");

    internal double Number(string name, double missing) => Find(name)?.GetDouble() ?? missing;

    internal bool Flag(string name, bool missing) => Find(name)?.GetBoolean() ?? missing;

    internal string Text(string name, string missing) => Find(name)?.GetString() ?? missing;

    internal FeedForwardActivation Activation(string name, string missing)
    {
        var text = Text(name, missing);
        foreach (var one in Activations)
            if (one.Name == text) return one.Value;
        throw new FormatException(
            $"'{name}' is '{text}', which is none of {string.Join(", ", Activations.Select(one => one.Name))}");
    }

    /// <summary>Refuses what would be computed in another way.</summary>
    internal void Require(string name, bool value)
    {
        if (Flag(name, value) != value)
            throw new FormatException(
                $"'{name}' is not {(value ? "true" : "false")}: such models are computed otherwise");
    }

    /// <summary>The name of an activation in a configuration.</summary>
    internal static string NameOf(FeedForwardActivation activation) =>
        Activations.First(one => one.Value == activation).Name;

    private JsonElement? Find(string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
}
