using Adjoint.IO;
using Adjoint.Training;

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
        Assert.Equal(["checkpoint-00000003.safetensors", "checkpoint-00000004.safetensors"], Directory.GetFiles(folder)
            .Select(Path.GetFileName).Order());
        var (tensors, notes) = store.Latest(Assert.Fail)!.Value;
        Assert.Equal((4, "4"), (tensors["w"].ItemAt(0), notes["number"]));
        store.Clear();
        Assert.Empty(Directory.GetFiles(folder));
        Assert.Null(store.Latest(Assert.Fail));
    }

    [Fact]
    public void A_folder_that_is_not_there_has_no_states_and_is_made_for_the_first()
    {
        var store = new CheckpointStore(Path.Combine(folder, "a", "run"));
        Assert.False(store.HasStates);
        Assert.Null(store.Latest(Assert.Fail));
        store.Clear();
        Assert.False(Directory.Exists(Path.Combine(folder, "a")));
        store.Write(new Dictionary<string, Tensor> { ["x"] = Tensor.From([7f]) }, new Dictionary<string, string>());
        Assert.Equal(7, store.Latest(Assert.Fail)!.Value.Tensors["x"].Item());
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
        Assert.Throws<IOException>(
            () => AtomicFile.Write(Path.Combine(folder, "checkpoint-00000002.safetensors"), stream =>
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
        if (!OperatingSystem.IsLinux()) Assert.Skip("skipped: a small file system is mounted as on Linux");
        var disk = Path.Combine(folder, "disk");
        Directory.CreateDirectory(disk);
        if (Shell($"mount -t tmpfs -o size=64k adjoint {disk}") != 0)
            Assert.Skip("skipped: mounting needs a privilege that this user lacks");
        try
        {
            var store = new CheckpointStore(disk, keep: 2);
            store.Write(new Dictionary<string, Tensor> { ["w"] = Tensor.Zeros(5_000) },
                new Dictionary<string, string> { ["number"] = "1" });
            var error =
                Assert.ThrowsAny<IOException>(
                () => store.Write(new Dictionary<string, Tensor> { ["w"] = Tensor.Zeros(15_000) },
                    new Dictionary<string, string>()));
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
            Assert.Contains($"in use by process {Environment.ProcessId} on {Environment.MachineName}, since ",
                error.Message, StringComparison.Ordinal);
        }
        Assert.Empty(Directory.GetFiles(folder));
        // What a killed holder leaves: the names of lock and holder.
        foreach (var name in (string[])[".lock", ".holder"])
            File.WriteAllText(Path.Combine(folder, name), "process 77");
        using (FolderLock.Take(folder)) { }
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void Taking_a_folder_removes_only_what_dead_processes_left_half_written_directly_in_it()
    {
        using var ended =
            System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("dotnet", ["--version"]) { RedirectStandardOutput = true })!;
        ended.StandardOutput.ReadToEnd();
        ended.WaitForExit();
        string Temporary(int process, string machine) => $".adjoint-{process}-1-{machine}.tmp";
        var (own, outside) = (Path.Combine(folder, "own"), Path.Combine(folder, "outside"));
        foreach (var below in (string[])[own, Path.Combine(own, "figures"), outside]) Directory.CreateDirectory(below);
        File.WriteAllText(Path.Combine(own, Temporary(ended.Id, Environment.MachineName)), "{");
        string[] others =
        [
            // Files of others that are called like those of version 0.1; of a process that lives; of another machine;
            // in a folder below; outside, behind links.
            Path.Combine(own, "report.html.77.tmp"), Path.Combine(own, "2026.tmp"), Path.Combine(own, "mine.tmp"),
                Path.Combine(own, $".adjoint-notes-{ended.Id}.tmp"),
            Path.Combine(own, Temporary(Environment.ProcessId, Environment.MachineName)),
                Path.Combine(own, Temporary(ended.Id, "elsewhere")),
            Path.Combine(own, "figures", Temporary(ended.Id, Environment.MachineName)),
                Path.Combine(own, "figures", "a.77.tmp"),
            Path.Combine(outside, Temporary(ended.Id, Environment.MachineName)), Path.Combine(outside, "b.77.tmp"),
        ];
        foreach (var other in others) File.WriteAllText(other, "not ours");
        Directory.CreateSymbolicLink(Path.Combine(own, "linked"), outside);
        var link = Path.Combine(own, $".adjoint-{ended.Id}-2-{Environment.MachineName}.tmp");
        File.CreateSymbolicLink(link, others[0]);
        using (FolderLock.Take(own)) { }
        Assert.Equal(others.Append(link).Order(StringComparer.Ordinal),
            Directory.GetFiles(folder, "*",
            new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Where(path => !path.StartsWith(Path.Combine(own, "linked"), StringComparison.Ordinal))
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Half_written_files_are_removed_also_where_their_number_lives_again_or_nobody_asked_how_it_ended()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("skipped: needs a process that is dead and not yet waited for");
        // In a container every process may have the number that this one has.
        var own = Path.Combine(folder, $".adjoint-{Environment.ProcessId}-1-{Environment.MachineName}.tmp");
        File.WriteAllText(own, "{");
        using var self = System.Diagnostics.Process.GetCurrentProcess();
        File.SetLastWriteTimeUtc(own, self.StartTime.ToUniversalTime().AddMinutes(-1));
        using var parent = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("/bin/sh", ["-c", "true & echo $!; exec sleep 60"])
            {
                RedirectStandardOutput = true,
            })!;
        var dead = Path.Combine(folder, $".adjoint-{parent.StandardOutput.ReadLine()}-1-{Environment.MachineName}.tmp");
        Thread.Sleep(300);
        File.WriteAllText(dead, "{");
        using (FolderLock.Take(folder)) { }
        parent.Kill();
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public void A_folder_that_somebody_removes_hides_no_reason_of_its_holders_end()
    {
        var removed = Path.Combine(folder, "removed");
        using (FolderLock.Take(removed)) Directory.Delete(removed, recursive: true);
        Assert.False(Directory.Exists(removed));
    }

    [Fact]
    public void What_cannot_be_written_is_named_once()
    {
        var path = Path.Combine(folder, "taken");
        Directory.CreateDirectory(path);
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        foreach (var name in (string[])[path, relative])
        {
            var message = Assert.ThrowsAny<IOException>(() => AtomicFile.WriteText(name, "")).Message;
            Assert.StartsWith($"{name}: cannot be written: ", message, StringComparison.Ordinal);
            Assert.DoesNotContain(path, message[name.Length..], StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_process_that_is_killed_while_it_writes_leaves_what_the_next_holder_removes()
    {
        var path = Path.Combine(folder, "target");
        var during = Array.Empty<string?>();
        AtomicFile.WriteText(path, "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(path, _ =>
        {
            during = [.. Directory.GetFiles(folder).Select(Path.GetFileName).Order()];
            throw new InvalidOperationException();
        }));
        Assert.Equal(2, during.Length);
        Assert.StartsWith($".adjoint-{Environment.ProcessId}-", during[0], StringComparison.Ordinal);
        Assert.Equal([path], Directory.GetFiles(folder));
        Assert.Equal("old", File.ReadAllText(path));
        // The longest name that a file may have can be written too.
        var longest = Path.Combine(folder, new string('n', 255));
        AtomicFile.WriteText(longest, "there");
        Assert.Equal("there", File.ReadAllText(longest));
    }

    [Fact]
    public void Of_many_that_make_a_file_at_once_one_succeeds()
    {
        const int many = 8;
        using var start = new Barrier(many);
        var made = new int[200];
        var threads = Enumerable.Range(0, many).Select(number => new Thread(() =>
        {
            for (var round = 0; round < made.Length; round++)
            {
                start.SignalAndWait();
                if (AtomicFile.TryCreate(Path.Combine(folder, $"{round}"), file => file.WriteByte((byte)number)))
                    Interlocked.Increment(ref made[round]);
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.All(made, count => Assert.Equal(1, count));
        Assert.Equal(made.Length, Directory.GetFiles(folder).Length);
    }

    [Fact]
    public void A_checkpoint_carries_what_it_was_made_with_and_one_of_other_settings_is_refused_by_name()
    {
        Checkpoints With(params (string, string)[] settings) =>
            new(new CheckpointStore(folder), TimeSpan.Zero, settings);
        With(("optimizer", "sgd"), ("lr", "0.1"), ("seed", "1")).Write(() => new TrainingState());
        Assert.NotNull(With(("seed", "1"), ("optimizer", "sgd"), ("lr", "0.1")).Latest(Assert.Fail));
        // One that knows no settings compares none; one younger than the checkpoint is no difference.
        Assert.NotNull(With().Latest(Assert.Fail));
        Assert.NotNull(With(("optimizer", "sgd"), ("lr", "0.1"), ("seed", "1"), ("shuffle", "true"))
            .Latest(Assert.Fail));
        Assert.Equal(
            $"{folder}: its checkpoints were made with other settings: optimizer was sgd, is adam, lr was 0.1, is "
            + $"0.01; set them back to go on, or begin a new run with the new ones",
            Assert.Throws<AdjointException>(() =>
                With(("optimizer", "adam"), ("lr", "0.01"), ("seed", "1")).Latest(Assert.Fail)).Message);
        Assert.Contains("seed was 1, is not known here",
            Assert.Throws<AdjointException>(() =>
            With(("optimizer", "sgd"), ("lr", "0.1")).Latest(Assert.Fail)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_without_settings_is_read()
    {
        new CheckpointStore(folder)
            .Write(new Dictionary<string, Tensor>(), new Dictionary<string, string> { ["steps"] = "7" });
        Assert.Equal(7, new Checkpoints(new CheckpointStore(folder), TimeSpan.Zero, [("lr", "0.1")])
            .Latest(Assert.Fail)!.Number("steps"));
    }

    [Fact]
    public void A_folder_that_may_not_be_written_to_is_named() =>
        Assert.Contains("/proc/adjoint: cannot be written to: ",
            Assert.Throws<AdjointException>(() => FolderLock.Take("/proc/adjoint")).Message, StringComparison.Ordinal);

    private static void Write(CheckpointStore store, int number) =>
        store.Write(new Dictionary<string, Tensor> { ["w"] = Tensor.From(new[] { (float)number, 0.5f }) },
            new Dictionary<string, string> { ["number"] = $"{number}" });

    private static int Shell(string command)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("/bin/sh", ["-c", command]) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}
