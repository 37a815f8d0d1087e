using System.Text;
using Adjoint.IO;

namespace Adjoint.Fuzz;

/// <summary>Files of tensors that are right, and what is tried on damaged ones.</summary>
internal static class TensorSamples
{
    internal static byte[] SafeTensorsFile() => Readers.Saved(
        new Dictionary<string, Tensor>
        {
            ["a"] = Tensor.From(new[] { 1f, 2, 3, 4, 5, 6 }, 2, 3),
            ["b.weight"] = Tensor.From(new[] { 1.0, 2 }),
            ["c"] = Tensor.From(new[] { 1L, 2 }),
            ["d"] = Tensor.From(new[] { true, false, true }),
            ["e"] = Tensor.Scalar(3),
        },
        new Dictionary<string, string> { ["format"] = "pt" });

    internal static byte[] SafeTensorsOfAllTypes()
    {
        (string Code, int Size)[] types = [("F64", 8), ("I64", 8), ("F32", 4), ("I32", 4), ("BF16", 2), ("F16", 2),
            ("U8", 1), ("BOOL", 1), ("U64", 8), ("U32", 4), ("U16", 2), ("I16", 2), ("I8", 1), ("F8_E4M3", 1),
            ("F8_E5M2", 1), ("F8_E8M0", 1), ("F8_E4M3FNUZ", 1), ("F8_E5M2FNUZ", 1)];
        var (header, at) = (new List<string>(), 0);
        foreach (var (code, size) in types)
        {
            header.Add($$"""
                "{{code}}":{"dtype":"{{code}}","shape":[3],"data_offsets":[{{at}},{{at + 3 * size}}]}
                """);
            at += 3 * size;
        }
        var text = Encoding.UTF8.GetBytes($"{{{string.Join(',', header)}}}");
        return [.. BitConverter.GetBytes((long)text.Length), .. text, .. new byte[at]];
    }

    internal static byte[] Archived(bool compress) => Readers.Written(path => NpzFile.Save(path,
        new Dictionary<string, Tensor> { ["a"] = Tensor.Ones(2, 3), ["b"] = Tensor.From(new[] { 1L, 2 }) }, compress));

    private const string FirstName = "model-00001-of-00002.safetensors";
    private const string Index = "model.safetensors.index.json";

    private static readonly Lazy<string> ShardFolder = new(() =>
    {
        var folder = Directory.CreateDirectory(Path.Combine(Readers.Folder, "shards")).FullName;
        SafeTensors.SaveShards(folder, new Dictionary<string, Tensor>
        {
            ["a"] = Tensor.From(new[] { 1f, 2, 3, 4 }),
            ["b"] = Tensor.From(new[] { true, false }),
            ["c.weight"] = Tensor.From(new[] { 1L, 2 }),
        }, maxShardBytes: 18);
        return folder;
    });

    internal static byte[] ShardIndex() => File.ReadAllBytes(Path.Combine(ShardFolder.Value, Index));

    internal static byte[] FirstShard() => File.ReadAllBytes(Path.Combine(ShardFolder.Value, FirstName));

    /// <summary>Reads an index with shards that are right beside it.</summary>
    internal static void ReadIndex(string path)
    {
        CopyShards(Path.GetDirectoryName(path)!);
        Read(path);
    }

    /// <summary>Reads a shard by an index that is right.</summary>
    internal static void ReadFirstShard(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        CopyShards(folder);
        File.Copy(path, Path.Combine(folder, FirstName), overwrite: true);
        Read(Path.Combine(folder, Index));
    }

    private static void CopyShards(string folder)
    {
        foreach (var file in Directory.GetFiles(ShardFolder.Value))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
    }

    internal static byte[][] All() =>
    [
        SafeTensorsFile(), SafeTensorsOfAllTypes(), Readers.CheckpointBytes(), Archived(compress: false),
        Archived(compress: true), Readers.Written(path => NpyFile.Save(path, Tensor.Ones(2, 3))),
    ];

    // One by one and all together, and mapped where there is something to map, to the same bits.
    internal static void Read(string path)
    {
        using var file = TensorFile.Open(path);
        var loaded = file.Entries.ToDictionary(entry => entry.Name, entry => file.Load(entry.Name, convert: true));
        foreach (var (name, tensor) in file.LoadAll(convert: true))
            if (!tensor.HasBitsOf(loaded[name]))
                throw new FindingException($"{name}: other bits than when loaded alone");
        foreach (var entry in file.Entries.Where(entry => entry.DType is not null))
            if (!file.Map(entry.Name).HasBitsOf(loaded[entry.Name]))
                throw new FindingException($"{entry.Name}: other bits mapped than loaded");
    }
}
