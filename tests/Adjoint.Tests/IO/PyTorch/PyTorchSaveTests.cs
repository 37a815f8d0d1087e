using System.Diagnostics;
using System.Text.Json;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

public sealed class PyTorchSaveTests : IDisposable
{
    // Name, type, sizes, elements in row-major order, and the first of those with whom it shares memory.
    private const string Script = """
        import json, sys, torch
        state = torch.load(sys.argv[1], weights_only=True)
        first = {}
        for name, x in state.items():
            y = x.contiguous()
            y = y.view(torch.int16) if y.dtype == torch.bfloat16 else y
            other = first.setdefault(x.storage().data_ptr(), name) if x.numel() else name
            print(json.dumps([name, str(x.dtype)[6:], list(x.shape), y.numpy().tobytes().hex(), other]))
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    private string Weights => Path.Combine(folder, "x.pt");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void What_is_saved_is_loaded_and_the_same_bytes_each_time()
    {
        var tensors = Examples();
        PyTorchFile.Save(Weights, tensors);
        var bytes = File.ReadAllBytes(Weights);
        var loaded = PyTorchFile.Load(Weights);
        Assert.Equal(tensors.Keys, loaded.Keys);
        foreach (var (name, tensor) in tensors)
        {
            Assert.Equal((name, tensor.Shape, tensor.DType), (name, loaded[name].Shape, loaded[name].DType));
            Assert.True(loaded[name].IsContiguous);
            Assert.Equal(PyTorchFileTests.BytesOf(tensor), PyTorchFileTests.BytesOf(loaded[name]));
        }
        Assert.Same(loaded["w"], loaded["tied"]);
        Assert.Equal(["w"], PyTorchFile.Inspect(Weights).Select(entry => entry.SharesWith).OfType<string>());
        PyTorchFile.Save(Weights, tensors);
        Assert.Equal(bytes, File.ReadAllBytes(Weights));
        Assert.Equal([Weights], Directory.GetFiles(folder));
    }

    [Fact]
    public void Torch_reads_what_is_saved_and_no_more_than_weights()
    {
        var tensors = Examples();
        PyTorchFile.Save(Weights, tensors);
        var rows = Python(Script, Weights).Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(tensors.Keys, rows.Select(row => row[0].GetString()!));
        foreach (var row in rows)
        {
            var (name, tensor) = (row[0].GetString()!, tensors[row[0].GetString()!]);
            Assert.Equal((name, tensor.DType.ToString().ToLowerInvariant()), (name, row[1].GetString()));
            Assert.Equal(tensor.Shape, row[2].EnumerateArray().Select(size => size.GetInt32()));
            Assert.Equal((name, Convert.ToHexStringLower(PyTorchFileTests.BytesOf(tensor))),
                (name, row[3].GetString()));
            Assert.Equal((name, name is "tied" or "transposed" ? "w" : name), (name, row[4].GetString()));
        }
    }

    [Fact]
    public void Elements_begin_at_multiples_of_64_bytes()
    {
        var tensors = Examples();
        PyTorchFile.Save(Weights, tensors);
        using var file = File.OpenRead(Weights);
        var zip = ZipDirectory.Read(file.SafeFileHandle, Weights, "a test");
        Assert.Equal(tensors.Count - 2 + 5, zip.Entries.Count);
        Assert.All(zip.Entries, entry => Assert.Equal(0, zip.OffsetOf(entry) % 64));
    }

    [Fact]
    public void Names_that_are_no_text_are_refused()
    {
        var error = Assert.Throws<AdjointException>(() =>
            PyTorchFile.Save(Weights, new Dictionary<string, Tensor> { ["\ud800"] = Tensor.Ones(1) }));
        Assert.Contains("no valid Unicode; give the tensor another", error.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder));
    }

    private static Dictionary<string, Tensor> Examples()
    {
        var w = Tensor.From(new[,] { { 1f, 2, 3 }, { 4, 5, float.NaN } });
        var image = Tensor.From(Enumerable.Range(0, 24).Select(i => (float)i).ToArray(), 2, 2, 2, 3);
        var tensors = new Dictionary<string, Tensor>
        {
            ["z.weight"] = Tensor.From(new[] { 1.5f }),
            ["w"] = w,
            ["tied"] = w,
            ["transposed"] = w.Transpose(),
            ["part"] = w.Slice(1, 1, 2),
            ["channels_last"] = image.Permute(0, 3, 1, 2),
            ["expanded"] = Tensor.From(new[] { 7f }).Expand(2, 3),
            ["scalar"] = Tensor.Scalar(3),
            ["empty"] = Tensor.Zeros(0, 3),
            ["größe 😀.\"'\n"] = Tensor.From(new long[] { 1, long.MinValue }),
            [""] = Tensor.Zeros(300),
        };
        foreach (var type in Enum.GetValues<DType>())
            tensors[$"types.{type}"] = Tensor.From(new[] { 0f, 1, 3 }).To(type);
        return tensors;
    }

    private static string Python(string script, string path)
    {
        const string python = "/usr/bin/python3";
        if (!File.Exists(python)) Assert.Skip("skipped: there is no Python");
        using var process = Process.Start(new ProcessStartInfo(python, ["-c", script, path])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, error) = (process.StandardOutput.ReadToEnd(), process.StandardError.ReadToEnd());
        process.WaitForExit();
        if (error.Contains("No module named 'torch'", StringComparison.Ordinal))
            Assert.Skip("skipped: no python3-torch");
        Assert.True(process.ExitCode == 0, error);
        return output.Trim();
    }
}
