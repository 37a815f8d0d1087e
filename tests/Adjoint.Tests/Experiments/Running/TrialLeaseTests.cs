using System.Diagnostics;
using Adjoint.Experiments;
using Adjoint.IO;

namespace Adjoint.Tests.Experiments;

/// <summary>
/// One process alone works on a trial, whatever machines share its folder, and the dead give theirs back.
/// </summary>
public sealed class TrialLeaseTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_lease_that_is_given_back_leaves_nothing()
    {
        using (var lease = TrialLease.TryTake(folder, new()))
        {
            Assert.NotNull(lease);
            Assert.Null(TrialLease.TryTake(folder, new()));
            Assert.Equal(LeaseState.Held, new LeaseWatch().StateOf(folder));
            Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}",
                Assert.Throws<AdjointException>(() => TrialLease.Take(folder, new(), _ => { }, default)).Message,
                StringComparison.Ordinal);
        }
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Fact]
    public async Task Whoever_looks_sees_a_whole_lease_or_none()
    {
        using var stop = new CancellationTokenSource();
        var looks = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                if (Directory.Exists(folder) && TrialLease.Latest(folder) is { Holder: null }) return false;
            return true;
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < 200; i++) TrialLease.TryTake(folder, new LeaseWatch())!.Dispose();
        await stop.CancelAsync();
        Assert.True(await looks);
    }

    [Fact]
    public void One_of_many_takes_over_what_a_killed_process_left()
    {
        Write(7, LeaseHolder.This with { Process = Dead() });
        Assert.Equal(LeaseState.Free, new LeaseWatch().StateOf(folder));
        var leases = new TrialLease?[16];
        Parallel.For(0, leases.Length, i => leases[i] = TrialLease.TryTake(folder, new()));
        var lease = Assert.Single(leases, one => one is not null);
        Assert.Equal([".holder", ".lease-00000008", ".lock"],
            Directory.GetFiles(folder).Select(Path.GetFileName).Order());
        lease!.Dispose();
    }

    [Fact]
    public void A_number_that_came_again_is_another_process()
    {
        Write(1, LeaseHolder.This with { Started = LeaseHolder.This.Started - 1000 });
        Assert.Equal(LeaseState.Free, new LeaseWatch().StateOf(folder));
        Write(1, LeaseHolder.This);
        Assert.Equal(LeaseState.Held, new LeaseWatch().StateOf(folder));
    }

    [Fact]
    public void Of_another_machine_the_beat_decides()
    {
        Write(1, LeaseHolder.This with { Machine = "other", Host = "other" });
        var watch = new LeaseWatch { Beat = TimeSpan.FromMilliseconds(1) };
        Assert.Equal(LeaseState.Unsure, watch.StateOf(folder));
        File.SetLastWriteTimeUtc(PathOf(1), DateTime.UtcNow.AddHours(-7));
        // Whatever the other's clock shows: it goes.
        Assert.Equal(LeaseState.Held, watch.StateOf(folder));
        AssertAbandonedAfterTwelveLooks(watch);
        using var lease = TrialLease.TryTake(folder, watch);
        Assert.NotNull(lease);
        Assert.Equal([2], Numbers());
    }

    [Fact]
    public void What_a_dead_machine_left_is_had_after_some_looks()
    {
        Write(3, LeaseHolder.This with { Host = "n7", Machine = "other" });
        var watch = new LeaseWatch { Beat = TimeSpan.FromMilliseconds(1) };
        Assert.Null(TrialLease.Take(folder, watch, _ => { }, new(canceled: true)));
        var warnings = new List<string>();
        using var lease = TrialLease.Take(folder, watch, warnings.Add, default);
        Assert.NotNull(lease);
        Assert.Contains(" on n7; looking on for a minute whether it lives", Assert.Single(warnings),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Looks_in_quick_succession_count_as_one()
    {
        Write(1, LeaseHolder.This with { Machine = "other" });
        var watch = new LeaseWatch { Beat = TimeSpan.FromHours(1) };
        for (var look = 0; look < 50; look++) Assert.Equal(LeaseState.Unsure, watch.StateOf(folder));
    }

    [Fact]
    public void Half_a_lease_is_one_until_its_time_stands_still()
    {
        File.WriteAllText(PathOf(1), "{ \"host\": \"a");
        AssertAbandonedAfterTwelveLooks(new() { Beat = TimeSpan.FromMilliseconds(1) });
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Of_a_job_Slurm_knows_when_it_is_over(bool isOver)
    {
        Write(1, LeaseHolder.This with { Machine = "other", Cluster = "c", Job = "17", Restarts = 2 });
        LeaseHolder? asked = null;
        var watch = new LeaseWatch("c", holder =>
        {
            asked = holder;
            return isOver;
        })
        { Beat = TimeSpan.FromMilliseconds(1) };
        if (isOver) Assert.Equal(LeaseState.Free, watch.StateOf(folder));
        // The job goes on; its worker need not.
        else AssertAbandonedAfterTwelveLooks(watch);
        Assert.Equal(("17", 2), (asked!.Job, asked.Restarts));
        // Job 17 of another cluster is another job.
        Assert.Equal(LeaseState.Unsure, new LeaseWatch("d", _ => true).StateOf(folder));
    }

    [Theory, InlineData(0, false), InlineData(1, true)]
    public void Of_this_job_workers_on_other_nodes_live_until_it_is_requeued(int restarts, bool isFree)
    {
        var job = LeaseHolder.This with { Cluster = "c", Job = "17" };
        Write(1, job with { Machine = "other" });
        var watch = new LeaseWatch("c", _ => true) { Self = job with { Restarts = restarts } };
        Assert.Equal(isFree ? LeaseState.Free : LeaseState.Unsure, watch.StateOf(folder));
    }

    [Fact]
    public void A_lease_that_another_makes_after_the_look_stays()
    {
        Write(1, LeaseHolder.This with { Machine = "other", Cluster = "c", Job = "17" });
        var looks = 0;
        var watch = new LeaseWatch("c", _ =>
        {
            // The second look, before the lease is taken: a faster machine is done with that.
            if (++looks == 2) Write(2, LeaseHolder.This with { Machine = "third" });
            return true;
        });
        Assert.Null(TrialLease.TryTake(folder, watch));
        Assert.Equal([1, 2], Numbers().Order());
    }

    [Fact]
    public void The_same_number_of_another_is_no_lease_of_ours()
    {
        using (var lease = TrialLease.TryTake(folder, new())!)
        {
            Assert.True(lease.IsHeld);
            // Taken over by one that has ended, taken anew by the next: the numbers begin again.
            Write(1, LeaseHolder.This with { Machine = "other" });
            Assert.False(lease.IsHeld);
            Assert.True(lease.Lost.IsCancellationRequested);
        }
        Assert.Equal([1], Numbers());
    }

    [Fact]
    public void Who_asks_whether_a_folder_is_locked_is_in_nobodys_way()
    {
        using var stop = new CancellationTokenSource();
        var looks = new Thread(() =>
        {
            while (!stop.IsCancellationRequested) FolderLock.IsTaken(folder);
        });
        looks.Start();
        try
        {
            for (var i = 0; i < 300; i++)
            {
                // As a killed process leaves it.
                File.WriteAllText(Path.Combine(folder, ".lock"), "");
                using var held = FolderLock.TryTake(folder);
                Assert.NotNull(held);
            }
        }
        finally
        {
            stop.Cancel();
            looks.Join();
        }
    }

    [Fact]
    public void Who_was_taken_for_dead_is_told()
    {
        using var lease = TrialLease.TryTake(folder, new() { Beat = TimeSpan.FromMilliseconds(5) })!;
        Assert.False(lease.Lost.WaitHandle.WaitOne(50));
        Write(2, LeaseHolder.This with { Machine = "other" });
        Assert.True(lease.Lost.WaitHandle.WaitOne(10_000));
    }

    private void AssertAbandonedAfterTwelveLooks(LeaseWatch watch)
    {
        var looks = 0;
        while (watch.StateOf(folder) != LeaseState.Free)
        {
            Assert.True(++looks < 20, "still not free");
            Thread.Sleep(3);
        }
        Assert.InRange(looks, 11, 13);
    }

    private void Write(int number, LeaseHolder holder)
    {
        using var file = File.Create(PathOf(number));
        holder.Write(file);
    }

    private string PathOf(int number) => Path.Combine(folder, $".lease-{number:D8}");

    private int[] Numbers() =>
        [.. Directory.GetFiles(folder, ".lease-*").Select(path => int.Parse(Path.GetFileName(path)[7..]))];

    // The number of a process that has ended.
    private static int Dead()
    {
        using var process =
            Process.Start(new ProcessStartInfo("dotnet", ["--version"]) { RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.Id;
    }
}
