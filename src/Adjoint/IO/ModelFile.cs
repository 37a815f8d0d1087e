using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.IO;

/// <summary>
/// A model as one file: a safetensors file of its parameters and buffers, whose metadata have an entry
/// <c>adjoint.model</c>, JSON with the architecture (types of modules and their settings), the task, and the names of
/// classes or targets. Other programs read the tensors as they do those of any safetensors file. Files are untrusted:
/// sizes are checked before memory is taken, and what the file describes can take no more than a small multiple of its
/// length.
/// </summary>
public sealed class ModelFile
{
    /// <summary>The key of the description in the metadata.</summary>
    public const string Key = "adjoint.model";

    /// <summary>The key of the reason why a file has tensors only, in the metadata.</summary>
    internal const string ReasonKey = "adjoint.model.missing";

    private const int Format = 1;

    // Each module is two levels of JSON.
    private const int JsonDepth = 2 * Architecture.MaxDepth + 64;

    private static readonly JsonWriterOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = JsonDepth,
    };

    private ModelFile(Module model, ModelInfo info) => (Model, Info) = (model, info);

    /// <summary>The model, in evaluation mode, with the types that its tensors had.</summary>
    public Module Model { get; }

    /// <summary>What the file says beside it.</summary>
    public ModelInfo Info { get; }

    /// <summary>Reads a model from a file.</summary>
    /// <param name="path">The path of the file.</param>
    /// <returns>The model, and what the file says of it.</returns>
    /// <exception cref="DataFormatException">
    /// The file is damaged, of another kind or a later version, or has a type of module that is not registered.
    /// </exception>
    /// <exception cref="FileNotFoundException">There is nothing at that path.</exception>
    public static ModelFile Read(string path)
    {
        var tensors = SafeTensors.Load(path, out var metadata);
        if (!metadata.TryGetValue(Key, out var description))
            throw new DataFormatException(
                $"{path}: holds tensors without the description of a model ('{Key}'): "
                + (metadata.GetValueOrDefault(ReasonKey) is { } reason
                    ? DataFormatException.Abbreviate(reason)
                    : "an older version or another program wrote it")
                + "; create the model and load them: model.LoadStateDict(SafeTensors.Load(path))");
        try
        {
            return JsonFile.Parse(Encoding.UTF8.GetBytes(description), path, 8, $"metadata '{Key}' that",
                "the description of a model",
                json => Read(json, tensors, metadata, new FileInfo(path).Length), JsonDepth);
        }
        catch (AdjointException error) when (error is not DataFormatException)
        {
            throw new DataFormatException($"{path}: {DataFormatException.Abbreviate(error.Message)}");
        }
    }

    /// <summary>
    /// Writes a model whose tensors have the given values; <see cref="Read(string)"/> makes it again.
    /// </summary>
    /// <exception cref="AdjointException">The model cannot be made again from its description.</exception>
    internal static void Write(string path, Module model, IReadOnlyDictionary<string, Tensor> state, ModelInfo info) =>
        Write(path, model, state, info, Describe(path, model, info));

    /// <summary>
    /// The same, but a model that cannot be made again is written as tensors alone, with the reason: it was trained,
    /// and nothing of that is to be lost.
    /// </summary>
    internal static void WriteAtLeastTensors(
        string path, Module model, IReadOnlyDictionary<string, Tensor> state, ModelInfo info)
    {
        (string, string) description;
        try
        {
            description = Describe(path, model, info);
        }
        catch (AdjointException error)
        {
            description = (ReasonKey, error.Message);
        }
        Write(path, model, state, info, description);
    }

    private static void Write(string path, Module model, IReadOnlyDictionary<string, Tensor> state, ModelInfo info,
        (string Key, string Text) description)
    {
        var notes = new Dictionary<string, string> { [description.Key] = description.Text };
        if (info.Statistics is { } statistics)
            foreach (var (key, value) in Standardize.Metadata(statistics)) notes.Add(key, value);
        SafeTensors.Save(path, Once(model).ToDictionary(entry => entry.Name, entry => state[entry.Name]), notes);
    }

    private static (string Key, string Text) Describe(string path, Module model, ModelInfo info)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteNumber("format", Format);
            json.WriteString("version", LibraryVersion.Text);
            info.Write(json);
            json.WritePropertyName("architecture");
            Architecture.Write(json, model);
            WriteTypes(json, model);
            json.WriteEndObject();
        }
        var bytes = Once(model).Sum(entry => (long)entry.Value.Length * entry.Value.DType.Size());
        RequireSame(path, model, buffer.ToArray(), bytes);
        return (Key, Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private static ModelFile Read(
        JsonElement json, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata,
        long length)
    {
        if (json.GetProperty("format").GetInt32() is var format && format != Format)
            throw new AdjointException(
                $"it is a model file of format {format}, and this version of the library reads {Format}; update it");
        var info = ModelInfo.Read(json) with { Statistics = Standardize.StatisticsOf(metadata) };
        var model = Architecture.Read(json.GetProperty("architecture"), length);
        foreach (var type in Enum.GetValues<DType>().Where(type => type.IsFloating() && type != DType.Float32))
            Conversion.Run(
                model.NamedState()
                    .Where(entry => tensors.TryGetValue(entry.Name, out var value) && value.DType == type)
                    .Select(entry => entry.Value)
                    .Concat(ReadTypes(json, model, type)),
                type, device: null);
        model.LoadStateDict(tensors);
        return new(model.Eval(), info);
    }

    // What the constructor computes again is not saved, but may have been converted.
    private static void WriteTypes(Utf8JsonWriter json, Module model)
    {
        var converted = Unsaved(model).Where(entry => entry.Value.DType is not DType.Float32).ToArray();
        if (converted.Length == 0) return;
        json.WriteStartObject("unsavedBuffers");
        foreach (var (name, value) in converted) json.WriteString(name, value.DType.Label());
        json.WriteEndObject();
    }

    private static Tensor[] ReadTypes(JsonElement json, Module model, DType type)
    {
        if (!json.TryGetProperty("unsavedBuffers", out var types)) return [];
        var names = types.EnumerateObject().Where(one => one.Value.GetString() == type.Label())
            .Select(one => one.Name).ToHashSet();
        return [.. Unsaved(model).Where(entry => names.Contains(entry.Name)).Select(entry => entry.Value)];
    }

    private static IEnumerable<(string Name, Tensor Value)> Unsaved(Module model)
    {
        var saved = model.NamedState().Select(entry => entry.Value).ToHashSet();
        return model.NamedBuffers().Where(entry => entry.Value.DType.IsFloating() && !saved.Contains(entry.Value));
    }

    // A tensor that several paths share is written once, by the first.
    private static IEnumerable<(string Name, Tensor Value)> Once(Module model) =>
        model.NamedState().DistinctBy(entry => entry.Value);

    // What is found out when the file is read is found out too late.
    private static void RequireSame(string path, Module model, byte[] description, long bytes)
    {
        string problem;
        try
        {
            using var json = JsonDocument.Parse(description, new() { MaxDepth = JsonDepth });
            var again = Architecture.Read(json.RootElement.GetProperty("architecture"), bytes + description.Length);
            var (own, other) = (Tensors(model), Tensors(again));
            problem = own.Except(other).Concat(other.Except(own)).FirstOrDefault() is { } first
                ? $"'{first}' differs" : "";
        }
        catch (AdjointException error)
        {
            problem = error.Message;
        }
        if (problem.Length > 0)
            throw new AdjointException(
                $"{path}: the model cannot be made again from what its modules describe: {problem}; let Describe and "
                + "Create of ISavableModule agree");

        static HashSet<string> Tensors(Module module) =>
            [.. Once(module).Select(entry => $"{entry.Name} {entry.Value.Shape}")];
    }
}
