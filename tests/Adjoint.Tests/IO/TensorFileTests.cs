using System.Text;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

/// <summary>Files of tensors, opened: only what is asked for is read, or mapped into memory.</summary>
public sealed class TensorFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    private static readonly Dictionary<string, Tensor> Tensors = new()
    {
        ["weight"] = Tensor.From(new[] { 1f, -2, 3, float.NaN, -0f, float.PositiveInfinity }, 2, 3),
        ["double"] = Tensor.From(new[] { 0.1, 0.2 }),
        ["half"] = Tensor.From(new[] { (Half)1.5f, (Half)(-2) }),
        ["bfloat"] = Tensor.From(new[] { BFloat16.FromBits(0x3FC0), BFloat16.NaN }),
        ["int"] = Tensor.From([int.MinValue, 7]),
        ["long"] = Tensor.From([long.MaxValue, -1]),
        ["byte"] = Tensor.From(new byte[] { 0, 255 }),
        ["truth"] = Tensor.From(new[] { true, false, true }),
        ["none"] = Tensor.Zeros(3, 0),
        ["scalar"] = Tensor.Scalar(5),
    };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Formats => ["x.safetensors", "x.npz", "packed.npz"];

    [Theory, MemberData(nameof(Formats))]
    public void Every_format_gives_the_same_tensors_one_by_one_all_and_mapped(string name)
    {
        using var file = TensorFile.Open(Write(name));
        Assert.Equal(name.EndsWith(".npz", StringComparison.Ordinal) ? TensorFileFormat.Npz
            : TensorFileFormat.SafeTensors, file.Format);
        Assert.Equal(Tensors.Keys.Order(), file.Entries.Select(entry => entry.Name).Order());
        var all = file.LoadAll();
        foreach (var entry in file.Entries)
        {
            var expected = Tensors[entry.Name];
            Assert.Equal(expected.DType, entry.DType);
            Assert.Equal(expected.Shape.Select(size => (long)size), entry.Sizes);
            Assert.Equal((long)expected.Length * expected.DType.Size(), entry.Bytes);
            Assert.True(expected.HasBitsOf(file.Load(entry.Name)), entry.Name);
            Assert.True(expected.HasBitsOf(all[entry.Name]), entry.Name);
            Assert.True(expected.HasBitsOf(file.Map(entry.Name)), entry.Name);
        }
    }

    [Fact]
    public void An_array_is_opened_under_the_name_of_its_file()
    {
        NpyFile.Save(In("x.npy"), Tensors["weight"]);
        using var file = TensorFile.Open(In("x.npy"));
        Assert.Equal((TensorFileFormat.Npy, "x", "f4"), (file.Format, file.Entries[0].Name, file.Entries[0].Type));
        Assert.True(Tensors["weight"].HasBitsOf(file.Load("x")));
        var mapped = file.Map("x");
        Assert.True(mapped.Storage.IsMapped);
        Assert.True(Tensors["weight"].HasBitsOf(mapped));
    }

    [Theory, InlineData("fortran2"), InlineData(">f4")]
    public void An_array_that_lies_otherwise_than_a_tensor_is_read_instead_of_mapped(string golden)
    {
        File.WriteAllBytes(In("x.npy"), NumpyGoldens.Of(golden).Bytes);
        using var file = TensorFile.Open(In("x.npy"));
        Assert.False(file.Map("x").Storage.IsMapped);
        Assert.True(file.Load("x").HasBitsOf(file.Map("x")));
    }

    [Fact]
    public void Formats_are_told_by_what_is_in_the_file()
    {
        SafeTensors.Save(In("model.npz"), Tensors);
        NpzFile.Save(In("model.npy"), Tensors);
        NpyFile.Save(In("model.safetensors"), Tensor.Ones(2));
        Assert.Equal([TensorFileFormat.SafeTensors, TensorFileFormat.Npz, TensorFileFormat.Npy],
            new[] { "model.npz", "model.npy", "model.safetensors" }.Select(name =>
            {
                using var file = TensorFile.Open(In(name));
                return file.Format;
            }));
    }

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("hello, world", "the bytes 68656c6c6f2c2077")]
    [InlineData("<html>", "the bytes 3c68746d6c3e")]
    [InlineData("PK\u0003\u0004", "a broken archive")]
    public void What_is_no_file_of_tensors_is_refused(string text, string message)
    {
        File.WriteAllText(In("x"), text);
        var error = Assert.Throws<DataFormatException>(() => TensorFile.Open(In("x")).Dispose()).Message;
        Assert.StartsWith(In("x"), error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
        // Nothing holds it.
        File.Delete(In("x"));
    }

    [Fact]
    public void Nothing_at_a_path_is_told_from_a_wrong_file() =>
        Assert.Throws<FileNotFoundException>(() => TensorFile.Open(In("none")).Dispose());

    [Theory, MemberData(nameof(Formats))]
    public void An_unknown_name_has_the_nearest_in_its_error(string name)
    {
        using var file = TensorFile.Open(Write(name));
        foreach (var read in (Func<string, Tensor>[])[one => file.Load(one), file.Map])
            Assert.Equal($"{file.Path}: found no tensor called 'wieght', expected one of its 10; did you mean "
                + "'weight'?; Entries lists them", Assert.Throws<AdjointException>(() => read("wieght")).Message);
    }

    [Theory, MemberData(nameof(Formats))]
    public void What_is_closed_is_not_read(string name)
    {
        var file = TensorFile.Open(Write(name));
        var weight = file.Map("weight");
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Load("weight"));
        Assert.Throws<ObjectDisposedException>(() => file.Map("weight"));
        Assert.True(Tensors["weight"].HasBitsOf(weight));
    }

    [Fact]
    public void Only_what_is_asked_for_is_read()
    {
        // 3 GB of zeros that take no room on disk, between two tensors: offsets beyond those of an int.
        const long gap = 3_000_000_000;
        var header = Encoding.UTF8.GetBytes($$$"""
            {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
            "gap":{"dtype":"U8","shape":[2,{{{gap / 2}}}],"data_offsets":[8,{{{gap + 8}}}]},
            "b":{"dtype":"F32","shape":[1024],"data_offsets":[{{{gap + 8}}},{{{gap + 4104}}}]}}
            """);
        header = [.. header, .. Enumerable.Repeat((byte)' ', (8 - header.Length % 8) % 8)];
        using (var stream = File.Create(In("x.safetensors")))
        {
            stream.Write([.. BitConverter.GetBytes((long)header.Length), .. header]);
            stream.Write([0, 0, 128, 63, 0, 0, 0, 64]);
            stream.Position += gap + 4092;
            stream.Write(BitConverter.GetBytes(7f));
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var file = TensorFile.Open(In("x.safetensors"));
        Assert.Equal([1f, 2], file.Load("a").ToArray<float>());
        Assert.Equal(7, file.Load("b").ItemAt(1023));
        Assert.Equal(7, file.Map("b").ItemAt(1023));
        Assert.True(file.Map("b").Storage.IsMapped);
        Assert.EndsWith("found 3000000000 bytes of gap, expected at most 2147483527 for a tensor; NpyDataset reads "
            + ".npy files row by row", Assert.Throws<DataFormatException>(() => file.Load("gap")).Message,
            StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Damage_elsewhere_does_not_matter()
    {
        var path = Write("x.npz");
        var bytes = File.ReadAllBytes(path);
        // The elements of one array; its checksum is wrong then.
        var at = bytes.AsSpan().IndexOf(BitConverter.GetBytes(0.1));
        bytes[at] ^= 1;
        File.WriteAllBytes(path, bytes);
        using var file = TensorFile.Open(path);
        Assert.True(Tensors["weight"].HasBitsOf(file.Load("weight")));
        Assert.Contains("found contents of checksum", Assert.Throws<DataFormatException>(() => file.Load("double"))
            .Message, StringComparison.Ordinal);
        Assert.Throws<DataFormatException>(() => file.LoadAll());
    }

    [Fact]
    public void A_digest_is_checked_where_all_is_read()
    {
        SafeTensors.Save(In("x"), Tensors, digest: true);
        var bytes = File.ReadAllBytes(In("x"));
        bytes[^1] ^= 1;
        File.WriteAllBytes(In("x"), bytes);
        using var file = TensorFile.Open(In("x"));
        Assert.True(Tensors["weight"].HasBitsOf(file.Load("weight")));
        Assert.Contains("as written: the file is damaged", Assert.Throws<DataFormatException>(() => file.LoadAll())
            .Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_becomes_shorter_is_an_error()
    {
        var path = In("x.safetensors");
        SafeTensors.Save(path, new Dictionary<string, Tensor> { ["a"] = Tensor.Ones(4096) });
        using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        using var file = new SafeTensorsReader(
            new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), path);
        stream.SetLength(4096);
        foreach (var read in (Func<string, Tensor>[])[name => file.Load(name), file.Map])
            Assert.Contains("it became shorter after it was opened", Assert.Throws<DataFormatException>(() => read("a"))
                .Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Formats))]
    public void Several_threads_read_at_once(string name)
    {
        using var file = TensorFile.Open(Write(name));
        Parallel.For(0, 64, i =>
        {
            var tensor = Tensors.Keys.ElementAt(i % Tensors.Count);
            Assert.True(Tensors[tensor].HasBitsOf(file.Load(tensor)));
            Assert.True(Tensors[tensor].HasBitsOf(file.Map(tensor)));
        });
    }

    private string Write(string name)
    {
        if (name.EndsWith(".npz", StringComparison.Ordinal))
            NpzFile.Save(In(name), Tensors, compress: name.StartsWith("packed", StringComparison.Ordinal));
        else SafeTensors.Save(In(name), Tensors);
        return In(name);
    }

    private string In(string name) => Path.Combine(folder, name);
}
