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
        Assert.True(clock.Elapsed < 2 * Ranks.Timeout, $"it took {clock.Elapsed}");
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
            if (rank.Rank == slow) Thread.Sleep(3 * Ranks.Timeout);
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

    [Fact]
    public void A_lost_connection_is_the_failure_of_the_other_rank()
    {
        var errors = Ranks.Failures(2, rank =>
        {
            rank.Step = 2;
            rank.Barrier("start");
            if (rank.Rank == 0)
            {
                Thread.Sleep(100);
                rank.Abort(1);
            }
            rank.Barrier("more");
        });
        var error = Assert.IsType<RankFailureException>(errors[1]);
        Assert.Equal((0, "a", 2), (error.Rank, error.Host, error.Step));
        Assert.Matches(
            "^rank 1 on b has lost the connection to rank 0 on a; rank 1 on b last heard that it was "
            + ".* step 2: the world was aborted; see why that rank ended, or the network between$", error.Message);
        Assert.IsType<TransportException>(error.InnerException);
    }

    [Fact]
    public void Disposal_of_a_broken_world_does_not_wait_and_leaves_no_thread()
    {
        var transports = LocalTransport.Create(2);
        Communicator[] ranks = [.. transports.Select(one => new Communicator(one))];
        transports[0].Stop(1);
        ranks[0].Fail(new IOException("no"));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        ranks[0].Dispose();
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(2), $"it took {clock.Elapsed}");
        Assert.True(SpinWait.SpinUntil(() => !ranks[0].IsRunning, 2000));
        Assert.Throws<AdjointException>(() => ranks[0].Barrier("x"));
        ranks[0].Dispose();
        ranks[1].Fail(new IOException("no"));
        Assert.Throws<RankFailureException>(() => ranks[1].Barrier("x"));
        ranks[1].Dispose();
        Assert.True(SpinWait.SpinUntil(() => !ranks[1].IsRunning, 2000));
    }

    [Fact]
    public async Task Disposal_of_a_whole_world_waits_for_all_and_leaves_no_thread()
    {
        Communicator[] ranks = [.. LocalTransport.Create(3).Select(one => new Communicator(one))];
        var first = Task.Run(ranks[0].Dispose);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.False(first.IsCompleted, "rank 0 did not wait");
        await Task.WhenAll(Task.Run(ranks[1].Dispose), Task.Run(ranks[2].Dispose), first);
        Assert.All(ranks, rank => Assert.False(rank.IsRunning));
        Assert.All(ranks, rank => Assert.False(rank.Failure.IsCancellationRequested));
    }

    // Whoever waits for the last ranks to leave learns that one died instead.
    [Fact]
    public async Task Disposal_ends_when_another_rank_dies()
    {
        var transports = LocalTransport.Create(2);
        Communicator[] ranks = [.. transports.Select(one => new Communicator(one, new() { Timeout = Ranks.Timeout }))];
        Assert.Equal(2, ranks[0].Hosts.Count);
        transports[0].Stop(1);
        await Task.Run(ranks[0].Dispose).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.True(ranks[0].Failure.IsCancellationRequested);
        ranks[1].Dispose();
    }

    private static ReadOnlyMemory<byte>[] Nothing(int ranks) => new ReadOnlyMemory<byte>[ranks];

    private static Memory<byte>[] NoMemory(int ranks) => new Memory<byte>[ranks];
}
