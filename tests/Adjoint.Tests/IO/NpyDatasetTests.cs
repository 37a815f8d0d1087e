using System.Diagnostics;
using Adjoint.Data;
using Adjoint.IO;

namespace Adjoint.Tests.IO;

public sealed class NpyDatasetTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Rows_are_read_as_they_are_asked_for()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var x = Tensor.Randn([200, 3, 2], new Generator((ulong)seed));
        var y = Tensor.From([.. Enumerable.Range(0, 200).Select(i => i % 7L)]);
        NpyFile.Save(In("x.npy"), x);
        NpyFile.Save(In("y.npy"), y);
        using var data = new NpyDataset("disk", [("inputs", In("x.npy")), ("targets", In("y.npy"))]);
        Assert.Equal((200, DType.Int64), (data.Count, data.FieldOf("targets").DType));
        for (var run = 0; run < 20; run++)
        {
            // Neighbors, jumps, the same row twice.
            var at = random.Next(190);
            int[] rows = [random.Next(200), at, at + 1, at + 2, at, random.Next(200)];
            var batch = data.Load(rows);
            Assert.Equal((Shape)(int[])[6, 3, 2], batch.Inputs.Shape);
            Assert.Equal(rows.SelectMany(row => x[row].Reshape(-1).ToArray<float>()),
                batch.Inputs.Reshape(-1).ToArray<float>());
            Assert.Equal(rows.Select(row => row % 7L), batch.Targets.ToArray<long>());
        }
        Assert.Equal(x[7].Reshape(-1).ToArray<float>(), data[7]["inputs"].Reshape(-1).ToArray<float>());
        Assert.Equal(y.ToArray<long>(), data.Column("targets").ToArray<long>());
        var order = new DataLoader(data, 32, new() { Shuffle = true, Seed = 3, Workers = 2 })
            .SelectMany(batch => batch.Targets.ToArray<long>()).ToArray();
        Assert.Equal(new Generator(3, 0).Permutation(200).Select(i => i % 7L), order);
    }

    // In more types than tensors have, in both byte orders.
    [Theory]
    [InlineData(">f4"), InlineData("<f8"), InlineData("|b1"), InlineData("<u2"), InlineData(">i2"), InlineData("<i8")]
    public void Every_type_and_byte_order_gives_what_the_whole_file_gives(string name)
    {
        File.WriteAllBytes(In("x.npy"), NumpyGoldens.Of(name).Bytes);
        var whole = NpyFile.Load(In("x.npy"), convert: true);
        using var data = new NpyDataset("disk", [("inputs", In("x.npy"))], convert: true);
        int[] rows = [.. Enumerable.Range(0, data.Count).Reverse()];
        Assert.Equal(whole.DType, data.Fields[0].DType);
        Assert.Equal(rows.SelectMany(row => whole[row].Reshape(-1).To(DType.Float64).ToArray<double>()),
            data.Load(rows).Inputs.Reshape(-1).To(DType.Float64).ToArray<double>());
    }

    [Fact]
    public void A_file_far_larger_than_what_is_read_takes_no_memory()
    {
        // 4 GiB of zeros that take no room on disk, and two rows that are not.
        const long rows = 1L << 22;
        var header = NpyFileTests.Header(
            $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 256), }}".PadRight(117) + "\n", []);
        using (var file = File.Create(In("x.npy")))
        {
            file.Write(header);
            file.SetLength(header.Length + rows * 1024);
            file.Position = header.Length + (rows - 1) * 1024;
            file.Write(BitConverter.GetBytes(5f));
        }
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var data = new NpyDataset("huge", [("inputs", In("x.npy"))]);
        var batch = data.Load((int)rows - 1, 0);
        Assert.Equal([5f, 0], batch.Inputs.Select(1, 0).ToArray<float>());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Contains("for a tensor; NpyDataset reads .npy files row by row", Assert.Throws<DataFormatException>(() =>
            NpyFile.Load(In("x.npy"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_has_no_samples_is_refused()
    {
        NpyFile.Save(In("x.npy"), Tensor.Zeros(3, 2));
        NpyFile.Save(In("y.npy"), Tensor.Zeros(4));
        string Fails(params (string, string)[] files) =>
            Assert.ThrowsAny<AdjointException>(() => new NpyDataset("disk", files)).Message;
        Assert.Contains($"y.npy, offset 0: found 4 samples, expected 3, those of {In("x.npy")}",
            Fails(("inputs", In("x.npy")), ("targets", In("y.npy"))), StringComparison.Ordinal);
        Assert.Contains("the field 'x' stands there twice", Fails(("x", In("x.npy")), ("x", In("x.npy"))),
            StringComparison.Ordinal);
        Assert.Contains("at least one file is needed", Fails(), StringComparison.Ordinal);
        File.WriteAllBytes(In("z.npy"), NumpyGoldens.Of("fortran2").Bytes);
        Assert.Contains("save numpy.ascontiguousarray(x)", Fails(("x", In("z.npy"))), StringComparison.Ordinal);
        File.WriteAllBytes(In("z.npy"), NumpyGoldens.Of("scalar").Bytes);
        Assert.Contains("found an array of shape (), expected the samples along a first axis",
            Fails(("x", In("z.npy"))), StringComparison.Ordinal);
        File.WriteAllBytes(In("z.npy"), NumpyGoldens.Of("<u2").Bytes);
        Assert.Contains("convert: true makes u2 int32", Fails(("x", In("z.npy"))), StringComparison.Ordinal);
        File.WriteAllBytes(In("z.npy"), NumpyGoldens.Of("objects").Bytes);
        Assert.Contains("objects are pickles", Fails(("x", In("z.npy"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_cut_after_it_was_opened_is_an_error_at_its_sample()
    {
        NpyFile.Save(In("x.npy"), Tensor.Zeros(100, 2));
        using var data = new NpyDataset("disk", [("inputs", In("x.npy"))]);
        // By another program, which asks nobody.
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: an open file cannot be cut there");
        using (var process = Process.Start("truncate", ["-s", $"{128 + 50 * 8}", In("x.npy")])) process.WaitForExit();
        Assert.Equal(2, data.Load(48, 49).Count);
        Assert.Contains("x.npy, offset 528: found the end: it became shorter after it was opened",
            Assert.Throws<DataFormatException>(() => data.Load(49, 50)).Message, StringComparison.Ordinal);
    }

    private string In(string name) => Path.Combine(folder, name);
}
