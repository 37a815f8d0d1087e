using System.Text;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

public sealed class SafeTensorsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void What_is_saved_is_loaded()
    {
        var path = Path.Combine(folder, "x.safetensors");
        var tensors = new Dictionary<string, Tensor>
        {
            ["w"] = Tensor.From(new[,] { { 1f, 2 }, { 3, 4 } }).Transpose(),
            ["d"] = Tensor.From(new[] { 0.1 }),
            ["i"] = Tensor.From(new long[] { 7 }),
            ["b"] = Tensor.From(new[] { true, false }),
            ["empty"] = Tensor.Zeros(0, 3),
        };
        SafeTensors.Save(path, tensors, new Dictionary<string, string> { ["epoch"] = "3" });
        var loaded = SafeTensors.Load(path, out var metadata);
        Assert.Equal([1f, 3, 2, 4], loaded["w"].ToArray<float>());
        Assert.Equal(0.1, loaded["d"].Item());
        Assert.Equal([true, false], loaded["b"].ToArray<bool>());
        Assert.Equal((int[])[0, 3], loaded["empty"].Shape);
        Assert.Equal("3", metadata["epoch"]);
        Assert.Equal([path], Directory.GetFiles(folder));
    }

    [Fact]
    public void A_file_written_by_hand_after_the_published_format_is_read()
    {
        var loaded = SafeTensors.Load(Write("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", [0, 0, 128, 63, 0, 0, 0, 192]));
        Assert.Equal([1f, -2], loaded["x"].ToArray<float>());
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}""", "data_offsets [0, 12] of x")]
    [InlineData("""{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "data_offsets [0, 12] of x")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2147483647,2147483647],"data_offsets":[0,8]}}""", "data_offsets [0, 8] of x")]
    [InlineData("""{"x":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}""", "dtype F99 of x")]
    [InlineData("""{"x":{"dtype":"F32"}}""", "a header that does not parse")]
    [InlineData("""{"x":""", "a header that does not parse")]
    public void A_damaged_header_is_refused(string header, string message) =>
        Assert.Contains(message, Assert.Throws<DataFormatException>(() => SafeTensors.Load(Write(header, new byte[8]))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_truncated_file_is_refused()
    {
        var path = Path.Combine(folder, "short");
        File.WriteAllBytes(path, [1, 2, 3]);
        Assert.Contains("offset 0: found 3 bytes", Assert.Throws<DataFormatException>(() => SafeTensors.Load(path)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, [255, 255, 255, 255, 255, 255, 255, 127, 0]);
        Assert.Contains("a header of 9223372036854775807 bytes", Assert.Throws<DataFormatException>(() => SafeTensors.Load(path)).Message, StringComparison.Ordinal);
    }

    private string Write(string header, byte[] data)
    {
        var path = Path.Combine(folder, "hand.safetensors");
        var text = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)text.Length), .. text, .. data]);
        return path;
    }
}
