using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

/// <summary>Leaving a world: together where it is whole, at once where it is broken.</summary>
public class CommunicatorDisposalTests
{
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

    [Fact]
    public async Task Disposal_from_several_threads_leaves_the_world_once()
    {
        Communicator[] ranks = [.. LocalTransport.Create(2).Select(one => new Communicator(one))];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(ranks[i % 2].Dispose)));
        Assert.All(ranks, rank => Assert.True(SpinWait.SpinUntil(() => !rank.IsRunning, 2000)));
        Assert.All(ranks, rank => Assert.False(rank.Failure.IsCancellationRequested));
    }

    // As gradients are, where all ranks end in the middle of a step.
    [Fact]
    public async Task Exchanges_that_are_under_way_at_disposal_are_carried_out()
    {
        var transports = LocalTransport.Create(3);
        transports[0].Delay = TimeSpan.FromMilliseconds(20);
        // A timeout beyond what .NET can wait for.
        Communicator[] ranks =
            [.. transports.Select(one => new Communicator(one, new() { Timeout = TimeSpan.FromDays(100) }))];
        var gathered = 0;
        await Task.WhenAll(ranks.Select(rank => Task.Run(() =>
        {
            ReadOnlyMemory<byte>[] sends = [.. Enumerable.Repeat<ReadOnlyMemory<byte>>(new byte[100_000], 3)];
            Memory<byte>[] receives = [.. Enumerable.Range(0, 3).Select(_ => new byte[100_000].AsMemory())];
            rank.Begin("scatter", sends, receives, "", () =>
                rank.Begin("gather", sends, receives, "", () => Interlocked.Increment(ref gathered)));
            rank.Dispose();
        })));
        Assert.Equal(3, gathered);
        Assert.All(ranks, rank => Assert.False(rank.IsRunning));
        Assert.All(ranks, rank => Assert.False(rank.Failure.IsCancellationRequested));
    }
}
