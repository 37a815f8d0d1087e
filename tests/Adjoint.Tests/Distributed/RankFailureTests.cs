using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

/// <summary>Ranks that die, stall, fail, end early, or do something else than the others: named, never waited for.
/// </summary>
public class RankFailureTests
{
    [Fact]
    public void Ranks_in_different_calls_are_told_apart_at_once()
    {
        var errors = Ranks.Failures(2, rank =>
        {
            rank.Step = 17;
            if (rank.Rank == 1) rank.AllGather("epoch", [1]);
            else rank.Begin("gradients 'bucket 2'", Nothing(2), NoMemory(2), "float32 (4096)").Wait();
        }, timeout: TimeSpan.FromMinutes(1));
        foreach (var error in errors.Select(Assert.IsType<RankFailureException>))
            Assert.Equal(
                "rank 1 on b is in all-gather 'epoch' of step 17 while rank 0 on a is in gradients 'bucket 2' float32 "
                + "(4096) of step 17; all ranks must run the same program with the same settings", error.Message);
    }

    [Fact]
    public void Ranks_with_different_shapes_types_or_steps_are_told_apart()
    {
        Assert.Equal(
            "rank 1 on b is in gradients float32 (8) of step 0 while rank 0 on a is in gradients float32 (4) of step "
            + "0; all ranks must run the same program with the same settings",
            Error(rank => rank.Begin("gradients", Nothing(2), NoMemory(2), $"float32 ({4 + 4 * rank.Rank})").Wait()));
        Assert.Equal(
            "rank 1 on b is in barrier 'x' of step 1 while rank 0 on a is in barrier 'x' of step 0; all ranks must run "
            + "the same program with the same settings",
            Error(rank =>
            {
                rank.Step = rank.Rank;
                rank.Barrier("x");
            }));
        Assert.Equal(
            "rank 1 on b and rank 0 on a are both in gradients of step 0, where rank 1 on b has 8 bytes and rank 0 on "
            + "a 4; all ranks must have the same shapes and types",
            Error(rank => rank.Begin("gradients",
                [.. Enumerable.Repeat<ReadOnlyMemory<byte>>(new byte[4 + 4 * rank.Rank], 2)],
                [new byte[4 + 4 * rank.Rank], new byte[4 + 4 * rank.Rank]], "").Wait()));

        static string Error(Action<Communicator> program)
        {
            var errors = Ranks.Failures(2, program, TimeSpan.FromMinutes(1));
            Assert.All(errors, error => Assert.IsType<RankFailureException>(error));
            Assert.Equal(errors[0]!.Message, errors[1]!.Message);
            return errors[0]!.Message;
        }
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(2, 1)]
    [InlineData(4, 0)]
    [InlineData(4, 2)]
    public void A_rank_with_more_batches_is_told_that_the_other_ended(int ranks, int shorter)
    {
        var errors = Ranks.Failures(ranks, rank =>
        {
            var batches = rank.Rank == shorter ? 3 : 4;
            for (var batch = 0; batch < batches; batch++)
            {
                rank.Step = batch + 1;
                rank.Barrier("batch");
            }
        }, timeout: TimeSpan.FromMinutes(1));
        Assert.Null(errors[shorter]);
        for (var rank = 0; rank < ranks; rank++)
            if (rank != shorter)
            {
                var error = Assert.IsType<RankFailureException>(errors[rank]);
                Assert.Equal(shorter, error.Rank);
                Assert.Matches(
                    $@"^rank {shorter} on {(char)('a' + shorter)} ended after step 3, and rank \d on \w still waits in "
                    + "barrier 'batch' of step 4; all ranks must take part in every call: give them the same number "
                    + "of batches and epochs$", error.Message);
            }
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(2, 1)]
    [InlineData(4, 0)]
    [InlineData(4, 3)]
    public void A_silent_rank_is_named_on_all_others(int ranks, int stopped)
    {
        LocalTransport[] transports = [];
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var errors = Ranks.Failures(ranks, rank =>
        {
            rank.Step = 5;
            rank.Barrier("start");
            if (rank.Rank == stopped)
            {
                // The others come out of the barrier, too.
                Thread.Sleep(100);
                clock.Restart();
                transports[0].Stop(stopped);
            }
            rank.AllGather("sums", [1]);
        }, prepare: all => transports = all);
        // Of the ranks' own time, on a machine that may be busy; error.Seconds is what they measured.
        Assert.True(clock.Elapsed < 6 * Ranks.Timeout, $"it took {clock.Elapsed}");
        for (var rank = 0; rank < ranks; rank++)
            if (rank != stopped)
            {
                var error = Assert.IsType<RankFailureException>(errors[rank]);
                Assert.Equal((stopped, ((char)('a' + stopped)).ToString(), 5), (error.Rank, error.Host, error.Step));
                Assert.InRange(error.Seconds, 0.8 * Ranks.Timeout.TotalSeconds, 2 * Ranks.Timeout.TotalSeconds);
                Assert.Matches(
                    $@"^rank {stopped} on {error.Host} has been silent for 0\.\d s; rank \d on \w last heard that it "
                    + @"was (between calls|in barrier 'start'|in all-gather 'sums') (at|of) step 5( for \d\.\d s)?; "
                    + "see whether its process and machine still run, and the network between; a slow network needs a "
                    + @"timeout above 0\.5 s$", error.Message);
            }
        // The silent one hears nothing either.
        Assert.NotEqual(stopped, Assert.IsType<RankFailureException>(errors[stopped]).Rank);
    }

    [Fact]
    public void A_partition_is_found_on_both_sides()
    {
        LocalTransport[] transports = [];
        var errors = Ranks.Failures(4, rank =>
        {
            rank.Barrier("start");
            if (rank.Rank == 0)
                foreach (var (a, b) in ((int, int)[])[(0, 2), (0, 3), (1, 2), (1, 3)]) transports[0].Cut(a, b);
            rank.AllGather("sums", [1]);
            rank.AllGather("sums", [2]);
        }, prepare: all => transports = all);
        int[] named = [.. errors.Select(error => Assert.IsType<RankFailureException>(error).Rank)];
        Assert.All(named[..2], one => Assert.InRange(one, 2, 3));
        Assert.All(named[2..], one => Assert.InRange(one, 0, 1));
    }

    // Both still hear from rank 0.
    [Fact]
    public void A_cut_between_two_ranks_other_than_0_is_found()
    {
        LocalTransport[] transports = [];
        var errors = Ranks.Failures(3, rank =>
        {
            rank.Barrier("start");
            if (rank.Rank == 0) transports[0].Cut(1, 2);
            rank.Barrier("cut");
            rank.AllGather("sums", [1]);
            rank.AllGather("more", [1]);
        }, prepare: all => transports = all);
        Assert.All(errors, error => Assert.InRange(Assert.IsType<RankFailureException>(error).Rank, 1, 2));
    }

    [Fact]
    public void A_partition_that_is_mended_in_time_and_delays_below_the_timeout_survive()
    {
        LocalTransport[] transports = [];
        var errors = Ranks.Failures(3, rank =>
        {
            if (rank.Rank == 0) transports[0].Delay = TimeSpan.FromMilliseconds(30);
            rank.Barrier("start");
            if (rank.Rank == 0)
            {
                transports[0].Stop(2);
                Thread.Sleep(200);
                for (var other = 0; other < 2; other++) transports[0].Mend(2, other);
            }
            for (var i = 0; i < 3; i++) Assert.Equal([[0], [1], [2]], rank.AllGather("sums", [(byte)rank.Rank]));
        }, prepare: all => transports = all);
        Assert.All(errors, Assert.Null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_rank_that_computes_for_longer_than_the_timeout_is_waited_for(int slow)
    {
        var errors = Ranks.Failures(3, rank =>
        {
            if (rank.Rank == slow) Thread.Sleep(2 * Ranks.Timeout);
            rank.Barrier("sums");
        });
        Assert.All(errors, Assert.Null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_rank_that_fails_tells_the_others_why(int failing)
    {
        var errors = Ranks.Failures(4, rank =>
        {
            rank.Step = 3;
            rank.Barrier("start");
            if (rank.Rank == failing) throw new IOException("the disk is full");
            if (rank.Rank == (failing + 1) % 4)
                Assert.True(rank.Failure.WaitHandle.WaitOne(TimeSpan.FromSeconds(10)), "it is not told");
            rank.Barrier("more");
        }, TimeSpan.FromMinutes(1));
        Assert.IsType<IOException>(errors[failing]);
        foreach (var error in errors.Where((_, rank) => rank != failing).Select(Assert.IsType<RankFailureException>))
        {
            Assert.Equal((failing, 3), (error.Rank, error.Step));
            Assert.Equal(
                $"rank {failing} on {error.Host} failed between calls at step 3: IOException: the disk is full",
                error.Message);
        }
    }

    [Fact]
    public void What_follows_an_exchange_and_throws_ends_the_world()
    {
        var errors = Ranks.Failures(2, rank =>
        {
            Action? then = rank.Rank == 1 ? () => throw new InvalidOperationException("no") : null;
            rank.Begin("sums", Nothing(2), NoMemory(2), "", then).Wait();
            rank.Barrier("more");
        });
        Assert.All(errors, error =>
            Assert.Contains(
                "rank 1 on b failed in sums of step 0: InvalidOperationException: no",
                Assert.IsType<RankFailureException>(error).Message, StringComparison.Ordinal));
        Assert.IsType<InvalidOperationException>(errors[1]!.InnerException);
    }

    [Fact]
    public void A_transport_that_hangs_blocks_nobody()
    {
        LocalTransport[] transports = [];
        var until = new ManualResetEventSlim();
        var errors = Ranks.Failures(2, rank =>
        {
            rank.Barrier("start");
            if (rank.Rank == 1) transports[1].Hang(1, until);
            rank.Barrier("more");
        }, prepare: all => transports = all);
        until.Set();
        Assert.Equal(1, Assert.IsType<RankFailureException>(errors[0]).Rank);
        Assert.StartsWith(
            "threads on rank 1 on b has not come back from a call for rank 0 on a in 0.",
            Assert.IsType<RankFailureException>(errors[1]).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(4, 2)]
    public void A_lost_connection_is_the_failure_of_the_other_rank(int ranks, int aborting)
    {
        var errors = Ranks.Failures(ranks, rank =>
        {
            rank.Step = 2;
            rank.Barrier("start");
            if (rank.Rank == aborting)
            {
                Thread.Sleep(100);
                rank.Abort(1);
            }
            rank.Barrier("more");
        });
        var name = $"rank {aborting} on {(char)('a' + aborting)}";
        for (var rank = 0; rank < ranks; rank++)
        {
            var error = Assert.IsType<RankFailureException>(errors[rank]);
            Assert.Equal((aborting, name[^1..], 2), (error.Rank, error.Host, error.Step));
            if (rank == aborting)
                Assert.Equal($"{name} ended all ranks between calls at step 2", error.Message);
            else if (error.InnerException is TransportException)
                Assert.Matches(
                    $@"^rank {rank} on \w has lost the connection to {name}; rank {rank} on \w last heard that it was "
                    + $".* step 2: rank {aborting} ended all ranks; see why that rank ended, or the network between$",
                    error.Message);
            else Assert.Contains($" has lost the connection to {name}; ", error.Message, StringComparison.Ordinal);
        }
    }

    // The thread that would end them is in a call that does not come back.
    [Fact]
    public void A_rank_whose_transport_hangs_can_end_all()
    {
        LocalTransport[] transports = [];
        var until = new ManualResetEventSlim();
        var errors = Ranks.Failures(2, rank =>
        {
            rank.Barrier("start");
            if (rank.Rank == 1)
            {
                transports[1].Hang(1, until);
                rank.Abort(1);
            }
            rank.Barrier("more");
        }, TimeSpan.FromMinutes(1), all => transports = all);
        until.Set();
        Assert.Equal(1, Assert.IsType<RankFailureException>(errors[0]).Rank);
        Assert.StartsWith(
            "rank 1 on b ended all ranks ", Assert.IsType<RankFailureException>(errors[1]).Message,
            StringComparison.Ordinal);
    }

    // Rank 1 was lost because rank 2 failed, which rank 0 hears from rank 2.
    [Fact]
    public void What_another_rank_tells_is_heard_though_the_connection_to_one_is_lost()
    {
        var transports = LocalTransport.Create(3);
        var faulty = new FaultyTransport(transports[0]);
        Communicator[] ranks = [new(faulty), new(transports[1]), new(transports[2])];
        Assert.Equal(3, ranks[0].Hosts.Count);
        faulty.Fault = peer => peer == 1 ? new TransportException("gone") : null;
        Thread.Sleep(50);
        ranks[2].Fail(new IOException("the disk is full"));
        var error = Assert.Throws<RankFailureException>(() => ranks[0].Barrier("x"));
        Assert.Equal(2, error.Rank);
        Assert.EndsWith("IOException: the disk is full", error.Message, StringComparison.Ordinal);
        foreach (var rank in ranks) rank.Dispose();
    }

    // Not what a transport should throw; the process would end by an exception that nobody catches.
    [Fact]
    public void A_transport_that_throws_whatever_it_likes_breaks_the_world_only()
    {
        var transports = LocalTransport.Create(2);
        var asked = 0;
        var faulty = new FaultyTransport(transports[0])
        {
            // The communicator's thread has failed before its creation has come to an end.
            HostDelay = TimeSpan.FromMilliseconds(20),
            Fault = _ => asked++ == 0 ? new TransportException("lost") : new InvalidOperationException("closed"),
        };
        using var other = new Communicator(transports[1]);
        var rank = new Communicator(faulty);
        var error = Assert.Throws<RankFailureException>(() => rank.Barrier("x"));
        Assert.Equal(1, error.Rank);
        Assert.Contains("lost the connection to rank 1: lost; ", error.Message, StringComparison.Ordinal);
        rank.Dispose();
        Assert.False(rank.IsRunning);
        other.Fail(new IOException("no"));
    }

    [Fact]
    public void A_world_that_breaks_at_once_breaks_its_calls_and_not_its_creation()
    {
        var faulty = new FaultyTransport(LocalTransport.Create(2)[0])
        {
            HostDelay = TimeSpan.FromMilliseconds(50),
            Fault = _ => new InvalidOperationException("no driver"),
        };
        var rank = new Communicator(faulty);
        var error = Assert.Throws<RankFailureException>(() => rank.Barrier("x"));
        Assert.EndsWith(" step 0: InvalidOperationException: no driver", error.Message, StringComparison.Ordinal);
        rank.Dispose();
        Assert.False(rank.IsRunning);
    }

    // As when their machine was: what this rank did not hear in that time says nothing, and buys no time either.
    [Fact]
    public void A_rank_that_falls_silent_after_all_were_stopped_is_named_in_time()
    {
        var transports = LocalTransport.Create(2);
        Communicator[] ranks = [.. transports.Select(one => new Communicator(one, new() { Timeout = Ranks.Timeout }))];
        Assert.All(ranks, rank => Assert.Equal(2, rank.Hosts.Count));
        ManualResetEventSlim[] until = [new(), new()];
        for (var rank = 0; rank < 2; rank++) transports[0].Hang(rank, until[rank]);
        Thread.Sleep(4 * Ranks.Timeout);
        // Rank 1 goes on first, so that rank 0 hears from it at once.
        until[1].Set();
        Thread.Sleep(100);
        until[0].Set();
        Thread.Sleep(100);
        Assert.All(ranks, rank => Assert.False(rank.Failure.IsCancellationRequested));
        transports[0].Stop(1);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        Assert.True(ranks[0].Failure.WaitHandle.WaitOne(10_000));
        Assert.True(clock.Elapsed < 2.5 * Ranks.Timeout, $"it took {clock.Elapsed}");
        foreach (var rank in ranks) rank.Dispose();
    }

    private static ReadOnlyMemory<byte>[] Nothing(int ranks) => new ReadOnlyMemory<byte>[ranks];

    private static Memory<byte>[] NoMemory(int ranks) => new Memory<byte>[ranks];
}
