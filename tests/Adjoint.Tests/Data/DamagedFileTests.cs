using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Tests.Data;

/// <summary>Files that are cut, lie, or are no files: every reader refuses them at once, in one line.</summary>
public sealed class DamagedFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(new uint[] { 0, 28, 0xffffffff },
        "offset 12: found size 4294967295 of axis 2, expected at most 2147483647")]
    [InlineData(new uint[] { 0, 0xffffffff, 0xffffffff },
        "offset 8: found size 4294967295 of axis 1, expected at most 2147483647")]
    [InlineData(new uint[] { 0x80000000, 1, 1 }, "offset 4: found size 2147483648 of axis 0, expected at most 0")]
    [InlineData(new uint[] { 0xffffffff, 0, 0 }, "offset 4: found size 4294967295 of axis 0")]
    [InlineData(new uint[] { 65536, 65536, 65536 }, "found size 65536 of axis 0")]
    public void Sizes_that_no_file_can_hold_are_refused(uint[] sizes, string message)
    {
        byte[] header = [0, 0, 8, 3, .. sizes.SelectMany(size => BitConverter.GetBytes(size).Reverse())];
        Assert.Contains(message, Refused(Write("plain", header), path => IdxFile.Read(path, 3)),
            StringComparison.Ordinal);
        Refused(Write("packed", Gzip(header)), path => IdxFile.Read(path, 3));
    }

    [Fact]
    public void An_empty_axis_leaves_no_values()
    {
        var (sizes, values) = IdxFile.Read(Write("empty", [0, 0, 8, 2, 0, 0, 0, 0, 127, 255, 255, 255]), 2);
        Assert.Equal([0, int.MaxValue], sizes);
        Assert.Empty(values);
    }

    [Fact]
    public void Gzip_that_is_cut_anywhere_or_followed_by_anything_is_refused()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var values = new byte[300];
        random.NextBytes(values);
        byte[] plain = [0, 0, 8, 1, 0, 0, 1, 44, .. values];
        var sound = Gzip(plain);
        Assert.Equal(values, IdxFile.Read(Write("sound", sound), 1).Values);
        for (var length = 2; length < sound.Length; length++)
            Refused(Write("cut", sound[..length]), path => IdxFile.Read(path, 1));
        byte[] empty = [.. sound[..10], 3, 0, .. new byte[8]];
        byte[][] tails =
            [[0], [1, 2, 3], new byte[8], new byte[100], new byte[100_000], sound[^8..], sound, empty, Gzip([1])];
        foreach (var tail in tails)
            Assert.Contains(" bytes follow its end",
                Refused(Write($"followed by {tail.Length}", [.. sound, .. tail]), path => IdxFile.Read(path, 1)),
                StringComparison.Ordinal);
        // One bit anywhere: noticed, but for what the header says of time and system, the marks of its flags, and the
        // rest of the byte after which values that cannot be packed stand as they are.
        for (var at = 2; at < sound.Length; at++)
            if (at is not (>= 3 and <= 10))
            {
                var damaged = sound.ToArray();
                damaged[at] ^= (byte)(1 << random.Next(8));
                Refused(Write("damaged", damaged), path => IdxFile.Read(path, 1));
            }
    }

    [Fact]
    public void Gzip_with_all_that_its_header_may_hold_is_read()
    {
        var sound = Gzip([0, 0, 8, 1, 0, 0, 0, 2, 5, 6]);
        byte[] header = [.. sound[..3], 2 | 4 | 8 | 16, .. sound[4..10], 3, 0, 1, 2, 3, .. "name\0note\0"u8, 0, 0];
        Assert.Equal([5, 6], IdxFile.Read(Write("all", [.. header, .. sound[10..]]), 1).Values);
        for (var length = 10; length < header.Length; length++)
            Refused(Write("cut", header[..length]), path => IdxFile.Read(path, 1));
    }

    public static TheoryData<string> Readers() => [.. All.Keys];

    // Every reader of files that others name.
    private static readonly Dictionary<string, Action<string>> All = new()
    {
        ["safetensors"] = path => SafeTensors.Load(path),
        ["npy"] = path => NpyFile.Load(path),
        ["npz"] = path => NpzFile.Load(path),
        ["npy data set"] = path => new NpyDataset("x", [("inputs", path)]).Dispose(),
        ["text"] = path => TextFile.Read(path),
        ["idx"] = path => IdxFile.Read(path, 1),
        ["cifar10"] = path =>
        {
            var folder = Path.GetDirectoryName(path)!;
            foreach (var other in (string[])[.. Enumerable.Range(2, 4).Select(i => $"data_batch_{i}"), "test_batch"])
                File.WriteAllBytes(Path.Combine(folder, other + ".bin"), new byte[3073]);
            Cifar10.Load(folder);
        },
        ["experiment"] = path => ExperimentReader.Read(path, new NoProgram()),
        ["json"] = path => JsonFile.Read(path, "anything", json => json.ValueKind),
        ["result"] = path => TrialResult.Load(Path.GetDirectoryName(path)!),
        ["checkpoints"] = path =>
            Assert.Null(new CheckpointStore(Path.GetDirectoryName(path)!)
            .Latest(message => throw new DataFormatException(message))),
    };

    [Theory]
    [MemberData(nameof(Readers))]
    public void What_is_no_file_is_refused_at_once(string reader)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: pipes and devices are made as on Unix");
        var path = Path.Combine(folder,
            reader switch
            {
                "result" => "result.json",
                "cifar10" => "data_batch_1.bin",
                "checkpoints" => "checkpoint-00000001.safetensors",
                _ => "file",
            });
        Shell($"mkfifo {path}");
        Assert.Contains("is a pipe or a device; name a file", Refused(path, All[reader]), StringComparison.Ordinal);
        File.Delete(path);
        foreach (var device in (string[])["/dev/zero", "/dev/null", "/dev/urandom"])
        {
            File.CreateSymbolicLink(path, device);
            Assert.Contains("is a pipe or a device; name a file", Refused(path, All[reader]), StringComparison.Ordinal);
            File.Delete(path);
        }
        // A folder in the place of these is as if there were none.
        if (reader is "result" or "checkpoints" or "cifar10") return;
        Directory.CreateDirectory(path);
        Assert.Contains("is a folder; name a file", Refused(path, All[reader]), StringComparison.Ordinal);
        Assert.Contains(new string('n', 300), Refused(Path.Combine(folder, new string('n', 300)), All[reader]),
            StringComparison.Ordinal);
        Refused("", All[reader]);
    }

    [Theory]
    [MemberData(nameof(Readers))]
    public void What_may_not_be_read_is_refused_by_name(string reader)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: files have other permissions there");
        if (Environment.IsPrivilegedProcess) Assert.Skip("skipped: this user may read everything");
        var path = Path.Combine(folder,
            reader switch
            {
                "result" => "result.json",
                "cifar10" => "data_batch_1.bin",
                "checkpoints" => "checkpoint-00000001.safetensors",
                _ => "file",
            });
        File.WriteAllText(path, "{}");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.None);
        Assert.Contains("may not be read", Refused(path, All[reader]), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"\udc00":1}""")]
    [InlineData("{\"a\":\"\u00ff\"}")]
    [InlineData("""{"a":1}}""")]
    [InlineData("""{"a":1""")]
    [InlineData("")]
    public void Json_that_somebody_edited_is_one_clear_error(string text)
    {
        var path = Write("a.json", Encoding.Latin1.GetBytes(text));
        Assert.Contains("a.json, offset 0: found what does not parse",
            Refused(path, file =>
            JsonFile.Read(file, "settings", json =>
            json.EnumerateObject().Select(entry => entry.Value.ToString()).ToArray())), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_may_begin_with_a_byte_order_mark() =>
        Assert.Equal(7,
            JsonFile.Read(Write("a.json", [.. Encoding.UTF8.Preamble, .. "{\"a\":7}"u8]), "settings", json =>
            json.GetProperty("a").GetInt32()));

    [Theory]
    [InlineData("1 NaN", "1 1")]
    [InlineData("1 Infinity", "1 1")]
    [InlineData("1 1e300", "1 1")]
    [InlineData("1 1,5", "1 1")]
    [InlineData("1 2", "1 -1")]
    [InlineData("1 2", "1 NaN")]
    [InlineData("1 2", "1")]
    [InlineData("1 2", "")]
    public void Statistics_that_no_samples_have_are_refused(string mean, string deviation) =>
        Assert.StartsWith("Standardize: ", Assert.Throws<AdjointException>(() =>
            Adjoint.Nn.Standardize.FromMetadata(new Dictionary<string, string>
            {
                ["standardize.mean"] = mean,
                ["standardize.deviation"] = deviation,
            })).Message, StringComparison.Ordinal);

    private static string Refused(string path, Action<string> read)
    {
        var error = Record.Exception(() => read(path));
        Assert.True(error is DataFormatException, $"{path}: {error?.ToString() ?? "no error"}");
        Assert.DoesNotContain('\n', error!.Message);
        return error.Message;
    }

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] Gzip(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(plain);
        return packed.ToArray();
    }

    private static void Shell(string command)
    {
        using var process = Process.Start("/bin/sh", ["-c", command]);
        process.WaitForExit();
    }

    private sealed class NoProgram : ITrialProgram
    {
        public IReadOnlyList<Setting> Settings => [];

        public IReadOnlyList<(string Name, string Value)> Complete(IReadOnlyDictionary<string, string> settings) => [];

        public double Cost(IReadOnlyDictionary<string, string> settings) => 1;

        public int Epochs(IReadOnlyDictionary<string, string> settings) => 1;

        public string Command(IReadOnlyDictionary<string, string> settings) => "";

        public TrialOutcome Run(TrialTask task) => throw new NotSupportedException();

        public void Forget(string folder) { }
    }
}
