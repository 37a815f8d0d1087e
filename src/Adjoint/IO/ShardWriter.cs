using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Adjoint.IO;

/// <summary>Writes shards and their index, together: see <see cref="SafeTensors.SaveShards"/>.</summary>
internal static partial class ShardWriter
{
    private const string Extension = ".safetensors";

    private static readonly JsonWriterOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Indented = true,
    };

    internal static string Write(string path, IReadOnlyDictionary<string, Tensor> tensors, long maxShardBytes,
        IReadOnlyDictionary<string, string>? metadata)
    {
        if (maxShardBytes < 1)
            throw new AdjointException(
                $"SafeTensors.SaveShards: found maxShardBytes {maxShardBytes}, expected 1 or more bytes for each file");
        var isFile = path.EndsWith(Extension, StringComparison.Ordinal) && !Directory.Exists(path);
        if (!isFile) Directory.CreateDirectory(path);
        var single = isFile ? path : Path.Combine(path, "model" + Extension);
        var stem = single[..^Extension.Length];
        var index = single + ShardReader.IndexSuffix;
        var shards = Split(tensors, maxShardBytes);
        string[] names = shards.Count == 1 ? [single] : [.. Enumerable.Range(1, shards.Count).Select(number =>
            string.Create(CultureInfo.InvariantCulture, $"{stem}-{number:00000}-of-{shards.Count:00000}{Extension}"))];
        var files = names.Zip(shards, (name, shard) =>
            (name, (Action<Stream>)new SafeTensorsContents(name, shard, metadata, digest: false).WriteTo)).ToList();
        // The index comes last: until it is there, nobody takes new shards for those of an old one.
        if (shards.Count > 1) files.Add((index, stream => WriteIndex(stream, names, shards)));
        AtomicFile.Write(files, beforeReplacing: () =>
        {
            File.Delete(index);
            if (shards.Count > 1) File.Delete(single);
        });
        foreach (var old in Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(single))!))
            if (IsShardOf(Path.GetFileName(stem), Path.GetFileName(old))
                && !names.Any(name => Path.GetFullPath(name) == old))
                File.Delete(old);
        return shards.Count == 1 ? single : index;
    }

    private static List<Dictionary<string, Tensor>> Split(
        IReadOnlyDictionary<string, Tensor> tensors, long maxShardBytes)
    {
        var (shards, bytes) = (new List<Dictionary<string, Tensor>> { new() }, 0L);
        foreach (var (name, tensor) in tensors)
        {
            var more = SafeTensorsContents.BytesOf(tensor);
            if (more > 0 && shards[^1].Count > 0 && bytes + more > maxShardBytes)
            {
                shards.Add([]);
                bytes = 0;
            }
            shards[^1].Add(name, tensor);
            bytes += more;
        }
        return shards;
    }

    private static void WriteIndex(Stream stream, string[] names, List<Dictionary<string, Tensor>> shards)
    {
        using var json = new Utf8JsonWriter(stream, Readable);
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteNumber("total_size",
            shards.Sum(shard => shard.Values.Sum(SafeTensorsContents.BytesOf)));
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        foreach (var (name, file) in names.Zip(shards)
            .SelectMany(pair => pair.Second.Keys.Select(name => (name, Path.GetFileName(pair.First))))
            .OrderBy(entry => entry.name, StringComparer.Ordinal))
            json.WriteString(name, file);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static bool IsShardOf(string stem, string file) =>
        file.StartsWith(stem, StringComparison.Ordinal) && Shard().IsMatch(file[stem.Length..]);

    [GeneratedRegex(@"^-[0-9]{5}-of-[0-9]{5}\.safetensors$")]
    private static partial Regex Shard();
}
