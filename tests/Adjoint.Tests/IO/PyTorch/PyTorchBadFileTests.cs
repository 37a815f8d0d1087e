using System.IO.Compression;
using Adjoint.Data;
using Adjoint.IO;
using static Adjoint.Tests.IO.PickleProgram;

namespace Adjoint.Tests.IO;

/// <summary>Files that are damaged, foreign, or whose sizes lie: one line each, and nothing is allocated for them.
/// </summary>
public sealed class PyTorchBadFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    private string Weights => Path.Combine(folder, "x.pt");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(new long[] { 5 }, new long[] { 1 }, 0)]
    [InlineData(new long[] { 4 }, new long[] { 1 }, 1)]
    [InlineData(new long[] { 2, 2 }, new long[] { 3, 1 }, 0)]
    [InlineData(new long[] { 2 }, new[] { 1L << 62 }, 0)]
    [InlineData(new long[] { 2, 2 }, new[] { long.MaxValue, long.MaxValue }, 0)]
    [InlineData(new long[] { 1 }, new long[] { 1 }, 4)]
    [InlineData(new long[] { 1 }, new long[] { 1 }, long.MaxValue)]
    [InlineData(new long[] { 1 }, new long[] { 1 }, -1)]
    [InlineData(new long[] { }, new long[] { }, 4)]
    [InlineData(new long[] { 0 }, new long[] { 1 }, 5)]
    public void A_tensor_outside_of_its_storage_is_refused(long[] sizes, long[] strides, long offset) =>
        Assert.Contains("expected one within the 4 elements of its storage",
            Refused(Archive(Whole(Tensor(sizes, strides, offset)))), StringComparison.Ordinal);

    [Theory]
    [InlineData(new long[] { 2 }, new long[] { -1 }, "size 2 with stride -1")]
    [InlineData(new long[] { -2 }, new long[] { 1 }, "size -2 with stride 1")]
    [InlineData(new long[] { 2 }, new long[] { 1, 1 }, "a tensor of 1 sizes and 2 strides")]
    [InlineData(new[] { 1L << 40, 1L << 40 }, new long[] { 0, 0 }, "expected fewer than 2⁶³ bits in all")]
    [InlineData(new[] { 1L << 62 }, new long[] { 0 }, "expected fewer than 2⁶³ bits in all")]
    public void Sizes_that_cannot_be_are_refused(long[] sizes, long[] strides, string found) =>
        Assert.Contains(found, Refused(Archive(Whole(Tensor(sizes, strides)))), StringComparison.Ordinal);

    // torch.randn(3, dtype=torch.complex64).conj().imag has the numbers of another tensor, and this mark.
    [Theory, InlineData(0x88, true), InlineData(0x89, false)]
    public void A_tensor_with_negated_values_is_not_read_without_its_sign(byte value, bool isRefused)
    {
        byte[] marked = Archive(Whole(Call("torch._utils", "_rebuild_tensor_v2", Storage("0", 4), Number(0),
            Tuple(Number(2)), Tuple(Number(1)), [0x89], Call("collections", "OrderedDict"),
            Dictionary(("neg", [value])))));
        if (isRefused)
        {
            Assert.Contains("values are marked 'neg', not stored", Refused(marked), StringComparison.Ordinal);
            return;
        }
        File.WriteAllBytes(Weights, marked);
        Assert.Equal([0, -0f], PyTorchFile.Load(Weights)["value"].ToArray<float>());
    }

    [Theory]
    [InlineData(5, "found 16 bytes of storage 0, expected 20 bytes: 5 of float32")]
    [InlineData(3, "found 16 bytes of storage 0, expected 12 bytes: 3 of float32")]
    [InlineData(-1, "found a storage of -1 elements of torch.FloatStorage")]
    [InlineData(1L << 60, "found a storage of 1152921504606846976 elements of torch.FloatStorage")]
    public void A_storage_of_another_length_is_refused(long count, string found) =>
        Assert.Contains(found, Refused(Archive(Whole(Tensor([1], [1], count: count)))), StringComparison.Ordinal);

    [Fact]
    public void Storages_and_notes_that_do_not_fit_are_refused()
    {
        var program = Whole(Dictionary(("a", Tensor([1], [1])), ("b", Tensor([1], [1], count: 3))));
        Assert.Contains("found a second storage 0, of 3 elements of float32, expected 4 of float32", Refused(
            Archive(program)), StringComparison.Ordinal);
        program = Whole(Tensor([4], [1]));
        Assert.Contains("found no storage ../../1, expected 16 bytes", Refused(
            Archive(Whole(Tensor([4], [1], key: "../../1")))), StringComparison.Ordinal);
        Assert.Contains("found byte order 'middle', expected little or big", Refused(
            Archive(program, ("byteorder", "middle"u8.ToArray()))), StringComparison.Ordinal);
        Assert.Contains("found version '11' of the format, expected 1 to 10", Refused(
            Archive(program, ("version", "11\n"u8.ToArray()))), StringComparison.Ordinal);
        Assert.Contains("found a TorchScript archive, which is a program, expected a state dictionary; in Python: "
            + "torch.save(torch.jit.load(path).state_dict(), other)", Refused(
                Archive(program, ("constants.pkl", [0x80, 2, (byte)')', (byte)'.']))), StringComparison.Ordinal);
        Assert.Contains("found a storage without a tensor at value", Refused(Archive(Whole(Storage("0", 4)))),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_file_does_not_become_a_large_tensor()
    {
        // All elements of an axis are one; and 100 million windows that overlap.
        File.WriteAllBytes(Weights, Archive(Whole(Dictionary(("spread", Tensor([100_000_000, 2], [0, 1])),
            ("windows", Tensor([2, 2, 2, 2, 2], [0, 0, 1, 0, 1]))))));
        var before = GC.GetAllocatedBytesForCurrentThread();
        var loaded = PyTorchFile.Load(Weights);
        Assert.Equal((int[])[100_000_000, 2], loaded["spread"].Shape);
        Assert.Equal([0, -0f], loaded["spread"].Slice(0, 99_999_999, 1).ToArray<float>());
        Assert.Equal(8, loaded["spread"].Storage.Bytes.Length);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        // Many tensors over one storage, each of them a copy.
        var storage = new byte[4 << 20];
        File.WriteAllBytes(Weights, Archive(Whole(Dictionary(Enumerable.Range(0, 100).Select(i =>
            ($"{i}", Tensor([(1 << 20) - i], [1], count: 1 << 20))))), ("data/0", storage)));
        var error = Assert.Throws<DataFormatException>(() => PyTorchFile.Load(Weights));
        Assert.Contains("found tensors that overlap, of 419410600 bytes in all", error.Message,
            StringComparison.Ordinal);
        using var file = TensorFile.Open(Weights);
        Assert.Equal((1 << 20) - 99, file.Load("99").Length);
    }

    [Theory, InlineData("alone"), InlineData("alone-old")]
    public void A_file_that_is_cut_is_refused(string name)
    {
        var bytes = PyTorchGolden.Of(name).Bytes;
        for (var length = 0; length < bytes.Length; length++) Refused(bytes[..length]);
    }

    [Theory, InlineData("rebuild"), InlineData("packed"), InlineData("protocol4-old")]
    public void A_file_that_is_changed_anywhere_is_refused_or_read(string name)
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var (random, bytes) = (new Random(seed), PyTorchGolden.Of(name).Bytes);
        for (var at = 0; at < bytes.Length; at += random.Next(1, 5))
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(Weights, damaged);
            var error = Record.Exception(() => PyTorchFile.Load(Weights, convert: true));
            Assert.True(error is null or DataFormatException, $"{at}: {error}");
        }
    }

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("89504e470d0a1a0a0000000d49484452", "the bytes 89504e470d0a1a0a")]
    [InlineData("7f454c4602010100", "the bytes 7f454c4602010100")]
    [InlineData("02000000000000007b7d", "the bytes 0200000000000000")]
    [InlineData("8004950500000000000000", "the end, expected more of a pickle")]
    [InlineData("80024b012e", "a pickle that is not PyTorch's")]
    [InlineData("504b0506000000000000000000000000000000000000", "an empty archive")]
    public void Foreign_files_are_refused(string bytes, string found) =>
        Assert.Contains($"found {found}", Refused(Convert.FromHexString(bytes)), StringComparison.Ordinal);

    [Fact]
    public void Archives_that_are_not_pytorchs_are_refused()
    {
        Assert.Contains("without data.pkl, expected NAME/data.pkl, as torch.save writes it; NpzFile reads NumPy's .npz",
            Refused(NumpyGoldens.Of("stored").Bytes), StringComparison.Ordinal);
        var tar = new byte[1024];
        "ustar"u8.CopyTo(tar.AsSpan(257));
        Assert.Contains("found a tar archive, as PyTorch wrote it before 0.2", Refused(tar), StringComparison.Ordinal);
        var program = Whole(Tensor([4], [1]));
        Assert.Contains("found a second entry of this name, expected one",
            Refused(Zipped(("x/data.pkl", program), ("x/data.pkl", program))), StringComparison.Ordinal);
        Assert.Contains("without data.pkl", Refused(Zipped(("data.pkl", program))), StringComparison.Ordinal);
        Assert.Contains("found no version", Refused(Zipped(("x/data.pkl", program))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bomb_is_refused_before_it_is_unpacked()
    {
        // 16 bytes are wanted of 100 million.
        var bytes = Zipped(("x/data.pkl", Whole(Tensor([4], [1]))), ("x/version", "3"u8.ToArray()),
            ("x/data/0", new byte[100_000_000]));
        Assert.InRange(bytes.Length, 0, 1_000_000);
        File.WriteAllBytes(Weights, bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("found 100000000 bytes of storage 0, expected 16 bytes", Assert.Throws<DataFormatException>(
            () => PyTorchFile.Load(Weights)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Damage_is_found_where_it_is_and_nowhere_else()
    {
        var bytes = Archive(Whole(Dictionary(("a", Tensor([4], [1])), ("b", Tensor([4], [1], key: "1")))),
            ("data/1", [.. "elements of it.."u8]));
        var at = bytes.AsSpan().IndexOf("elements of it.."u8);
        bytes[at] ^= 1;
        File.WriteAllBytes(Weights, bytes);
        using var file = TensorFile.Open(Weights);
        Assert.Equal([0, -0f, 4, 1.5f], file.Load("a").ToArray<float>());
        Assert.Contains("x.pt(x/data/1), offset 0: found contents of checksum",
            Assert.Throws<DataFormatException>(() => file.Load("b")).Message, StringComparison.Ordinal);
    }

    private static byte[] Zipped(params (string Name, byte[] Bytes)[] entries)
    {
        using var memory = new MemoryStream();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, bytes) in entries)
            {
                using var content = archive.CreateEntry(name).Open();
                content.Write(bytes);
            }
        return memory.ToArray();
    }

    private string Refused(byte[] bytes)
    {
        File.WriteAllBytes(Weights, bytes);
        var error = Record.Exception(() => PyTorchFile.Load(Weights));
        Assert.True(error is DataFormatException, $"{error?.ToString() ?? "no error"}");
        Assert.StartsWith(Weights, error!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        return error.Message;
    }
}
