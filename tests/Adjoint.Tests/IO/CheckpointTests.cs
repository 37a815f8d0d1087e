using Adjoint.IO;

namespace Adjoint.Tests.IO;

public sealed class CheckpointTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void The_last_few_are_kept_and_the_latest_is_read()
    {
        var store = new CheckpointStore(folder, keep: 2);
        for (var i = 1; i <= 4; i++) Write(store, i);
        Assert.Equal(["checkpoint-00000003.safetensors", "checkpoint-00000004.safetensors"], Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        var (tensors, notes) = store.Latest(Assert.Fail)!.Value;
        Assert.Equal((4, "4"), (tensors["w"].ItemAt(0), notes["number"]));
        store.Clear();
        Assert.Empty(Directory.GetFiles(folder));
        Assert.Null(store.Latest(Assert.Fail));
    }

    [Fact]
    public void Any_damage_is_noticed_and_the_one_before_serves()
    {
        var store = new CheckpointStore(folder);
        Write(store, 1);
        Write(store, 2);
        var path = Path.Combine(folder, "checkpoint-00000002.safetensors");
        var sound = File.ReadAllBytes(path);
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        // Every byte of the header, and of the data, one bit at a time; and every length.
        for (var at = 0; at < sound.Length; at++)
        {
            var damaged = sound.ToArray();
            damaged[at] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, damaged);
            Falls($"byte {at}");
            File.WriteAllBytes(path, sound[..at]);
            Falls($"{at} bytes");
        }
        File.WriteAllBytes(path, [.. sound, 0]);
        Falls("a byte too many");

        void Falls(string damage)
        {
            var warnings = new List<string>();
            var found = store.Latest(warnings.Add);
            Assert.True(found is { } state && state.Notes["number"] == "1", damage);
            Assert.Contains("checkpoint-00000002.safetensors", Assert.Single(warnings), StringComparison.Ordinal);
            Assert.EndsWith("; going back to the checkpoint before it", warnings[0], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_write_that_fails_leaves_those_before_and_nothing_half_written()
    {
        var store = new CheckpointStore(folder, keep: 1);
        Write(store, 1);
        // What a full disk does, at the same place: the stream refuses.
        Assert.Throws<IOException>(() => AtomicFile.Write(Path.Combine(folder, "checkpoint-00000002.safetensors"), stream =>
        {
            stream.WriteByte(1);
            throw new IOException("No space left on device");
        }));
        Assert.Equal(["checkpoint-00000001.safetensors"], Directory.GetFiles(folder).Select(Path.GetFileName));
        Assert.Equal("1", store.Latest(Assert.Fail)!.Value.Notes["number"]);
    }

    [Fact]
    public void A_full_disk_is_one_clear_failure_and_nothing_is_lost()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("a small file system is mounted as on Linux");
        var disk = Path.Combine(folder, "disk");
        Directory.CreateDirectory(disk);
        if (Shell($"mount -t tmpfs -o size=64k adjoint {disk}") != 0) Assert.Skip("mounting needs a privilege that this user lacks");
        try
        {
            var store = new CheckpointStore(disk, keep: 2);
            store.Write(new Dictionary<string, Tensor> { ["w"] = Tensor.Zeros(5_000) }, new Dictionary<string, string> { ["number"] = "1" });
            var error = Assert.ThrowsAny<IOException>(() => store.Write(new Dictionary<string, Tensor> { ["w"] = Tensor.Zeros(15_000) }, new Dictionary<string, string>()));
            Assert.Contains("o space left", error.Message, StringComparison.Ordinal);
            Assert.Equal(["checkpoint-00000001.safetensors"], Directory.GetFiles(disk).Select(Path.GetFileName));
            Assert.Equal("1", store.Latest(Assert.Fail)!.Value.Notes["number"]);
        }
        finally
        {
            Shell($"umount {disk}");
        }
    }

    [Fact]
    public void A_folder_has_one_holder_who_is_named()
    {
        using (FolderLock.Take(folder))
        {
            var error = Assert.Throws<AdjointException>(() => FolderLock.Take(folder));
            Assert.Contains($"in use by process {Environment.ProcessId} on {Environment.MachineName}, since ", error.Message, StringComparison.Ordinal);
        }
        Assert.Empty(Directory.GetFiles(folder));
        // What a killed holder leaves: the names of lock and holder, and half a file.
        foreach (var name in (string[])[".lock", ".holder", "model.safetensors.77.tmp"]) File.WriteAllText(Path.Combine(folder, name), "process 77");
        Directory.CreateDirectory(Path.Combine(folder, "figures"));
        File.WriteAllText(Path.Combine(folder, "figures", "figure-1.svg.77.tmp"), "<sv");
        File.WriteAllText(Path.Combine(folder, "mine.tmp"), "not ours");
        using (FolderLock.Take(folder)) { }
        Assert.Equal(["mine.tmp"], Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    [Fact]
    public void A_folder_that_may_not_be_written_to_is_named() =>
        Assert.Contains("/proc/adjoint: cannot be written to: ", Assert.Throws<AdjointException>(() => FolderLock.Take("/proc/adjoint")).Message, StringComparison.Ordinal);

    private static void Write(CheckpointStore store, int number) =>
        store.Write(new Dictionary<string, Tensor> { ["w"] = Tensor.From(new[] { (float)number, 0.5f }) }, new Dictionary<string, string> { ["number"] = $"{number}" });

    private static int Shell(string command)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}
