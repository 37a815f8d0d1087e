using Adjoint.Mpi;

namespace Adjoint.SystemTests.Mpi;

/// <summary>One to four processes, with Open MPI and with MPICH, where these are installed.</summary>
[Collection(Collections.Waiting)]
public class MpiTransportTests
{
    public static TheoryData<string> Implementations => MpiRun.Implementations;

    [Theory, MemberData(nameof(Implementations))]
    public void Collectives_give_the_bytes_of_all_ranks(string mpirun)
    {
        foreach (var ranks in new[] { 1, 2, 3, 4 })
        {
            using var run = MpiRun.Start(mpirun, ranks, ["collectives"]);
            Assert.True(run.Wait() == 0, run.Text);
            var name = ranks == 1 ? "alone" : mpirun == "mpirun.openmpi" ? "Open MPI" : "MPICH";
            for (var rank = 0; rank < ranks; rank++)
            {
                Assert.Contains($" of {ranks} on {name}", run.LineWith($"{rank} pid "), StringComparison.Ordinal);
                run.LineWith($"{rank} ends");
            }
        }
    }

    // MPICH's MPI_Finalize hung in every third run, before there was a pause.
    [Fact]
    public void Ranks_of_MPICH_over_TCP_leave_in_order()
    {
        for (var i = 0; i < 4; i++)
        {
            using var run = MpiRun.Start("mpirun.mpich", 3, ["collectives"],
                new Dictionary<string, string> { ["UCX_TLS"] = "tcp,self", ["MPIR_CVAR_NOLOCAL"] = "1" });
            Assert.True(run.Wait() == 0, run.Text);
        }
    }

    [Theory, MemberData(nameof(Implementations))]
    public void Messages_keep_their_order_and_are_cut_where_they_are_long(string mpirun)
    {
        foreach (var ranks in new[] { 2, 3 })
        {
            using var run = MpiRun.Start(mpirun, ranks, ["transport"]);
            Assert.True(run.Wait() == 0, run.Text);
            for (var rank = 0; rank < ranks; rank++)
            {
                var from = (rank + ranks - 1) % ranks;
                run.LineWith($"{rank} receiving 2 bytes from rank {from} on channel 3 failed: M");
                run.LineWith($"{rank} 3 bytes came from rank {from} on channel 3, and 4 were waited for");
            }
        }
    }

    [Theory, MemberData(nameof(Implementations))]
    public void Ranks_in_different_calls_are_named_at_once(string mpirun)
    {
        using var run = MpiRun.Start(mpirun, 3, ["mismatch"]);
        Assert.NotEqual(0, run.Wait());
        // Between whichever two it is found first; the higher rank is named first.
        var line = run.LineWith("RankFailureException: rank ");
        Assert.Matches(@"rank 1( on \S+)? is in barrier 'at the end' of step 0", line);
        Assert.Matches(@"rank [02]( on \S+)? is in all-gather 'losses' of step 0", line);
    }

    [Theory, MemberData(nameof(Implementations))]
    public void Ranks_with_different_settings_are_refused(string mpirun)
    {
        using var run = MpiRun.Start(mpirun, 2, ["facts"]);
        Assert.NotEqual(0, run.Wait());
        run.LineWith(": lr is 0.1, and 0.01 on rank 0 on ");
    }

    [Theory, MemberData(nameof(Implementations))]
    public void A_rank_that_fails_tells_the_others_why(string mpirun)
    {
        using var run = MpiRun.Start(mpirun, 2, ["fail"]);
        Assert.NotEqual(0, run.Wait());
        run.LineWith("1 InvalidOperationException: no such column");
        Assert.Matches(@"rank 1( on \S+)? failed between calls at step 0: InvalidOperationException: no such column",
            run.LineWith("0 RankFailureException"));
    }

    [Theory, MemberData(nameof(Implementations))]
    public void The_exit_code_is_that_of_the_ranks(string mpirun)
    {
        using var run = MpiRun.Start(mpirun, 2, ["exit", "10", "7"]);
        Assert.Equal(7, run.Wait());
    }

    // The one that leaves has nothing to complain of.
    [Theory, MemberData(nameof(Implementations))]
    public void A_rank_that_leaves_early_fails_all(string mpirun)
    {
        using var run = MpiRun.Start(mpirun, 2, ["leave"]);
        Assert.NotEqual(0, run.Wait());
        run.LineWith("1 ends");
        run.LineWith("0 RankFailureException: rank 1 ");
    }

    // Open MPI ends the others with SIGKILL, MPICH too: no process of a dying job can be relied on to tell.
    [Theory, MemberData(nameof(Implementations))]
    public void A_rank_that_is_killed_ends_all(string mpirun)
    {
        foreach (var rank in new[] { 0, 1 })
        {
            using var run = MpiRun.Start(mpirun, 3, ["work", "5", "30"]);
            run.Signal(rank, MpiRun.Kill);
            Assert.NotEqual(0, run.Wait());
        }
    }

    [Theory, MemberData(nameof(Implementations))]
    public void A_rank_that_is_stopped_is_named_within_the_timeout(string mpirun)
    {
        foreach (var rank in new[] { 0, 1 })
        {
            using var run = MpiRun.Start(mpirun, 3, ["work", "2", "30"]);
            run.Signal(rank, MpiRun.Stop);
            var since = System.Diagnostics.Stopwatch.StartNew();
            Assert.NotEqual(0, run.Wait());
            Assert.InRange(since.Elapsed.TotalSeconds, 1, 10);
            run.LineWith($"RankFailureException: rank {rank} on {Environment.MachineName} has been silent for ");
        }
    }

    [Theory]
    [InlineData("Open MPI v4.1.4, package: Debian OpenMPI, ident: 4.1.4, repo rev: v4.1.4", "Open MPI 4.1.4")]
    [InlineData("MPICH Version:\t4.0.2\nMPICH Release date:\tThu Apr  7 12:34:45 CDT 2022\n\0", "MPICH 4.0.2")]
    [InlineData("Intel(R) MPI Library 2021.5 for Linux* OS\n", "Intel(R) MPI Library 2021.5 for Linux* OS")]
    [InlineData("MVAPICH2 Version      :\t2.3.7", "MVAPICH2 2.3.7")]
    public void The_name_is_short(string version, string expected) =>
        Assert.Equal(expected, MpiTransport.NameFrom(version));
}
