using System.IO.Compression;
using Adjoint.Data;

namespace Adjoint.Tests.Data;

public sealed class DataTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Synth_has_the_classes_of_its_formula()
    {
        var data = Synth.Create();
        Assert.Equal((60_000, 10_000), (data.Train.Count, data.Validation.Count));
        var labels = data.Train.Labels();
        for (var i = 0; i < 1000; i++)
        {
            var x = data.Train.Sample(i);
            Assert.Equal((double)x[0] * x[0] + 1.5 * x[0] * x[1] + 0.2 * x[1] * x[1] > 0.6 ? 1 : 0, labels[i]);
        }
    }

    [Fact]
    public void An_idx_file_is_read_plain_and_compressed()
    {
        byte[] bytes = [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6];
        foreach (var path in (string[])[Write("plain", bytes), Write("packed", Compress(bytes))])
        {
            var (sizes, values) = IdxFile.Read(path, 2);
            Assert.Equal([2, 3], sizes);
            Assert.Equal([1, 2, 3, 4, 5, 6], values);
        }
    }

    public static TheoryData<string, byte[], string> BadFiles() => new()
    {
        { "empty", [], "offset 0: found the end after 0 bytes, expected a header of 8 bytes" },
        { "magic", [1, 2, 3, 4, 0, 0, 0, 1, 7], "offset 0: found magic 01020304, expected 00000801" },
        { "short", [0, 0, 8, 1, 0, 0, 0, 3, 7, 7],
            "offset 4: found size 3 of axis 0, expected at most 2, what the file can hold" },
        { "short.gz", Compress([0, 0, 8, 1, 0, 0, 0, 3, 7, 7]),
            "offset 10: found the end after 2 values, expected 3 values" },
        { "long", [0, 0, 8, 1, 0, 0, 0, 1, 7, 7], "offset 9: found more data, expected the end" },
        { "huge", [0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff, 7], "offset 4: found size 4294967295 of axis 0" },
        { "bomb", Compress([0, 0, 8, 1, 0x7f, 0xff, 0xff, 0xff, 7]), "offset 4: found size 2147483647 of axis 0" },
        { "broken.gz", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], "found broken gzip data" },
    };

    [Theory, MemberData(nameof(BadFiles))]
    public void A_bad_idx_file_is_refused_with_file_offset_found_expected(string name, byte[] bytes, string message)
    {
        var path = Write(name, bytes);
        var error = Assert.Throws<DataFormatException>(() => IdxFile.Read(path, 1));
        Assert.StartsWith(path + ", offset ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_cifar_files_are_refused()
    {
        for (var batch = 1; batch <= 5; batch++) Write($"data_batch_{batch}.bin", new byte[3073 * 2]);
        Assert.Contains("test_batch.bin",
            Assert.Throws<DataFormatException>(
            () => { Write("data_batch_1.bin", new byte[3073 * 6000]); Cifar10.Load(folder); }).Message,
            StringComparison.Ordinal);
        Write("test_batch.bin", new byte[3073]);
        Assert.Equal((1008, 5000, 1), Cifar10.Load(folder) is var splits
            ? (splits.Train.Count, splits.Validation.Count, splits.Test!.Count)
            : default);
        Write("data_batch_2.bin", new byte[3073 + 1]);
        Assert.Contains("offset 3073: found a length of 3074 bytes, expected a multiple of 3073",
            Assert.Throws<DataFormatException>(() => Cifar10.Load(folder)).Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(folder, "data_batch_3.bin"));
        Write("data_batch_3.bin.gz", Compress(new byte[3073]));
        Assert.Contains("data_batch_3.bin, offset 0: found no file, expected data_batch_3.bin",
            Assert.Throws<DataFormatException>(() => Cifar10.Load(folder)).Message, StringComparison.Ordinal);
        Write("data_batch_3.bin", []);
        Assert.Contains("data_batch_2.bin, offset 3073", Assert.Throws<DataFormatException>(() => Cifar10.Load(folder))
            .Message, StringComparison.Ordinal);
        Write("data_batch_2.bin", new byte[3073]);
        Assert.Contains("data_batch_3.bin, offset 0: found a length of 0 bytes",
            Assert.Throws<DataFormatException>(() => Cifar10.Load(folder)).Message, StringComparison.Ordinal);
        Write("data_batch_3.bin", new byte[3073]);
        var wrong = new byte[3073 * 2];
        wrong[3073] = 10;
        Write("data_batch_2.bin", wrong);
        Assert.Contains("offset 3073: found label 10, expected 0 to 9",
            Assert.Throws<DataFormatException>(() => Cifar10.Load(folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Real_MNIST_and_CIFAR_10_load()
    {
        if (Environment.GetEnvironmentVariable("ADJOINT_DATA") is not { Length: > 0 })
            Assert.Skip("skipped: ADJOINT_DATA is not set");
        var mnist = Mnist.Load(DataFolder.Locate(null, "mnist"));
        Assert.Equal((55_000, 5_000, 10_000), (mnist.Train.Count, mnist.Validation.Count, mnist.Test!.Count));
        Assert.Equal([5, 0, 4, 1, 9], mnist.Train.Labels()[..5].ToArray());
        Assert.Equal(255, Mnist.Load(DataFolder.Locate(null, "mnist"), divisor: 1).Train.Sample(0).ToArray().Max());
        Assert.Equal(0.1307, Enumerable.Range(0, 2000).Average(i => mnist.Train.Sample(i).ToArray().Average()), 0.003);
        var cifar = Cifar10.Load(DataFolder.Locate(null, "cifar10"));
        Assert.Equal((45_000, 5_000, 10_000), (cifar.Train.Count, cifar.Validation.Count, cifar.Test!.Count));
        Assert.Equal([6, 9, 9, 4, 1], cifar.Train.Labels()[..5].ToArray());
    }

    [Fact]
    public void A_loader_gives_every_sample_once_in_an_order_of_seed_and_epoch_alone()
    {
        var data = Numbered(103);
        float[] Order(ulong seed, int prefetch, int epoch) =>
            [.. new DataLoader(data, 10, new() { Shuffle = true, Seed = seed, Prefetch = prefetch }) {
                Epoch = epoch }.SelectMany(batch => batch.Inputs.ToArray<float>())];
        Assert.Equal(Enumerable.Range(0, 103).Select(i => (float)i), Order(1, 2, 0).Order());
        Assert.Equal(Order(1, 0, 0), Order(1, 3, 0));
        Assert.NotEqual(Order(1, 0, 0), Order(1, 0, 1));
        Assert.NotEqual(Order(1, 0, 0), Order(2, 0, 0));
        Assert.Equal(10, new DataLoader(data, 10, new() { DropLast = true }).Count());
        Assert.Equal(3, new DataLoader(data, 10).Last().Count);
    }

    [Fact]
    public void Leaving_a_loader_early_stops_its_thread()
    {
        foreach (var _ in new DataLoader(Numbered(1000), 1, new() { Prefetch = 2 })) break;
        Assert.Throws<AdjointException>(() => new DataLoader(Numbered(3), 0));
    }

    private static TensorDataset Numbered(int count) =>
        new("numbers", (int[])[1], [.. Enumerable.Range(0, count).Select(i => (float)i)], new byte[count], ["only"]);

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Optimal)) gzip.Write(bytes);
        return buffer.ToArray();
    }
}
