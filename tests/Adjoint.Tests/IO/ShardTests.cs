using System.Text.Json;
using System.Text.Json.Nodes;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

/// <summary>Tensors in several files, and the index that names them.</summary>
public sealed class ShardTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    private static readonly Dictionary<string, Tensor> Tensors = new()
    {
        ["embed"] = Tensor.From(new[] { 1f, 2, 3, 4 }, 2, 2),
        ["layer.0.weight"] = Tensor.From(new[] { 5.0, 6 }),
        ["layer.0.bias"] = Tensor.From(new[] { true, false }),
        ["layer.1.weight"] = Tensor.From(new long[] { 7, 8, 9 }),
        ["none"] = Tensor.Zeros(0, 3),
        ["head"] = Tensor.Scalar(10),
    };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void What_is_saved_in_shards_is_opened_by_its_index_or_its_folder()
    {
        var index = SafeTensors.SaveShards(folder, Tensors, 28, new Dictionary<string, string> { ["format"] = "pt" });
        Assert.Equal(In("model.safetensors.index.json"), index);
        Assert.Equal(
            ["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors",
                "model.safetensors.index.json"], Names());
        foreach (var path in (string[])[index, folder])
        {
            using var file = TensorFile.Open(path);
            Assert.Equal((index, TensorFileFormat.SafeTensors), (file.Path, file.Format));
            Assert.Equal(("pt", "62"), (file.Metadata["format"], file.Metadata["total_size"]));
            Assert.Equal(In("model-00001-of-00003.safetensors"), Entry(file, "embed").File);
            Assert.Equal(In("model-00003-of-00003.safetensors"), Entry(file, "head").File);
            var all = file.LoadAll();
            Assert.Equal(Tensors.Keys.Order(), all.Keys.Order());
            foreach (var (name, tensor) in Tensors)
            {
                Assert.True(tensor.HasBitsOf(all[name]), name);
                Assert.True(tensor.HasBitsOf(file.Load(name)), name);
            }
        }
        // As others read it.
        using var json = JsonDocument.Parse(File.ReadAllBytes(index));
        Assert.Equal(62, json.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt64());
        Assert.Equal("model-00002-of-00003.safetensors",
            json.RootElement.GetProperty("weight_map").GetProperty("layer.0.bias").GetString());
        foreach (var shard in Directory.GetFiles(folder, "*.safetensors"))
            Assert.InRange(SafeTensors.Inspect(shard).Sum(entry => entry.Bytes), 1, 28);
    }

    [Fact]
    public void One_file_that_is_enough_needs_no_index()
    {
        Assert.Equal(In("model.safetensors"), SafeTensors.SaveShards(folder, Tensors));
        Assert.Equal(["model.safetensors"], Names());
        using var file = TensorFile.Open(folder);
        Assert.Null(file.Entries[0].File);
        Assert.Equal(Tensors.Count, file.LoadAll().Count);
    }

    [Fact]
    public void A_tensor_that_is_too_large_for_a_shard_has_one_to_itself()
    {
        SafeTensors.SaveShards(In("net.safetensors"), Tensors, 1);
        // The empty one takes no room.
        Assert.Equal(5, Directory.GetFiles(folder, "net-?????-of-00005.safetensors").Length);
        Assert.Equal(Tensors.Count, TensorsOf(folder).Count);
    }

    [Fact]
    public void What_was_saved_before_goes_when_all_is_written_and_nothing_else()
    {
        SafeTensors.SaveShards(folder, Tensors, 8);
        foreach (var name in (string[])["model-notes.safetensors", "other-00001-of-00002.safetensors", "config.json"])
            File.WriteAllText(In(name), "{}");
        var few = new Dictionary<string, Tensor> { ["a"] = Tensor.Ones(2), ["b"] = Tensor.Ones(3) };
        SafeTensors.SaveShards(folder, few, 8);
        Assert.Equal(
            ["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                "model-notes.safetensors", "model.safetensors.index.json", "other-00001-of-00002.safetensors"],
            Names());
        Assert.Equal(["a", "b"], TensorsOf(folder).Keys.Order());
        SafeTensors.SaveShards(folder, Tensors);
        Assert.DoesNotContain("model.safetensors.index.json", Names());
        Assert.Equal(Tensors.Keys.Order(), TensorsOf(folder).Keys.Order());
        SafeTensors.SaveShards(folder, few, 8);
        Assert.DoesNotContain("model.safetensors", Names());
        Assert.Equal(["a", "b"], TensorsOf(folder).Keys.Order());
    }

    [Fact]
    public void What_cannot_be_written_leaves_all_as_it_was()
    {
        SafeTensors.SaveShards(folder, Tensors, 28);
        var before = Names().ToDictionary(name => name, name => File.ReadAllBytes(In(name)));
        var released = Tensor.Ones(2048);
        released.Storage.Release("a test");
        Assert.Throws<AdjointException>(() => SafeTensors.SaveShards(folder,
            new Dictionary<string, Tensor> { ["a"] = Tensor.Ones(4), ["b"] = released }, 16));
        Assert.Equal(before.Keys, Names());
        Assert.All(before, file => Assert.Equal(file.Value, File.ReadAllBytes(In(file.Key))));
    }

    [Fact]
    public void A_shard_needs_room_for_a_byte() => Assert.Contains("found maxShardBytes 0, expected 1 or more",
        Assert.Throws<AdjointException>(() => SafeTensors.SaveShards(folder, Tensors, 0)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void A_missing_shard_is_named()
    {
        var index = SafeTensors.SaveShards(folder, Tensors, 28);
        File.Delete(In("model-00002-of-00003.safetensors"));
        Assert.Equal($"{index}: found 2 of 3 shards beside it, expected all: model-00002-of-00003.safetensors is "
            + "missing; copy or download the whole folder again", Fails(index));
    }

    [Theory]
    [InlineData("../secret.safetensors"), InlineData("/etc/passwd"), InlineData(".."), InlineData("")]
    [InlineData("sub/model.safetensors"), InlineData("sub\\model.safetensors"), InlineData("C:model.safetensors")]
    [InlineData("a\0b")]
    public void A_shard_in_another_folder_is_refused(string name)
    {
        var index = SafeTensors.SaveShards(folder, Tensors, 28);
        Edit(index, json => json["weight_map"]!["head"] = name);
        Assert.StartsWith($"{index}, offset 0: found the file '", Fails(index), StringComparison.Ordinal);
        Assert.EndsWith("for head, expected the name of a file in the same folder", Fails(index),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Index_and_shards_that_do_not_agree_are_refused_with_the_tensor()
    {
        var index = SafeTensors.SaveShards(folder, Tensors, 28);
        var first = In("model-00001-of-00003.safetensors");
        Edit(index, json => json["weight_map"]!["tail"] = Path.GetFileName(first));
        Assert.Equal($"{first}: found no tensor tail, expected it here, as {index} says; write or download both again",
            Fails(index));
        Edit(index, json => ((JsonObject)json["weight_map"]!).Remove("tail"));
        Assert.Equal(Tensors.Count, TensorsOf(index).Count);
        var second = In("model-00002-of-00003.safetensors");
        Edit(index, json => ((JsonObject)json["weight_map"]!).Remove("layer.0.bias"));
        Assert.Equal($"{second}: found a tensor layer.0.bias, which {index} does not name, expected those that it "
            + "names; write or download both again", Fails(index));
        Edit(index, json => json["weight_map"]!["layer.0.bias"] = "model-00003-of-00003.safetensors");
        Assert.Equal($"{second}: found a tensor layer.0.bias, expected it in model-00003-of-00003.safetensors alone, "
            + $"where {index} has it; write or download all again", Fails(index));
    }

    [Theory]
    [InlineData("{}", "the index of shards")]
    [InlineData("{\"weight_map\":{}}", "a weight_map without a tensor")]
    [InlineData("{\"weight_map\":[]}", "does not parse")]
    [InlineData("{\"weight_map\":{\"a\":1}}", "does not parse")]
    [InlineData("{\"weight_map\":{\"a\":null}}", "found 0 of 1 shards beside it, expected all: null is missing")]
    [InlineData("{\"weight_map\":{\"a\":\"x\",\"a\":\"y\"}}", "does not parse")]
    [InlineData("{\"weight_map\":{\"a\":\"x.json\"}}",
        "x.json, offset 0: found the bytes 7b22776569676874, expected a file of tensors")]
    [InlineData("{\"weight_map\":{\"a\":\"array.npy\"}}", "array.npy: found a file of Npy, expected a shard")]
    [InlineData("{\"weight_map\":", "does not parse")]
    public void An_index_that_is_none_is_refused(string text, string message)
    {
        NpyFile.Save(In("array.npy"), Tensor.Ones(1));
        File.WriteAllText(In("x.json"), text);
        Assert.Contains(message, Fails(In("x.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void Shards_may_be_files_of_pytorch()
    {
        var goldens = PyTorchGolden.All.Where(golden => golden.Tensors.All(row => row.Loaded == row.Type))
            .DistinctBy(golden => golden.Tensors[0].Name).Take(2).ToArray();
        var map = new JsonObject();
        foreach (var (i, golden) in goldens.Index())
        {
            File.WriteAllBytes(In($"pytorch_model-{i}.bin"), golden.Bytes);
            foreach (var row in golden.Tensors) map[row.Name] = $"pytorch_model-{i}.bin";
        }
        File.WriteAllText(In("pytorch_model.bin.index.json"), new JsonObject { ["weight_map"] = map }.ToJsonString());
        using var file = TensorFile.Open(folder);
        Assert.Equal(In("pytorch_model.bin.index.json"), file.Path);
        Assert.NotEqual(TensorFileFormat.SafeTensors, file.Format);
        Assert.Equal(goldens.Sum(golden => golden.Tensors.Length), file.Entries.Count);
        var all = file.LoadAll();
        foreach (var row in goldens.SelectMany(golden => golden.Tensors))
        {
            Assert.Equal(row.Elements, all[row.Name].Contiguous().Bytes.ToArray());
            Assert.True(all[row.Name].HasBitsOf(file.Map(row.Name)), row.Name);
        }
    }

    [Fact]
    public void A_folder_has_one_model_or_says_what_it_has()
    {
        Assert.Contains("found no file of tensors in this folder", Fails(folder), StringComparison.Ordinal);
        SafeTensors.Save(In("unet.safetensors"), Tensors);
        Assert.Equal(Tensors.Count, TensorsOf(folder).Count);
        SafeTensors.Save(In("vae.safetensors"), Tensors);
        Assert.EndsWith("found 2 files of tensors in this folder, expected one; name one of unet.safetensors, "
            + "vae.safetensors", Fails(folder), StringComparison.Ordinal);
        SafeTensors.Save(In("model.safetensors"), new Dictionary<string, Tensor> { ["m"] = Tensor.Ones(1) });
        Assert.Equal(["m"], TensorsOf(folder).Keys);
    }

    private static IReadOnlyDictionary<string, Tensor> TensorsOf(string path)
    {
        using var file = TensorFile.Open(path);
        return file.LoadAll();
    }

    private static TensorEntry Entry(TensorFile file, string name) => file.Entries.Single(entry => entry.Name == name);

    private static string Fails(string path)
    {
        var message = Assert.Throws<DataFormatException>(() => TensorFile.Open(path).Dispose()).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private static void Edit(string path, Action<JsonNode> edit)
    {
        var json = JsonNode.Parse(File.ReadAllBytes(path))!;
        edit(json);
        File.WriteAllText(path, json.ToJsonString());
    }

    private string In(string name) => Path.Combine(folder, name);

    private string[] Names() =>
        [.. Directory.GetFiles(folder).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
