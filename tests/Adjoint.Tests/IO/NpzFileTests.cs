using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

public sealed class NpzFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    private string Archive => Path.Combine(folder, "x.npz");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData("stored"), InlineData("deflated")]
    public void What_numpy_wrote_is_read(string name)
    {
        File.WriteAllBytes(Archive, NumpyGoldens.Of(name).Bytes);
        var loaded = NpzFile.Load(Archive);
        Assert.Equal(["first", "second", "truth"], loaded.Keys);
        Assert.Equal((int[])[2, 3], loaded["first"].Shape);
        Assert.Equal([0f, 1, 2, 3, 4, 5], loaded["first"].ToArray<float>());
        Assert.Equal([1L, -1, 1L << 40], loaded["second"].ToArray<long>());
        Assert.True(loaded["truth"].ToArray<bool>()[0]);
        Assert.Equal([("first", "f4"), ("second", "i8"), ("truth", "b1")],
            NpzFile.Inspect(Archive).Select(entry => (entry.Name, entry.Type)));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void What_is_saved_is_loaded_and_the_same_bytes_each_time(bool compress)
    {
        var tensors = new Dictionary<string, Tensor>
        {
            ["w"] = Tensor.From(new[,] { { 1f, 2 }, { 3, 4 } }).Transpose(),
            ["layers/0.weight"] = Tensor.From(new[] { 0.1 }),
            ["größe"] = Tensor.From(new long[] { 7 }),
            ["empty"] = Tensor.Zeros(0, 3),
        };
        NpzFile.Save(Archive, tensors, compress);
        var bytes = File.ReadAllBytes(Archive);
        var loaded = NpzFile.Load(Archive);
        Assert.Equal(["empty", "größe", "layers/0.weight", "w"], loaded.Keys.Order(StringComparer.Ordinal));
        Assert.Equal([1f, 3, 2, 4], loaded["w"].ToArray<float>());
        Assert.Equal(0.1, loaded["layers/0.weight"].Item());
        Assert.Equal(7, loaded["größe"].Item<long>());
        Assert.Equal((int[])[0, 3], loaded["empty"].Shape);
        NpzFile.Save(Archive, tensors, compress);
        Assert.Equal(bytes, File.ReadAllBytes(Archive));
        Assert.Equal([Archive], Directory.GetFiles(folder));
    }

    [Fact]
    public void Numpy_gives_every_type_back_with_its_axes_and_bytes_turned_round()
    {
        var tensors = new[] { DType.Float64, DType.Float32, DType.Float16, DType.Int64, DType.Int32, DType.UInt8,
            DType.Bool }.ToDictionary(type => type.Label(), type => Tensor.Arange(24).Reshape(2, 3, 4).To(type));
        tensors["scalar"] = Tensor.Scalar(7);
        tensors["empty"] = Tensor.Zeros(3, 0, 2);
        NpzFile.Save(Archive, tensors);
        const string script = "import sys,numpy\nf=numpy.load(sys.argv[1])\n"
            + "assert all(f[n].flags.c_contiguous for n in f)\n"
            + "numpy.savez(sys.argv[1],**{n:numpy.asfortranarray(f[n]).astype(f[n].dtype.newbyteorder('>')) "
            + "if f[n].ndim else f[n] for n in f.files})\nprint(len(f.files))";
        Assert.Equal("9", Python(script, Archive));
        using var file = TensorFile.Open(Archive);
        foreach (var (name, tensor) in tensors) Assert.True(tensor.HasBitsOf(file.Load(name)), name);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Numpy_reads_what_is_saved(bool compress)
    {
        NpzFile.Save(Archive, new Dictionary<string, Tensor>
        {
            ["w"] = Tensor.From(new[,] { { 1f, 2 }, { 3, 4 } }).Transpose(),
            ["n"] = Tensor.From(new byte[] { 1, 255 }),
        }, compress);
        const string script = "import sys,numpy\nf=numpy.load(sys.argv[1])\n"
            + "print({n:(f[n].dtype.str,f[n].tolist()) for n in sorted(f.files)})";
        Assert.Equal("{'n': ('|u1', [1, 255]), 'w': ('<f4', [[1.0, 3.0], [2.0, 4.0]])}", Python(script, Archive));
    }

    [Fact]
    public void An_archive_cut_or_changed_anywhere_is_refused_or_reads_the_same()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        foreach (var name in (string[])["stored", "deflated"])
        {
            var bytes = NumpyGoldens.Of(name).Bytes;
            for (var length = 0; length < bytes.Length; length++) Fails(bytes[..length]);
            for (var at = 0; at < bytes.Length; at++)
            {
                var damaged = bytes.ToArray();
                damaged[at] ^= (byte)(1 << random.Next(8));
                File.WriteAllBytes(Archive, damaged);
                try
                {
                    // What nothing depends on: times, systems, the names' own marks.
                    Assert.Equal([0f, 1, 2, 3, 4, 5], NpzFile.Load(Archive).First().Value.ToArray<float>());
                }
                catch (DataFormatException error)
                {
                    Assert.DoesNotContain('\n', error.Message);
                }
            }
        }
    }

    [Fact]
    public void A_bomb_is_refused_before_it_is_unpacked()
    {
        var header = Encoding.Latin1.GetBytes("{'descr': '|u1', 'fortran_order': False, 'shape': (100000000,), }");
        using (var archive = ZipFile.Open(Archive, ZipArchiveMode.Create))
            for (var i = 0; i < 3; i++)
            {
                using var content = archive.CreateEntry($"{i}.npy").Open();
                content.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header]);
                for (var part = 0; part < 100; part++) content.Write(new byte[1_000_000]);
            }
        Assert.InRange(new FileInfo(Archive).Length, 0, 1_000_000);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("x.npz(1.npy), offset 0: found 200000150 unpacked bytes up to here, expected at most "
            + "150000000; call NpzFile.Load with a larger maxBytes", Assert.Throws<DataFormatException>(
                () => NpzFile.Load(Archive, maxBytes: 150_000_000)).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Equal([100_000_000L], NpzFile.Inspect(Archive)[2].Sizes);
    }

    [Fact]
    public void An_entry_that_is_no_array_appears_twice_or_has_no_name_is_refused()
    {
        var array = NumpyGoldens.Of("<f4").Bytes;
        Assert.Contains("(readme.txt), offset 0: found an entry that is no array, expected entries NAME.npy alone",
            Of(("a.npy", array), ("readme.txt", [1])), StringComparison.Ordinal);
        Assert.Contains("(a.npy), offset 0: found a second entry of this name, expected one",
            Of(("a.npy", array), ("a.npy", array)), StringComparison.Ordinal);
        Assert.Contains("(.npy), offset 0: found an entry that is no array", Of((".npy", array)),
            StringComparison.Ordinal);
        Assert.Contains("objects are pickles", Of(("a.npy", array), ("o.npy", NumpyGoldens.Of("objects").Bytes)),
            StringComparison.Ordinal);
        Assert.Contains("the name of a tensor is empty", Assert.Throws<AdjointException>(() =>
            NpzFile.Save(Archive, new Dictionary<string, Tensor> { [""] = Tensor.Ones(1) })).Message,
            StringComparison.Ordinal);

        string Of(params (string Name, byte[] Bytes)[] entries)
        {
            File.Delete(Archive);
            using (var archive = ZipFile.Open(Archive, ZipArchiveMode.Create))
                foreach (var (name, bytes) in entries)
                {
                    using var content = archive.CreateEntry(name).Open();
                    content.Write(bytes);
                }
            return Fails(File.ReadAllBytes(Archive));
        }
    }

    private string Fails(byte[] bytes)
    {
        File.WriteAllBytes(Archive, bytes);
        var error = Record.Exception(() => NpzFile.Load(Archive));
        Assert.True(error is DataFormatException, $"{error?.ToString() ?? "no error"}");
        Assert.StartsWith(Archive, error!.Message, StringComparison.Ordinal);
        return error.Message;
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
        if (error.Contains("No module named 'numpy'", StringComparison.Ordinal))
            Assert.Skip("skipped: Python has no NumPy (Debian: python3-numpy)");
        Assert.Equal("", error);
        return output.Trim();
    }
}
