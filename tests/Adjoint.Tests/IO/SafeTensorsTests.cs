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

    [Theory, InlineData(DType.BFloat16), InlineData(DType.Float16)]
    public void All_65536_values_of_half_precision_keep_their_bits(DType type)
    {
        var path = Path.Combine(folder, "x.safetensors");
        ushort[] bits = [.. Enumerable.Range(0, 65536).Select(i => (ushort)i)];
        var x = type == DType.BFloat16
            ? Tensor.From(Array.ConvertAll(bits, BFloat16.FromBits))
            : Tensor.From(Array.ConvertAll(bits, BitConverter.UInt16BitsToHalf));
        SafeTensors.Save(path, new Dictionary<string, Tensor> { ["x"] = x });
        Assert.Equal(type == DType.BFloat16 ? "BF16" : "F16", SafeTensors.Inspect(path)[0].Type);
        var loaded = SafeTensors.Load(path)["x"];
        Assert.Equal(type, loaded.DType);
        Assert.Equal(bits, type == DType.BFloat16
            ? Array.ConvertAll(loaded.ToArray<BFloat16>(), value => value.Bits)
            : Array.ConvertAll(loaded.ToArray<Half>(), BitConverter.HalfToUInt16Bits));
    }

    [Fact]
    public void Integers_of_every_size_are_saved_and_loaded()
    {
        var path = Path.Combine(folder, "x.safetensors");
        SafeTensors.Save(path, new Dictionary<string, Tensor>
        {
            ["i"] = Tensor.From([int.MinValue, -1, int.MaxValue]),
            ["u"] = Tensor.From(new byte[] { 0, 128, 255 }),
        });
        Assert.Equal(["I32", "U8"], SafeTensors.Inspect(path).Select(entry => entry.Type));
        var loaded = SafeTensors.Load(path);
        Assert.Equal([int.MinValue, -1, int.MaxValue], loaded["i"].ToArray<int>());
        Assert.Equal([0, 128, 255], loaded["u"].ToArray<byte>());
    }

    [Fact]
    public void What_no_tensor_has_is_listed_refused_with_a_remedy_and_converted_on_request()
    {
        var path = Write("""
            {"i8":{"dtype":"I8","shape":[2],"data_offsets":[0,2]},
            "i16":{"dtype":"I16","shape":[2],"data_offsets":[2,6]},
            "u16":{"dtype":"U16","shape":[1],"data_offsets":[6,8]},
            "u32":{"dtype":"U32","shape":[1],"data_offsets":[8,12]},
            "u64":{"dtype":"U64","shape":[1,1],"data_offsets":[12,20]}}
            """, [0x80, 0x7F, 0, 0x80, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]);
        Assert.Equal(
            [("i8", "I8", 2L, DType.Int32), ("i16", "I16", 4, DType.Int32), ("u16", "U16", 2, DType.Int32),
                ("u32", "U32", 4, DType.Int64), ("u64", "U64", 8, DType.Int64)],
            SafeTensors.Inspect(path).Select(entry => (entry.Name, entry.Type, entry.Bytes, entry.ConvertsTo!.Value)));
        Assert.All(SafeTensors.Inspect(path), entry => Assert.Null(entry.DType));
        Assert.EndsWith("found dtype I8 of i8, expected float64, float32, bfloat16, float16, int64, int32, uint8 or "
            + "bool; convert: true makes I8 int32", Fails(path), StringComparison.Ordinal);
        var loaded = SafeTensors.Load(path, convert: true);
        Assert.Equal([-128, 127], loaded["i8"].ToArray<int>());
        Assert.Equal([-32768, 32767], loaded["i16"].ToArray<int>());
        Assert.Equal(65535, loaded["u16"].Item<int>());
        Assert.Equal(uint.MaxValue, loaded["u32"].Item<long>());
        Assert.Equal(long.MaxValue, loaded["u64"].Item<long>());
        Assert.Equal((int[])[1, 1], loaded["u64"].Shape);
    }

    [Fact]
    public void What_fits_no_type_is_named()
    {
        var path = Write("""{"a":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}""",
            [0, 0, 0, 0, 0, 0, 0, 0x80]);
        Assert.EndsWith(
            "found 9223372036854775808, a uint64, in a, expected at most 9223372036854775807, the largest int64",
            Fails(path, convert: true), StringComparison.Ordinal);
        path = Write("""{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}""", new byte[8]);
        Assert.EndsWith("no element type holds C64, so this tensor can only be inspected", Fails(path, convert: true),
            StringComparison.Ordinal);
        Assert.Null(SafeTensors.Inspect(path)[0].ConvertsTo);
        // Four bits each lie packed.
        path = Write("""{"a":{"dtype":"F4","shape":[2,3],"data_offsets":[0,3]}}""", new byte[3]);
        Assert.Equal(("F4", 3L), SafeTensors.Inspect(path).Select(entry => (entry.Type, entry.Bytes)).Single());
        path = Write("""{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}""", new byte[2]);
        Assert.Contains("found 12 bits of a", Fails(path), StringComparison.Ordinal);
    }

    [Fact]
    public void Eight_bits_of_floating_point_are_what_the_format_defines()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        var header = """{"x":{"dtype":"TYPE","shape":[256],"data_offsets":[0,256]}}""";
        Tensor Read(string type) => SafeTensors.Load(
            Write(header.Replace("TYPE", type, StringComparison.Ordinal), all), convert: true)["x"];
        var (e4m3fnuz, e5m2fnuz) = (Read("F8_E4M3FNUZ"), Read("F8_E5M2FNUZ"));
        var (e4m3, e5m2, e8m0) = (Read("F8_E4M3"), Read("F8_E5M2"), Read("F8_E8M0"));
        Assert.Equal((DType.Float16, DType.Float16, DType.BFloat16), (e4m3.DType, e5m2.DType, e8m0.DType));
        for (var i = 0; i < 256; i++)
        {
            // sign · 2^(exponent − bias) · (1 + fraction), without the 1 where the exponent is 0.
            var (sign, exponent, fraction) = (i < 128 ? 1 : -1, i >> 3 & 15, (i & 7) / 8.0);
            var expected = (i & 127) == 127 ? double.NaN
                : sign * (exponent == 0 ? Math.Pow(2, -6) * fraction : Math.Pow(2, exponent - 7) * (1 + fraction));
            Same(expected, e4m3.ItemAt(i));
            // Those without a negative zero have NaN in its place, no infinity, and a bias that is one more.
            expected = i == 128 ? double.NaN
                : sign * (exponent == 0 ? Math.Pow(2, -7) * fraction : Math.Pow(2, exponent - 8) * (1 + fraction));
            Same(expected, e4m3fnuz.ItemAt(i));
            (exponent, fraction) = (i >> 2 & 31, (i & 3) / 4.0);
            expected = i == 128 ? double.NaN
                : sign * (exponent == 0 ? Math.Pow(2, -15) * fraction : Math.Pow(2, exponent - 16) * (1 + fraction));
            Same(expected, e5m2fnuz.ItemAt(i));
            expected = exponent == 31 ? fraction == 0 ? sign * double.PositiveInfinity : double.NaN
                : sign * (exponent == 0 ? Math.Pow(2, -14) * fraction : Math.Pow(2, exponent - 15) * (1 + fraction));
            Same(expected, e5m2.ItemAt(i));
            Same(i == 255 ? double.NaN : Math.Pow(2, i - 127), e8m0.ItemAt(i));
        }
        Assert.Equal((448, 57344), (e4m3.ItemAt(0x7E), e5m2.ItemAt(0x7B)));

        Assert.Equal((240, 57344), (e4m3fnuz.ItemAt(0x7F), e5m2fnuz.ItemAt(0x7F)));

        static void Same(double expected, double found) => Assert.True(
            double.IsNaN(expected)
                ? double.IsNaN(found)
                : BitConverter.DoubleToInt64Bits(expected) == BitConverter.DoubleToInt64Bits(found),
            $"{expected}, {found}");
    }

    [Fact]
    public void Four_bits_of_floating_point_lie_two_to_a_byte_the_first_in_its_lower_half()
    {
        byte[] all = [.. Enumerable.Range(0, 8).Select(i => (byte)(2 * i | (2 * i + 1) << 4))];
        var x = SafeTensors.Load(Write("""{"x":{"dtype":"F4","shape":[16],"data_offsets":[0,8]}}""", all), true)["x"];
        Assert.Equal(DType.Float16, x.DType);
        Assert.Equal([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6],
            x.To(DType.Float64).ToArray<double>());
        Assert.True(double.IsNegative(x.ItemAt(8)));
    }

    private static string Fails(string path, bool convert = false) =>
        Assert.Throws<DataFormatException>(() => SafeTensors.Load(path, convert)).Message;

    [Fact]
    public void A_file_written_by_hand_after_the_published_format_is_read()
    {
        var loaded = SafeTensors.Load(
            Write("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", [0, 0, 128, 63, 0, 0, 0, 192]));
        Assert.Equal([1f, -2], loaded["x"].ToArray<float>());
    }

    [Theory]
    [InlineData("""{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}""", "data_offsets [0, 12] of x")]
    [InlineData("""{"x":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "data_offsets [0, 12] of x")]
    [InlineData("""{"x":{"dtype":"F32","shape":[2147483647,2147483647],"data_offsets":[0,8]}}""",
        "shape [2147483647, 2147483647] of x, expected one of fewer than 2⁶⁴ bits")]
    [InlineData("""{"x":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}""", "dtype F99 of x")]
    [InlineData("""{"x":{"dtype":"F32"}}""", "a header that does not parse")]
    [InlineData("""{"x":""", "a header that does not parse")]
    public void A_damaged_header_is_refused(string header, string message) =>
        Assert.Contains(message, Assert.Throws<DataFormatException>(() => SafeTensors.Load(Write(header, new byte[8])))
            .Message, StringComparison.Ordinal);

    [Fact]
    public void A_truncated_file_is_refused()
    {
        var path = Path.Combine(folder, "short");
        File.WriteAllBytes(path, [1, 2, 3]);
        Assert.Contains("offset 0: found 3 bytes", Assert.Throws<DataFormatException>(() => SafeTensors.Load(path))
            .Message, StringComparison.Ordinal);
        File.WriteAllBytes(path, [255, 255, 255, 255, 255, 255, 255, 127, 0]);
        Assert.Contains("a header of 9223372036854775807 bytes",
            Assert.Throws<DataFormatException>(() => SafeTensors.Load(path)).Message, StringComparison.Ordinal);
    }

    private string Write(string header, byte[] data)
    {
        var path = Path.Combine(folder, "hand.safetensors");
        var text = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(path, [.. BitConverter.GetBytes((long)text.Length), .. text, .. data]);
        return path;
    }
}
