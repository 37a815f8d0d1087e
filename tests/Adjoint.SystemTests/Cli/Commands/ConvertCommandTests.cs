using Adjoint.IO;
using Adjoint.Nn;

namespace Adjoint.SystemTests.Cli;

public sealed class ConvertCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Every_format_becomes_every_other_with_the_same_bits()
    {
        var path = Write("0.safetensors");
        var number = 0;
        foreach (var extension in (string[])[".npz", ".pt", ".npz", ".safetensors", ".pth", ".safetensors"])
        {
            var next = PathOf($"{++number}{extension}");
            Assert.StartsWith($"{next}: 3 tensors, 42 B\n", Output("convert", path, next), StringComparison.Ordinal);
            Same(State(), next);
            path = next;
        }
        var one = PathOf("one.npy");
        Output("convert", path, one, "--only", "module.a.weight");
        Assert.Equal(State()["module.a.weight"].ToArray<float>(), NpyFile.Load(one).ToArray<float>());
        Assert.Equal($"adjoint: {PathOf("x.npy")}: .npy holds one tensor: found 3; choose one with --only, or write an "
            + ".npz", Refused(1, "convert", path, PathOf("x.npy")));
    }

    [Fact]
    public void Tensors_are_chosen_and_renamed_by_rules_and_by_a_table()
    {
        var path = Write("a.safetensors");
        File.WriteAllText(PathOf("names.json"), """{"module.**": "net.**"}""");
        var target = PathOf("b.npz");
        var output = Output("convert", path, target, "--rename", "module.a.bias=b,module.a.*=w.*", "--rename",
            "module.steps=steps", "--rename-table", PathOf("names.json"));
        Assert.Contains("renamed 3: module.steps to steps, module.a.weight to w.weight, module.a.bias to b\n", output,
            StringComparison.Ordinal);
        Assert.Equal(["b", "steps", "w.weight"], NpzFile.Load(target).Keys.Order());
        output = Output("convert", path, target, "--force", "--only", "module.a.*", "--rename-table",
            PathOf("names.json"));
        Assert.StartsWith($"{target}: 2 tensors of 3, 34 B\nrenamed 2: ", output, StringComparison.Ordinal);
        Assert.Equal(["net.a.bias", "net.a.weight"], NpzFile.Load(target).Keys.Order());
    }

    [Fact]
    public void Types_are_converted_and_what_overflows_is_said()
    {
        var path = PathOf("a.safetensors");
        SafeTensors.Save(path, new Dictionary<string, Tensor>
        {
            ["a"] = Tensor.From([1f, 1e30f, -1e30f, float.PositiveInfinity]),
            ["b"] = Tensor.From([0.1f]),
            ["n"] = Tensor.From([70000L]),
        });
        var target = PathOf("b.safetensors");
        var output = Output("convert", path, target, "--dtype", "float16");
        Assert.Equal(
            $"{target}: 3 tensors, 18 B\nconverted 2 from F32 to float16\noverflowed to ∞: 2 values of a\n", output);
        var found = SafeTensors.Load(target);
        Assert.Equal([1, double.PositiveInfinity, double.NegativeInfinity, double.PositiveInfinity],
            found["a"].To(DType.Float64).ToArray<double>());
        Assert.Equal((DType.Float16, DType.Int64), (found["b"].DType, found["n"].DType));
        Assert.Contains("2 of bfloat16 are raw bytes to NumPy",
            Output("convert", path, PathOf("c.npz"), "--dtype", "bfloat16"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_file_stays_one_as_long_as_it_has_all_tensors_by_their_names()
    {
        var path = PathOf("model.safetensors");
        var model = new Mlp(4, [8], 3, "relu", new Generator(1));
        model.Save(path, new() { Task = "classification" });
        var half = PathOf("half.safetensors");
        Output("convert", path, half, "--dtype", "float16");
        var read = ModelFile.Read(half);
        Assert.Equal(("classification", DType.Float16), (read.Info.Task, read.Model.DType));
        Assert.Contains("left out adjoint.model, the description of the model",
            Output("convert", path, PathOf("part.safetensors"), "--only", "1.*"), StringComparison.Ordinal);
        Assert.Contains("left out metadata that the format cannot hold: adjoint.model",
            Output("convert", path, PathOf("part.npz")), StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_digests_and_shards_are_converted()
    {
        var run = Directory.CreateDirectory(PathOf("run")).FullName;
        var best = Path.Combine(run, "best.safetensors");
        SafeTensors.Save(best, State(), new Dictionary<string, string> { ["note"] = "n" }, digest: true);
        var target = PathOf("a.safetensors");
        Output("convert", run, target, "--only", "module.a.*");
        // Read whole, it is checked: the digest is that of the new file.
        Assert.Equal(2, SafeTensors.Load(target, out var metadata).Count);
        Assert.Equal([SafeTensors.DigestKey, "note"], metadata.Keys);
        var shards = PathOf("shards");
        Assert.StartsWith(Path.Combine(shards, "model.safetensors.index.json"),
            Output("convert", run, shards, "--shard-size", "30B"), StringComparison.Ordinal);
        Same(State(), shards);
        Assert.Contains("exists", Refused(1, "convert", run, shards, "--shard-size", "0.03kB"),
            StringComparison.Ordinal);
        Output("convert", shards, PathOf("again.npz"));
        Same(State(), PathOf("again.npz"));
    }

    [Fact]
    public void What_is_there_stays_unless_it_is_forced()
    {
        var path = Write("a.safetensors");
        var target = PathOf("b.npz");
        File.WriteAllText(target, "mine");
        Assert.Equal($"adjoint: {target}: exists; name another file, or replace it with --force",
            Refused(1, "convert", path, target));
        Assert.Equal("mine", File.ReadAllText(target));
        Output("convert", path, target, "--force");
        Same(State(), target);
        // A file can be replaced by what is made from it.
        Output("convert", path, path, "--force", "--dtype", "float64");
        Assert.Equal(DType.Float64, SafeTensors.Load(path)["module.a.bias"].DType);
        // What fails leaves nothing behind.
        Refused(1, "convert", path, PathOf("c.npy"));
        Assert.Equal(["a.safetensors", "b.npz"],
            Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData(1, "--rename modul.**=**", "--rename modul.**=**: 'modul.**' fits no tensor of ")]
    [InlineData(1, "--rename module.a.wieght=w", "did you mean 'module.a.weight'?; adjoint inspect lists their names")]
    [InlineData(1, "--only b.*", "--only b.*: 'b.*' fits no tensor of ")]
    [InlineData(1, "--rename module.a.bias=x,module.a.weight=x", "both become 'x'")]
    [InlineData(2, "--rename module", "--rename: 'module' has no '='; write OLD=NEW, such as module.**=**")]
    [InlineData(2, "--rename a.*=b", "--rename: 'a.*' = 'b': both sides must have the same * and **")]
    [InlineData(2, "--dtype half", "--dtype: 'half' is none of float32, float64, bfloat16, float16")]
    [InlineData(2, "--shard-size many", "--shard-size: 'many' is no size; write a number with kB, MB or GB")]
    [InlineData(2, "--shard-size 1GB", "--shard-size: shards are safetensors files: found ")]
    public void What_does_not_fit_is_refused_in_a_line(int code, string options, string message) =>
        Assert.Contains(message,
            Refused(code, ["convert", Write("a.safetensors"), PathOf("b.npz"), .. options.Split(' ')]),
            StringComparison.Ordinal);

    [Fact]
    public void Formats_that_are_not_written_are_refused_by_name()
    {
        Assert.Contains("has none of the extensions that are written, .safetensors,",
            Refused(2, "convert", Write("a.safetensors"), PathOf("b.txt")), StringComparison.Ordinal);
        Assert.Contains("no such file or folder", Refused(1, "convert", PathOf("none"), PathOf("b.npz")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_tensor_of_two_names_stays_one_where_the_format_has_that()
    {
        var tied = Tensor.From([1f, 2]);
        var path = PathOf("a.pt");
        PyTorchFile.Save(path, new Dictionary<string, Tensor> { ["a"] = tied, ["b"] = tied });
        Assert.Equal($"{PathOf("b.pt")}: 2 tensors, 16 B\nconverted 1 from float32 to float64\n",
            Output("convert", path, PathOf("b.pt"), "--dtype", "float64"));
        Assert.Equal("a", PyTorchFile.Inspect(PathOf("b.pt"))[1].SharesWith);
        Assert.Contains("written as copies: b, which is a\n", Output("convert", path, PathOf("c.safetensors")),
            StringComparison.Ordinal);
        SafeTensors.Load(PathOf("c.safetensors"), out var metadata);
        // Without it, programs for PyTorch's models refuse the file.
        Assert.Equal("pt", metadata["format"]);
        Assert.Contains("shared  b is a", Output("inspect", path), StringComparison.Ordinal);
    }

    private static Dictionary<string, Tensor> State() => new()
    {
        ["module.a.weight"] = Tensor.From([1f, 2, 3, -4, 0.1f, float.NaN]).Reshape(2, 3).Transpose(0, 1),
        ["module.a.bias"] = Tensor.From([1f, -0f, 3, 4, 5]).To(DType.Float16),
        ["module.steps"] = Tensor.From([long.MaxValue]),
    };

    private static void Same(IReadOnlyDictionary<string, Tensor> expected, string path)
    {
        using var file = TensorFile.Open(path);
        Assert.Equal(expected.Keys.Order(), file.Entries.Select(entry => entry.Name).Order());
        foreach (var (name, value) in expected)
        {
            var found = file.Load(name);
            Assert.Equal((value.DType, value.Shape), (found.DType, found.Shape));
            Assert.Equal(value.To(DType.Float64).ToArray<double>(), found.To(DType.Float64).ToArray<double>());
        }
    }

    private string Write(string name)
    {
        SafeTensors.Save(PathOf(name), State());
        return PathOf(name);
    }

    private string PathOf(string name) => Path.Combine(folder, name);

    private static string Output(params string[] args)
    {
        var (code, output, error) = ToolRun.Of(args);
        Assert.True(code == 0, error);
        return output;
    }

    private static string Refused(int expected, params string[] args)
    {
        var (code, output, error) = ToolRun.Of(args);
        Assert.Equal((expected, ""), (code, output));
        return Assert.Single(error.TrimEnd().Split('\n'));
    }
}
