using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

/// <summary>safetensors files as the reference implementation takes or refuses them, and as it writes them.</summary>
public sealed partial class SafeTensorsConformanceTests : IDisposable
{
    // What the reference loads and we only list, by name: dtypes that have to be converted, and sizes above those of a
    // Shape.
    private static readonly Dictionary<string, string> Exceptions = new()
    {
        ["dtype-I8"] = "dtype I8 of ",
        ["dtype-I16"] = "dtype I16 of ",
        ["dtype-U16"] = "dtype U16 of ",
        ["dtype-U64"] = "dtype U64 of ",
        ["dtype-F8_E4M3"] = "dtype F8_E4M3 of ",
        ["zero-in-huge"] = $"found size 4000000000 of a, expected at most {int.MaxValue}",
    };

    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string, bool> Cases()
    {
        using var cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Conformance, "cases.json")));
        var all = new TheoryData<string, bool>();
        foreach (var one in cases.RootElement.EnumerateArray())
            all.Add(Path.GetFileNameWithoutExtension(one.GetProperty("file").GetString()!), one.GetProperty("valid")
                .GetBoolean());
        return all;
    }

    private static string Conformance =>
        Path.Combine(LayeringTests.Root(), "tests", "Adjoint.Tests", "IO", "conformance");

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_file_is_taken_or_refused_as_by_the_reference(string name, bool isValid)
    {
        var path = Path.Combine(Conformance, name + ".safetensors");
        if (isValid)
        {
            var entries = SafeTensors.Inspect(path);
            using var file = TensorFile.Open(path);
            Assert.Equal(TensorFileFormat.SafeTensors, file.Format);
            Assert.Equal(entries.Select(entry => (entry.Name, entry.Type, entry.Bytes)),
                file.Entries.Select(entry => (entry.Name, entry.Type, entry.Bytes)));
        }
        else
        {
            Assert.Throws<DataFormatException>(() => SafeTensors.Inspect(path));
            Assert.StartsWith(path, Assert.Throws<DataFormatException>(() => TensorFile.Open(path).Dispose()).Message,
                StringComparison.Ordinal);
        }
        if (isValid && !Exceptions.ContainsKey(name)) SafeTensors.Load(path);
        else
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var error = Assert.Throws<DataFormatException>(() => SafeTensors.Load(path));
            Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
            if (Exceptions.TryGetValue(name, out var message))
                Assert.Contains(message, error.Message, StringComparison.Ordinal);
            // Whatever sizes a file claims, nothing is allocated for them.
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        }
    }

    [Theory]
    [InlineData("""{"a":BOOL[1]@0-1,"\u0061":BOOL[1]@1-2}""", 2, "does not parse")]
    [InlineData("""{"a":{"dtype":"BOOL","dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}""", 1, "does not parse")]
    [InlineData("""{"a":BOOL[2]@0-2,"b":BOOL[2]@1-3}""", 3,
        "data_offsets [1, 3] of b, expected a range that begins at 2")]
    [InlineData("""{"a":BOOL[2]@0-2,"b":BOOL[2]@0-2}""", 2,
        "data_offsets [0, 2] of b, expected a range that begins at 2")]
    [InlineData("""{"a":BOOL[1]@0-1,"b":BOOL[1]@2-3}""", 3,
        "data_offsets [2, 3] of b, expected a range that begins at 1")]
    [InlineData("""{"a":BOOL[1]@0-1}""", 2, "2 bytes of data, expected 1, those of its tensors")]
    [InlineData("""{}""", 1, "1 bytes of data, expected 0")]
    [InlineData("""[]""", 0, "does not parse")]
    [InlineData("\ufeff{}", 0, "does not parse")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "Number as metadata k")]
    [InlineData("""{"__metadata__":{"k":null}}""", 0, "Null as metadata k")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "does not parse")]
    [InlineData("""{"__metadata__":[]}""", 0, "does not parse")]
    [InlineData("""{"__metadata__":"k"}""", 0, "does not parse")]
    [InlineData("""{"__metadata__":{"k":"\ud800"}}""", 0, "does not parse")]
    [InlineData("""{"a\udc00":BOOL[1]@0-1}""", 1, "does not parse")]
    [InlineData("""{"a":BOOL[-0]@0-0}""", 0, "does not parse")]
    [InlineData("""{"a":F64[0,2147483648]@0-0}""", 0, "size 2147483648 of a, expected at most 2147483647")]
    [InlineData("""{"a":F64[2147483647,2147483647,2147483647]@0-8}""", 8, "shape [2147483647, 2147483647, 2147483647]")]
    [InlineData("""{"a":BOOL[65536,65536]@0-4294967296}""", 8,
        "data_offsets [0, 4294967296] of a, expected a range within the 8 bytes of data")]
    [InlineData("""{"a":F32[1]@9223372036854775808-9223372036854775812}""", 4, "data_offsets [9223372036854775808")]
    public void A_header_that_lies_is_refused_by_name(string header, int data, string message)
    {
        var path = Path.Combine(folder, "a.safetensors");
        var text = Header(header);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)text.Length), .. text, .. new byte[data]]);
        Assert.Contains(message, Assert.Throws<DataFormatException>(() => SafeTensors.Load(path)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""" {}""", 0)]
    [InlineData("\n\t{ } \r\n", 0)]
    [InlineData("""{"__metadata__":null}""", 0)]
    [InlineData("""{"__metadata__":{}}""", 0)]
    [InlineData("""{"__metadata__":{"":""},"":BOOL[1]@0-1}""", 1)]
    [InlineData("""{"a":F32[0]@0-0,"b":F64[2,0,3]@0-0}""", 0)]
    [InlineData("""{"b":F32[1]@4-8,"none":F32[0]@4-4,"a":F32[1]@0-4,"last":F32[0]@8-8}""", 8)]
    [InlineData("""{"a":BOOL[]@0-1}""", 1)]
    [InlineData("""{"a":F64[0,9223372036854775807]@0-0}""", 0)]
    [InlineData("""{"\u0061\ud83d\ude00":BOOL[1]@0-1}""", 1)]
    [InlineData("""{"a":["F32",[1],[0,4]]}""", 4)]
    [InlineData("""{"a":{"data_offsets":[0,3],"shape":[4],"dtype":"F6_E2M3"}}""", 3)]
    [InlineData("""{"a":{"dtype":"F6_E3M2","shape":[2,4],"data_offsets":[0,6]}}""", 6)]
    [InlineData("""{"a":{"dtype":"F4","shape":[6],"data_offsets":[0,3]}}""", 3)]
    [InlineData("""{"a":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}}""", 16)]
    [InlineData("""{"a":{"dtype":"F8_E4M3FNUZ","shape":[1],"data_offsets":[0,1]}}""", 1)]
    [InlineData("""{"a":{"dtype":"F8_E5M2FNUZ","shape":[1],"data_offsets":[0,1]}}""", 1)]
    [InlineData("""{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1],"x":[[[[[[[[{"y":1e3}]]]]]]]]}}""", 1)]
    public void What_the_reference_takes_is_taken(string header, int data)
    {
        var path = Write(Header(header), data);
        using var file = TensorFile.Open(path);
        Assert.Equal(file.Entries, SafeTensors.Inspect(path), (a, b) => (a.Name, a.Type) == (b.Name, b.Type));
        foreach (var entry in file.Entries.Where(entry => entry.ConvertsTo is not null
            && entry.Sizes.All(size => size < 10)))
            Assert.Equal(entry.Sizes.Select(size => (int)size), file.Load(entry.Name, convert: true).Shape);
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}""", 2,
        "12 bits of a, expected a whole number")]
    [InlineData("""{"a":{"dtype":"F6_E2M3","shape":[1],"data_offsets":[0,1]}}""", 1, "6 bits of a")]
    [InlineData("""{"a":BOOL[4294967296,4294967296,0]@0-0}""", 0, "shape [4294967296, 4294967296, 0] of a")]
    [InlineData("""{"a":BOOL[18446744073709551616]@0-0}""", 0, "does not parse")]
    [InlineData("""{"a":BOOL[1.0]@0-1}""", 1, "does not parse")]
    [InlineData("""{"a":BOOL[1e0]@0-1}""", 1, "does not parse")]
    [InlineData("""{"a":BOOL[-1]@0-1}""", 1, "does not parse")]
    [InlineData("""{"a":BOOL[NaN]@0-1}""", 1, "does not parse")]
    [InlineData("""{"a":BOOL["1"]@0-1}""", 1, "does not parse")]
    [InlineData("""{"a":BOOL[true]@0-1}""", 1, "does not parse")]
    [InlineData("""{"a":["F32",[1],[0,4],1]}""", 4, "does not parse")]
    [InlineData("""{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", 4, "dtype f32 of a, expected F64, I64")]
    [InlineData("""{"a":{"dtype":"F8_E3M4","shape":[1],"data_offsets":[0,1]}}""", 1, "dtype F8_E3M4 of a")]
    [InlineData("""{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0]}}""", 1, "data_offsets [0] of a")]
    [InlineData("""{"a":{"dtype":"BOOL","shape":[1],"data_offsets":{"0":1}}}""", 1, "does not parse")]
    [InlineData("""{"a":null}""", 0, "does not parse")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "does not parse")]
    [InlineData("{}\0", 0, "does not parse")]
    [InlineData("{}\u00a0", 0, "does not parse")]
    public void What_the_reference_refuses_is_refused_by_all_that_read(string header, int data, string message)
    {
        var path = Write(Header(header), data);
        foreach (var read in (Action<string>[])[one => SafeTensors.Inspect(one), one => SafeTensors.Load(one, true),
            one => TensorFile.Open(one).Dispose()])
            Assert.Contains(message, Assert.Throws<DataFormatException>(() => read(path)).Message,
                StringComparison.Ordinal);
    }

    [Fact]
    public void Text_that_is_no_utf_8_is_refused_even_where_nobody_reads_it()
    {
        var text = Header("""{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1],"x":"?"}}""");
        text[text.AsSpan().IndexOf((byte)'?')] = 0xff;
        Assert.Contains("a header that is no UTF-8", Assert.Throws<DataFormatException>(() =>
            SafeTensors.Inspect(Write(text, 1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_has_at_most_100_000_000_bytes()
    {
        var path = Path.Combine(folder, "a.safetensors");
        using (var stream = File.Create(path))
        {
            stream.Write(BitConverter.GetBytes(100_000_001L));
            stream.SetLength(200_000_000);
        }
        Assert.EndsWith("offset 0: found a header of 100000001 bytes, expected 2 to 100000000",
            Assert.Throws<DataFormatException>(() => SafeTensors.Inspect(path)).Message, StringComparison.Ordinal);
    }

    private string Write(byte[] header, int data)
    {
        var path = Path.Combine(folder, "a.safetensors");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[data]]);
        return path;
    }

    // An entry is written short: F32[2]@0-8.
    private static byte[] Header(string text) => Encoding.UTF8.GetBytes(Entry().Replace(text,
        """{"dtype":"$1","shape":$2,"data_offsets":[$3,$4]}"""));

    [GeneratedRegex(@"(BOOL|F32|F64)(\[[^]]*\])@([0-9]+)-([0-9]+)")]
    private static partial Regex Entry();

    [Fact]
    public void A_long_name_makes_no_long_message()
    {
        var path = Path.Combine(folder, "a.safetensors");
        var name = new string('n', 1_000_000);
        var text = Header($$"""{"{{name}}":BOOL[1]@1-2}""");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)text.Length), .. text, 0, 0]);
        var error = Assert.Throws<DataFormatException>(() => SafeTensors.Load(path));
        Assert.StartsWith($"{path}, offset 8: found data_offsets [1, 2] of nnn", error.Message,
            StringComparison.Ordinal);
        Assert.EndsWith("expected a range that begins at 0, where the one before it ends", error.Message,
            StringComparison.Ordinal);
        Assert.InRange(error.Message.Length, 100, 1000);
    }

    [Theory, InlineData("F64"), InlineData("F32"), InlineData("I64"), InlineData("I32"), InlineData("I16"),
        InlineData("I8"), InlineData("U16"), InlineData("U64")]
    public void Numbers_that_the_reference_wrote_are_read_and_converted(string code)
    {
        var path = Path.Combine(Conformance, $"dtype-{code}.safetensors");
        var entry = Assert.Single(SafeTensors.Inspect(path));
        Assert.Equal(("a", code), (entry.Name, entry.Type));
        var x = SafeTensors.Load(path, convert: true)["a"];
        Assert.Equal(entry.ConvertsTo, x.DType);
        Assert.Equal([0, 1, 2, 100], x.To(DType.Float64).ToArray<double>());
    }

    [Fact]
    public void Truth_values_of_any_byte_are_one_or_zero()
    {
        var values = SafeTensors.Load(Path.Combine(Conformance, "boolvals.safetensors")).Values.Single();
        Assert.All(values.Storage.Bytes[..values.Length].ToArray(), value => Assert.InRange(value, 0, 1));
        Assert.Contains((byte)1, values.Storage.Bytes[..values.Length].ToArray());
    }

    [Fact]
    public void Tensors_that_lie_anywhere_are_read_in_their_own_order()
    {
        var path = Path.Combine(folder, "a.safetensors");
        var text = Header("""{"late":F32[1]@3-7,"none":F32[0,5]@3-3,"early":BOOL[3]@0-3}""");
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)text.Length), .. text, 1, 0, 1, 0, 0, 128, 63]);
        var loaded = SafeTensors.Load(path);
        Assert.Equal(1f, loaded["late"].Item());
        Assert.Equal([true, false, true], loaded["early"].ToArray<bool>());
        Assert.Equal((int[])[0, 5], loaded["none"].Shape);
    }

    [Fact]
    public void Every_tensor_lies_where_its_type_asks()
    {
        var path = Path.Combine(folder, "a.safetensors");
        SafeTensors.Save(path, new Dictionary<string, Tensor>
        {
            ["a"] = Tensor.From(new[] { true, false, true }),
            ["b"] = Tensor.From(new[] { 1f }),
            ["c"] = Tensor.From(new[] { 2.0 }),
            ["d"] = Tensor.From(new long[] { 3 }),
            ["e"] = Tensor.From(new[] { 4f, 5, 6 }),
        });
        var bytes = File.ReadAllBytes(path);
        var start = 8 + BitConverter.ToInt64(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, (int)start - 8));
        Assert.Equal(0, start % 8);
        Assert.All(header.RootElement.EnumerateObject(), entry =>
        {
            var size = entry.Value.GetProperty("dtype").GetString() switch { "F64" or "I64" => 8, "F32" => 4, _ => 1 };
            Assert.Equal(0, entry.Value.GetProperty("data_offsets")[0].GetInt64() % size);
        });
        Assert.Equal(["c", "d", "b", "e", "a"], header.RootElement.EnumerateObject().Select(entry => entry.Name));
        var loaded = SafeTensors.Load(path);
        Assert.Equal([4f, 5, 6], loaded["e"].ToArray<float>());
        Assert.Equal([true, false, true], loaded["a"].ToArray<bool>());
    }

    [Fact]
    public void A_name_that_no_file_can_hold_is_refused_before_anything_is_written()
    {
        var path = Path.Combine(folder, "a.safetensors");
        string Fails(string name, IReadOnlyDictionary<string, string>? metadata = null) =>
            Assert.Throws<AdjointException>(
            () => SafeTensors.Save(path, new Dictionary<string, Tensor> { [name] = Tensor.Zeros(1) },
                metadata)).Message;
        Assert.Contains("no tensor can be called __metadata__", Fails("__metadata__"), StringComparison.Ordinal);
        Assert.Contains("is no valid Unicode", Fails("a\ud800"), StringComparison.Ordinal);
        Assert.Contains("is no valid Unicode", Fails("\udc00\ud800"), StringComparison.Ordinal);
        Assert.Contains("is no valid Unicode", Fails("a", new Dictionary<string, string> { ["k"] = "\ud800x" }),
            StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(folder));
        SafeTensors.Save(path, new Dictionary<string, Tensor> { ["\U0001F600"] = Tensor.Zeros(1) });
        Assert.Equal(["\U0001F600"], SafeTensors.Load(path).Keys);
    }
}
