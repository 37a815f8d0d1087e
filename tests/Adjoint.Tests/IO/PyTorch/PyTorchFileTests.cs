using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

public sealed class PyTorchFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    private string Weights => Path.Combine(folder, "x.pt");

    public static TheoryData<string> Names => [.. PyTorchGolden.All.Select(golden => golden.Name)];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, MemberData(nameof(Names))]
    public void What_torch_wrote_is_read(string name) => Check(PyTorchGolden.Of(name));

    [Fact]
    public async Task What_torch_writes_is_read()
    {
        var lines = await PyTorchScript.LinesOf(PyTorchGolden.Script);
        Assert.Equal(PyTorchGolden.All.Count, lines.Length);
        foreach (var line in lines) Check(PyTorchGolden.Parse(line));
    }

    [Fact]
    public void What_lies_in_the_file_as_in_memory_is_mapped()
    {
        var mapped = PyTorchGolden.All.Sum(golden =>
        {
            File.WriteAllBytes(Weights, golden.Bytes);
            using var file = TensorFile.Open(Weights);
            return file.Entries.Count(entry => entry.DType is not null && file.Map(entry.Name).Storage.IsMapped);
        });
        Assert.True(mapped > 10, $"{mapped} tensors");
    }

    private void Check(PyTorchGolden golden)
    {
        File.WriteAllBytes(Weights, golden.Bytes);
        using var file = TensorFile.Open(Weights);
        Assert.Equal(golden.Name.EndsWith("-old", StringComparison.Ordinal)
            ? TensorFileFormat.PyTorchLegacy : TensorFileFormat.PyTorch, file.Format);
        Assert.Equal(golden.Tensors.Select(row => (row.Name, row.Type, string.Join(' ', row.Sizes))).Order(),
            file.Entries.Select(entry => (entry.Name, entry.Type, string.Join(' ', entry.Sizes))).Order());
        foreach (var (key, text) in golden.Texts)
            Assert.Equal((key, text), (key, file.Metadata.GetValueOrDefault(key)));
        foreach (var row in golden.Tensors)
            if (row.Loaded is null)
                Assert.Contains("can only be inspected", Assert.Throws<DataFormatException>(
                    () => file.Load(row.Name, convert: true)).Message, StringComparison.Ordinal);
            else
            {
                if (row.Loaded != row.Type)
                    Assert.Contains("convert: true", Assert.Throws<DataFormatException>(
                        () => file.Load(row.Name)).Message, StringComparison.Ordinal);
                AssertSame(row, file.Load(row.Name, convert: true));
                if (row.Loaded == row.Type) AssertSame(row, file.Map(row.Name));
            }
        if (golden.Tensors.Any(row => row.Loaded is null)) return;
        var all = PyTorchFile.Load(Weights, convert: true);
        Assert.Equal(file.Entries.Select(entry => entry.Name), all.Keys);
        foreach (var row in golden.Tensors) AssertSame(row, all[row.Name]);
    }

    private static void AssertSame(GoldenTensor row, Tensor tensor)
    {
        Assert.Equal((row.Name, row.Loaded), (row.Name, tensor.DType.ToString().ToLowerInvariant()));
        Assert.Equal(row.Sizes, tensor.Shape.Select(size => (long)size));
        Assert.Equal((row.Name, Convert.ToHexString(row.Elements)),
            (row.Name, Convert.ToHexString(BytesOf(tensor))));
    }

    internal static byte[] BytesOf(Tensor tensor)
    {
        var packed = tensor.Contiguous();
        return packed.Storage.Bytes.Slice(packed.Offset * packed.DType.Size(), packed.Length * packed.DType.Size())
            .ToArray();
    }
}
