using System.Globalization;
using System.Text;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

/// <summary>Against files that NumPy wrote: Goldens/numpy_files.txt, by the script beside it.</summary>
public sealed class NpyFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string> Read() =>
        [.. NumpyGoldens.All.Where(golden => golden.Values.Contains(':', StringComparison.Ordinal))
            .Select(golden => golden.Name)];

    public static TheoryData<string> Refused() =>
        [.. NumpyGoldens.All.Where(golden => golden.Values == "refused").Select(golden => golden.Name)];

    [Theory, MemberData(nameof(Read))]
    public void What_numpy_wrote_is_read(string name)
    {
        var (_, values, bytes) = NumpyGoldens.Of(name);
        var path = Write(bytes);
        var loaded = NpyFile.Load(path, convert: true);
        var (shape, texts) = (values.Split(':')[0], values.Split(':')[1]);
        Assert.Equal(shape == "scalar" ? [] : shape.Split('x').Select(int.Parse), loaded.Shape);
        Assert.Equal(texts, string.Join(",", Enumerable.Range(0, loaded.Length).Select(i => Text(loaded, i))));
        var entry = NpyFile.Inspect(path);
        Assert.Equal(loaded.DType, entry.ConvertsTo);
        Assert.Equal(loaded.Shape.Select(size => (long)size), entry.Sizes);
        Assert.Equal(name.StartsWith("fortran", StringComparison.Ordinal),
            NpyHeader.Read(new MemoryStream(bytes), path, bytes.Length).IsFortranOrder);
        Assert.True(loaded.IsContiguous);
    }

    // Those in C order, little-endian, of version 1.0.
    [Theory]
    [InlineData("<f2"), InlineData("<f4"), InlineData("<f8"), InlineData("|u1"), InlineData("<i4"), InlineData("<i8")]
    [InlineData("|b1"), InlineData("scalar"), InlineData("empty")]
    public void What_is_written_is_byte_for_byte_what_numpy_writes(string name)
    {
        var bytes = NumpyGoldens.Of(name).Bytes;
        var tensor = NpyFile.Load(Write(bytes));
        var path = Path.Combine(folder, "again.npy");
        NpyFile.Save(path, tensor);
        Assert.Equal(bytes, File.ReadAllBytes(path));
        if (tensor.Rank < 2 || tensor.Length == 0) return;
        // A view with gaps is written in its own order.
        NpyFile.Save(path, tensor.Transpose());
        Assert.Equal(tensor.Transpose().Contiguous().Shape, NpyFile.Load(path).Shape);
        NpyFile.Save(path, NpyFile.Load(path).Transpose());
        Assert.Equal(bytes, File.ReadAllBytes(path));
    }

    [Fact]
    public void Bfloat16_is_written_as_two_bytes_with_an_order()
    {
        var path = Path.Combine(folder, "x.npy");
        NpyFile.Save(path, Tensor.From(Array.ConvertAll((ushort[])[0x3F80, 0xC020, 0x7F80, 1], BFloat16.FromBits)));
        Assert.Contains("'descr': '<V2'", Encoding.Latin1.GetString(File.ReadAllBytes(path)), StringComparison.Ordinal);
        Assert.Equal([0x3F80, 0xC020, 0x7F80, 1],
            Array.ConvertAll(NpyFile.Load(path).ToArray<BFloat16>(), value => value.Bits));
    }

    [Theory, MemberData(nameof(Refused))]
    public void What_has_no_numbers_is_refused_by_name(string name) =>
        Assert.Contains(name switch
        {
            "objects" => "Python objects, expected an array of numbers or truth values (f2, f4, f8, i1 … i8, "
                + "u1 … u8, b1); objects are pickles, which run code when loaded, and are never read",
            "texts" => "the type '<U2', texts",
            "bytes" => "the type '|S2', texts",
            "dates" => "the type '<M8[D]', dates or durations",
            "complex" => "save x.real and x.imag",
            "extended" => "save x.astype('float64')",
            "raw" => "the type '|V2', raw bytes",
            "structured" => "the structured type [('x', '<i4'), ('y', '<f8')]",
            _ => throw new NotSupportedException(name),
        }, Fails(NumpyGoldens.Of(name).Bytes), StringComparison.Ordinal);

    [Fact]
    public void Types_that_no_tensor_has_are_converted_on_request_alone()
    {
        Assert.EndsWith(
            ", offset 128: found dtype i2 of x, expected float64, float32, bfloat16, float16, int64, int32, uint8 or "
            + "bool; convert: true makes i2 int32", Fails(NumpyGoldens.Of("<i2").Bytes), StringComparison.Ordinal);
        var large = Header("{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }", BitConverter.GetBytes(~0ul));
        Assert.Contains("found 18446744073709551615, a uint64", Fails(large, convert: true), StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_that_is_not_0_means_true() =>
        Assert.Equal([true, false, true],
            NpyFile.Load(Write(Header("{'descr':'|b1','fortran_order':False,'shape':(3,)}", [2, 0, 255])))
                .ToArray<bool>());

    [Theory]
    [InlineData("", "offset 10: found the end of the header, expected {")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } x", "found 'x', expected the end of the")]
    [InlineData("{'descr': '<f4', 'fortran_order': False}", "found a header that lacks a key, expected 'descr', 'fo")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", "found the key 'descr'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", "found the key 'more'")]
    [InlineData("{'descr': '<f4', 'fortran_order': 1, 'shape': (2,)}", "found '1, 'shape': (2,)}', expected True or")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2)}", "found ')}', expected a comma, which makes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}", "found '-2,)}', expected a size up to")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "found size 99999999999")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2 2)}", "expected a comma or the end")]
    [InlineData("{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}", "expected a quoted text")]
    [InlineData("{'descr': '<f\\x34', 'fortran_order': False, 'shape': (2,)}", "expected none")]
    [InlineData("{'descr': '<f4, 'fortran_order': False, 'shape': (2,)}", "expected")]
    [InlineData("{'descr': '<f3', 'fortran_order': False, 'shape': (2,)}", "floating-point numbers of another length")]
    [InlineData("{'descr': '|f4', 'fortran_order': False, 'shape': (2,)}", "found the type '|f4'")]
    [InlineData("{'descr': '>V2', 'fortran_order': False, 'shape': (4,)}", "found the type '>V2'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
        "found 8 bytes of elements, expected 12, those of shape (3) and type f4; the file was cut short")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "several arrays belong into one .npz file")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9223372036854775807, 4)}",
        "expected more than 2⁶³")]
    public void A_header_of_another_form_is_refused(string header, string message) =>
        Assert.Contains(message, Fails(Header(header, new byte[8])), StringComparison.Ordinal);

    [Fact]
    public void A_header_may_be_written_as_python_2_and_other_programs_do() =>
        Assert.Equal([1f, 2],
            NpyFile.Load(Write(Header("{\"shape\":(2L,),\n \"descr\":\"<f4\",'fortran_order' :True}   \n",
                [0, 0, 128, 63, 0, 0, 0, 64]))).ToArray<float>());

    [Fact]
    public void More_axes_than_numpy_has_and_sizes_that_no_tensor_has_are_refused()
    {
        string Of(string sizes) => $"{{'descr': '|u1', 'fortran_order': False, 'shape': ({sizes}), }}";
        Assert.Contains("found a further axis, expected at most 64",
            Fails(Header(Of(string.Concat(Enumerable.Repeat("1, ", 65))), [1])), StringComparison.Ordinal);
        Assert.Contains("found size 4294967296 of x, expected at most 2147483647 for a tensor",
            Fails(Header(Of("0, 4294967296"), [])), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        foreach (var name in (string[])["<f4", "version2", "version3"])
        {
            var bytes = NumpyGoldens.Of(name).Bytes;
            for (var length = 0; length < bytes.Length; length++) Fails(bytes[..length]);
        }
        Assert.Contains("offset 0: found 504b03040000, expected 934e554d5059",
            Fails([0x50, 0x4b, 3, 4, 0, 0, 0, 0]), StringComparison.Ordinal);
        Assert.Contains("offset 6: found version 9.0", Fails([0x93, .. "NUMPY"u8, 9, 0]), StringComparison.Ordinal);
        Assert.Contains("offset 8: found a header of 4294967295 bytes, expected at most 0",
            Fails([0x93, .. "NUMPY"u8, 2, 0, 255, 255, 255, 255]), StringComparison.Ordinal);
        Assert.Contains("found bytes that are no UTF-8",
            Fails([0x93, .. "NUMPY"u8, 3, 0, 2, 0, 0, 0, 0xc3, 0x28]), StringComparison.Ordinal);
    }

    internal static byte[] Header(string text, byte[] elements) =>
        [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, (byte)(text.Length >> 8), .. Encoding.Latin1.GetBytes(text),
            .. elements];

    private static string Text(Tensor x, int i)
    {
        var flat = x.Reshape(-1);
        return x.DType.IsFloating() ? NumpyGoldens.Repr(flat.ItemAt(i))
            : x.DType == DType.Bool ? flat.ToArray<bool>()[i] ? "1" : "0"
            : flat.To(DType.Int64).ToArray<long>()[i].ToString(CultureInfo.InvariantCulture);
    }

    private string Fails(byte[] bytes, bool convert = false)
    {
        var path = Write(bytes);
        var message = Assert.Throws<DataFormatException>(() => NpyFile.Load(path, convert)).Message;
        Assert.StartsWith($"{path}, offset ", message, StringComparison.Ordinal);
        return message;
    }

    private string Write(byte[] bytes)
    {
        var path = Path.Combine(folder, "x.npy");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
