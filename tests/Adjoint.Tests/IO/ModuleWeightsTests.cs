using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.Tests.IO;

public sealed class ModuleWeightsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("w.safetensors")]
    [InlineData("w.npz")]
    public void Weights_of_every_format_load_with_their_bits(string file)
    {
        var path = Write(file, State(2));
        var model = Model(1);
        var report = model.LoadWeights(path);
        Assert.Equal(["0.weight", "0.bias", "2.weight", "2.bias"], report.Loaded);
        Assert.All(State(2), entry =>
            Assert.Equal(entry.Value.ToArray<float>(), model.StateDict()[entry.Key].ToArray<float>()));
    }

    [Fact]
    public void Only_what_the_model_has_is_read()
    {
        var path = Write("w.npz", State(2).Append(new("z", Tensor.Zeros(1000))).ToDictionary());
        // A reader of all sees that the checksum of z is wrong.
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.AsSpan().IndexOf("z.npy"u8) + 2000] ^= 1;
        File.WriteAllBytes(path, bytes);
        Assert.Throws<DataFormatException>(() => NpzFile.Load(path));
        var report = Model(1).LoadWeights(path, new() { IsStrict = false });
        Assert.Equal(["z"], report.Unknown);
        Assert.Equal(4, report.Loaded.Count);
    }

    [Fact]
    public void Damage_of_a_tensor_that_is_read_changes_no_bit()
    {
        var path = Write("w.npz", State(2));
        var bytes = File.ReadAllBytes(path);
        bytes[bytes.AsSpan().IndexOf("2.weight.npy"u8) + 150] ^= 1;
        File.WriteAllBytes(path, bytes);
        var model = Model(1);
        Assert.Throws<DataFormatException>(() => model.LoadWeights(path));
        Assert.All(State(1), entry =>
            Assert.Equal(entry.Value.ToArray<float>(), model.StateDict()[entry.Key].ToArray<float>()));
    }

    [Fact]
    public void Errors_begin_with_the_path_and_name_both_shapes()
    {
        var path = Write("w.safetensors", Model(2, 5).StateDict());
        var error = Assert.Throws<AdjointException>(() => Model(1).LoadWeights(path));
        Assert.Equal(
            $"{path}: 2.weight must be (3, 4) float32: found (5, 4) F32; build the model with the settings it was "
            + "saved with, or let such tensors keep their values: new LoadOptions { SkipOtherShapes = true }",
            error.Message);
        Assert.Throws<FileNotFoundException>(() => Model(1).LoadWeights(Path.Combine(folder, "none")));
    }

    [Fact]
    public void Types_of_files_are_converted_where_asked()
    {
        var path = Write("w.safetensors", State(2).ToDictionary(entry => entry.Key,
            entry => entry.Value.To(DType.BFloat16)));
        var model = Model(1);
        Assert.Contains("0.weight must be (4, 2) float32: found (4, 2) BF16; convert the model first: "
            + ".To(DType.BFloat16), or convert the values: new LoadOptions { ConvertTypes = true }",
            Assert.Throws<AdjointException>(() => model.LoadWeights(path)).Message, StringComparison.Ordinal);
        var report = model.LoadWeights(path, new() { ConvertTypes = true });
        Assert.Equal("0.weight BF16 to float32", $"{report.Converted[0]}");
        Assert.Equal(State(2)["0.weight"].To(DType.BFloat16).To(DType.Float32).ToArray<float>(),
            model.StateDict()["0.weight"].ToArray<float>());
    }

    [Fact]
    public void Types_that_tensors_have_not_are_converted_or_refused_by_name()
    {
        var path = Path.Combine(folder, "w.safetensors");
        var header = """
            {"bias":{"dtype":"F8_E5M2","shape":[2],"data_offsets":[0,2]},
            "weight":{"dtype":"C64","shape":[2,2],"data_offsets":[2,34]}}
            """;
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header.Select(letter =>
            (byte)letter), 0x3C, 0xC0, .. new byte[32]]);
        var model = new Linear(2, 2);
        Assert.Contains("weight must be (2, 2) float32: found (2, 2) C64; no element type holds its values",
            Assert.Throws<AdjointException>(() => model.LoadWeights(path, new() { ConvertTypes = true })).Message,
            StringComparison.Ordinal);
        Assert.Contains("bias must be (2,) float32: found (2,) F8_E5M2; convert the values: new LoadOptions",
            Assert.Throws<AdjointException>(() => model.LoadWeights(path, new()
            {
                IsStrict = false,
                Names = new NameMap().Add("weight", "other"),
            })).Message, StringComparison.Ordinal);
        var report = model.LoadWeights(path, new()
        {
            IsStrict = false,
            ConvertTypes = true,
            Names = new NameMap().Add("weight", "other"),
        });
        Assert.Equal(["weight"], report.Unknown);
        Assert.Equal([1f, -2], model.StateDict()["bias"].ToArray<float>());
    }

    [Fact]
    public void A_table_of_names_is_read_from_json()
    {
        var path = Path.Combine(folder, "names.json");
        File.WriteAllText(path, """{"module.fc.*": "head.*", "module.**": "**"}""");
        Assert.Equal(["head.weight", "conv.weight"],
            ((string[])["module.fc.weight", "module.conv.weight"]).Select(NameMap.Read(path).Apply));
        foreach (var text in (string[])["[]", "{\"a\": 1}", "{\"a\": null}", "{\"a\": \"b*\"}", "{\"a\":\"\"}", "{"])
        {
            File.WriteAllText(path, text);
            var error = Assert.ThrowsAny<AdjointException>(() => NameMap.Read(path));
            Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        }
    }

    private string Write(string name, IReadOnlyDictionary<string, Tensor> state)
    {
        var path = Path.Combine(folder, name);
        if (name.EndsWith(".npz", StringComparison.Ordinal)) NpzFile.Save(path, state);
        else SafeTensors.Save(path, state);
        return path;
    }

    private static Sequential Model(int seed, int classes = 3)
    {
        var random = new Generator((ulong)seed);
        return new(new Linear(2, 4, generator: random), new Relu(), new Linear(4, classes, generator: random));
    }

    private static IReadOnlyDictionary<string, Tensor> State(int seed) => Model(seed).StateDict();
}
