using System.Diagnostics;
using System.Text.RegularExpressions;
using Adjoint.Cli;
using Adjoint.SystemTests.Mpi;

namespace Adjoint.SystemTests.Cli;

/// <summary>Ranks that are killed, stopped or left alone: named, ended, and started again.</summary>
[Collection(Collections.Waiting)]
public sealed class LauncherTests : IDisposable
{
    // Long enough that a signal comes in the midst of it.
    private static readonly string[] Training =
        ["train", "--data-share", "0.02", "--epochs", "60", "--checkpoint-every", "0.05", "--timeout", "50"];

    private readonly RankedTool tool = new();

    public void Dispose() => tool.Dispose();

    public static TheoryData<string, int> Deaths()
    {
        var all = new TheoryData<string, int>();
        foreach (var mpirun in MpiRun.Implementations)
            for (var rank = 0; rank < 3; rank++) all.Add(mpirun.Data, rank);
        return all;
    }

    [Theory, MemberData(nameof(Deaths))]
    public void A_rank_that_is_killed_is_named_and_a_restart_ends_with_the_same_bits(string mpirun, int rank)
    {
        if (!RankedTool.IsLong && (mpirun, rank) is not (("mpirun.openmpi", 0) or ("mpirun.mpich", 1)))
            Assert.Skip("skipped: a step of .ci/run --long; set ADJOINT_LONG=1 to run it");
        var (_, digest) = tool.Alone("alone", [.. Training, "--shards", "12"]);
        var random = new Random(rank);
        for (var round = 0; round < (RankedTool.IsLong ? 4 : 1); round++)
        {
            var path = $"run {round}";
            using var run = RankedTool.Launch(mpirun, 3, [.. Training, "--restarts", "1", "--out", tool.PathOf(path)]);
            run.LineWith($"epoch   {1 + random.Next(5)}/60");
            Thread.Sleep(random.Next(100));
            var process = RankedTool.ProcessOf(run, rank);
            Assert.Equal(0, MpiRun.Send(process, MpiRun.Kill));
            Assert.Equal(0, run.Wait());
            var line = Assert.Single(RankedTool.Messages(run));
            Assert.True(Regex.IsMatch(line, @$"rank {rank} on \S+ \(process {process}\) was killed by signal 9 "
                + @"near step \d+; restart 1 of 1, 3 ranks, from the last checkpoint$"), line);
            Assert.Equal(digest, tool.Digest(path));
        }
    }

    [Fact]
    public void Without_a_restart_the_checkpoint_stays_and_the_exit_code_is_that_of_a_failure()
    {
        using var run = RankedTool.Launch("mpirun.openmpi", 3, [.. Training, "--json", "--out", tool.PathOf("run")]);
        run.LineWith("epoch   1/60");
        Assert.Equal(0, MpiRun.Send(RankedTool.ProcessOf(run, 2), MpiRun.Kill));
        Assert.Equal(Tool.Failure, run.Wait());
        var line = Assert.Single(RankedTool.Messages(run));
        Assert.EndsWith($"; to go on: adjoint train --resume {tool.PathOf("run")} --ranks 3", line,
            StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(tool.PathOf("run"), "checkpoint-*"));
        using var resumed =
            MpiRun.Start([.. RankedTool.Program, "train", "--resume", tool.PathOf("run"), "--quiet"], []);
        Assert.Equal(0, resumed.Wait());
        Assert.Equal(tool.Alone("alone", [.. Training, "--shards", "12"]).Digest, tool.Digest("run"));
    }

    [Fact]
    public void A_rank_that_is_stopped_is_named_within_the_timeout()
    {
        using var run = RankedTool.Launch("mpirun.mpich", 2, [.. Training[..3], "--epochs", "9999", "--timeout", "3",
            "--out", tool.PathOf("run")]);
        run.LineWith("epoch   1/");
        Assert.Equal(0, MpiRun.Send(RankedTool.ProcessOf(run, 1), MpiRun.Stop));
        Assert.Equal(Tool.Failure, run.Wait());
        Assert.Matches(@"adjoint: rank 1 on \S+ has been silent for [23]\.\d s; .*step \d+.*; to go on: adjoint train",
            Assert.Single(RankedTool.Messages(run)));
    }

    [Fact]
    public void A_launcher_that_is_killed_leaves_no_rank_behind()
    {
        using var run = RankedTool.Launch("mpirun.openmpi", 2, [.. Training[..3], "--epochs", "9999", "--out",
            tool.PathOf("run")]);
        run.LineWith("epoch   1/");
        Assert.Equal(0, MpiRun.Send(run.Id, MpiRun.Kill));
        // The ranks keep what they have, and then nothing of it is left.
        var since = Stopwatch.StartNew();
        while (run.Left.Length > 0 && since.Elapsed.TotalSeconds < 40) Thread.Sleep(50);
        run.Wait();
        Assert.NotEmpty(Directory.GetFiles(tool.PathOf("run"), "checkpoint-*"));
    }

    // An mpirun that cannot reach a machine, and ranks that do not listen yet: the second request ends those, too.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ctrl_C_leaves_no_mpirun_behind(bool hasRanks)
    {
        if (OperatingSystem.IsWindows()) Assert.Skip("skipped: signals are sent as on Unix");
        var script = tool.PathOf("mpirun");
        var hello = new RankStatus { Event = RankEvent.Hello, Rank = 0 };
        var says = hasRanks ? $"echo '{RankWriter.Status}{hello}' >&2; " : "";
        File.WriteAllText(script,
            $"#!/bin/sh\n[ \"$1\" = --version ] || {{ {says}echo waits >&2; sleep 1000; }}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        using var run = MpiRun.Start(
            [.. RankedTool.Program, "train", "--ranks", "2", "--debug", "--mpirun", script], []);
        run.LineWith("waits");
        Assert.Equal(0, MpiRun.Send(run.Id, 2));
        if (hasRanks)
        {
            Thread.Sleep(200);
            Assert.Equal(0, MpiRun.Send(run.Id, 2));
        }
        Assert.Equal(Tool.Interrupted, run.Wait());
    }

    [Fact]
    public void A_disk_that_is_full_is_said_once_and_nothing_is_started_again()
    {
        var disk = tool.PathOf("disk");
        Directory.CreateDirectory(disk);
        using (var mount = Process.Start("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]))
        {
            mount.WaitForExit();
            if (mount.ExitCode != 0) Assert.Skip("skipped: no right to mount a small disk");
        }
        try
        {
            using var run = RankedTool.Launch("mpirun.openmpi", 2, [.. Training, "--hidden", "2000", "--restarts", "2",
                "--out", Path.Combine(disk, "run")]);
            Assert.Equal(Tool.Failure, run.Wait());
            Assert.Matches("^adjoint: rank 0 on .*No space left on device", Assert.Single(RankedTool.Messages(run)));
        }
        finally
        {
            Process.Start("umount", [disk]).WaitForExit();
        }
    }
}
