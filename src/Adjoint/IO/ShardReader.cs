using System.Text.Json;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// The tensors of several files, shards, which an index names: JSON with a <c>weight_map</c> from the name of each
/// tensor to its file, in the index's own folder, and texts or numbers as <c>metadata</c>. Index and shards have to
/// agree.
/// </summary>
internal sealed class ShardReader : TensorFile
{
    /// <summary>What the name of an index ends with.</summary>
    internal const string IndexSuffix = ".index.json";

    private const string Expected = "the index of shards: {\"weight_map\": {\"NAME\": \"FILE\", …}}";

    private readonly IReadOnlyDictionary<string, TensorFile> shards;

    private ShardReader(string path, IReadOnlyDictionary<string, TensorFile> shards, List<TensorEntry> entries,
        Dictionary<string, string> metadata)
        : base(path, shards.Values.First().Format, entries, metadata) => this.shards = shards;

    /// <summary>Reads an index, and opens all shards.</summary>
    /// <exception cref="DataFormatException">It is damaged, or a shard is, or they do not agree.</exception>
    internal static ShardReader Read(string path)
    {
        var (files, metadata) = JsonFile.Read(path, Expected, json => ReadIndex(json, path));
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        string[] names = [.. files.Values.Distinct().Order(StringComparer.Ordinal)];
        RequireAll(path, folder, names);
        var shards = new Dictionary<string, TensorFile>();
        try
        {
            foreach (var name in names)
            {
                var shard = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(path)!, name);
                shards.Add(shard, OpenShard(path, shard));
            }
            var entries = new List<TensorEntry>();
            var expected = files.ToLookup(file => file.Value, file => file.Key);
            foreach (var (name, shard) in shards)
            {
                RequireAgreement(path, files, expected, name, shard);
                entries.AddRange(shard.Entries.Select(entry => entry with { File = name }));
            }
            foreach (var (key, value) in shards.Values.SelectMany(shard => shard.Metadata)) metadata.TryAdd(key, value);
            return new(path, shards, entries, metadata);
        }
        catch
        {
            foreach (var shard in shards.Values) shard.Dispose();
            throw;
        }
    }

    public override Tensor Map(string name) => shards[Find(name).File!].Map(name);

    private protected override Tensor Read(TensorEntry entry) => shards[entry.File!].Load(entry.Name, convert: true);

    private protected override IReadOnlyDictionary<string, Tensor> ReadAll() =>
        shards.Values.SelectMany(shard => shard.LoadAll(convert: true)).ToDictionary();

    protected override void Dispose(bool disposing)
    {
        foreach (var shard in shards.Values) shard.Dispose();
    }

    private static (Dictionary<string, string> Files, Dictionary<string, string> Metadata) ReadIndex(
        JsonElement json, string path)
    {
        var (files, metadata) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        foreach (var member in json.GetProperty("weight_map").EnumerateObject())
        {
            var file = member.Value.GetString() ?? "null";
            // What is in another folder is no business of an index that somebody else wrote.
            if (file is "" or "." or ".." || file.AsSpan().ContainsAny("/\\:\0"))
                throw new DataFormatException(path, 0, $"the file '{file}' for {member.Name}",
                    "the name of a file in the same folder");
            files.Add(member.Name, file);
        }
        if (files.Count == 0) throw new DataFormatException(path, 0, "a weight_map without a tensor", Expected);
        if (json.TryGetProperty("metadata", out var notes) && notes.ValueKind == JsonValueKind.Object)
            foreach (var note in notes.EnumerateObject())
                metadata.Add(note.Name,
                    note.Value.ValueKind == JsonValueKind.String ? note.Value.GetString()! : note.Value.GetRawText());
        return (files, metadata);
    }

    private static void RequireAll(string path, string folder, string[] names)
    {
        string[] missing = [.. names.Where(name => !File.Exists(System.IO.Path.Combine(folder, name)))];
        if (missing.Length > 0)
            throw new DataFormatException($"{path}: found {names.Length - missing.Length} of {names.Length} shards "
                + $"beside it, expected all: {DataFormatException.Abbreviate(string.Join(", ", missing))} "
                + $"{(missing.Length == 1 ? "is" : "are")} missing; copy or download the whole folder again");
    }

    private static TensorFile OpenShard(string path, string shard)
    {
        var file = OpenFile(shard, isShard: true);
        if (file is not (NpyReader or NpzReader)) return file;
        file.Dispose();
        throw new DataFormatException($"{shard}: found a file of {file.Format}, expected a shard of safetensors or "
            + $"PyTorch's, as {path} says");
    }

    private static void RequireAgreement(string path, Dictionary<string, string> files,
        ILookup<string, string> expected, string shard, TensorFile file)
    {
        var name = System.IO.Path.GetFileName(shard);
        foreach (var entry in file.Entries)
            if (!files.TryGetValue(entry.Name, out var named))
                throw new DataFormatException($"{shard}: found a tensor {DataFormatException.Abbreviate(entry.Name)}, "
                    + $"which {path} does not name, expected those that it names; write or download both again");
            else if (named != name)
                throw new DataFormatException($"{shard}: found a tensor {DataFormatException.Abbreviate(entry.Name)}, "
                    + $"expected it in {DataFormatException.Abbreviate(named)} alone, where {path} has it; write or "
                    + "download all again");
        var there = file.Entries.Select(entry => entry.Name).ToHashSet();
        foreach (var tensor in expected[name].Where(tensor => !there.Contains(tensor)))
            throw new DataFormatException($"{shard}: found no tensor {DataFormatException.Abbreviate(tensor)}, "
                + $"expected it here, as {path} says; write or download both again");
    }
}
