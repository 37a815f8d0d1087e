using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

public class CommunicatorTests
{
    public static TheoryData<int> Sizes => [1, 2, 3, 4, 5];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void All_gather_gives_each_rank_the_bytes_of_all(int size)
    {
        // Empty, within the header, at its limit, beyond, and beyond what is sent eagerly.
        int[] lengths = [0, 1, 255, 256, 257, 5000, 20_000];
        var results = Ranks.Run(size, rank => lengths
            .Select(length => rank.AllGather("x", Bytes(rank.Rank, length + rank.Rank))).ToArray());
        for (var i = 0; i < lengths.Length; i++)
            for (var rank = 0; rank < size; rank++)
            {
                var expected = Bytes(rank, lengths[i] + rank);
                Assert.All(results, result => Assert.True(expected.AsSpan().SequenceEqual(result[i][rank])));
            }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Broadcast_gives_each_rank_the_bytes_of_the_root(int size)
    {
        for (var root = 0; root < size; root++)
            Assert.All(
                Ranks.Run(size, rank => rank.Broadcast("x", rank.Rank == root ? Bytes(root, 9999) : [], root)),
                result => Assert.Equal(Bytes(root, 9999), result));
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void An_exchange_carries_other_bytes_from_each_rank_to_each(int size)
    {
        var results = Ranks.Run(size, rank =>
        {
            // From r to p: 1000·r + 10·p bytes, nothing from 0 to 0.
            var receives = Enumerable.Range(0, size)
                .Select(peer => new Memory<byte>(new byte[1000 * peer + 10 * rank.Rank])).ToArray();
            rank.Begin(
                "x", [.. Enumerable.Range(0, size)
                    .Select(peer => (ReadOnlyMemory<byte>)Bytes(rank.Rank + 7 * peer, 1000 * rank.Rank + 10 * peer))],
                receives, "").Wait();
            return receives.Select(one => one.ToArray()).ToArray();
        });
        for (var rank = 0; rank < size; rank++)
            for (var peer = 0; peer < size; peer++)
                Assert.Equal(Bytes(peer + 7 * rank, 1000 * peer + 10 * rank), results[rank][peer]);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Nobody_leaves_a_barrier_before_all_came(int size)
    {
        var came = 0;
        Ranks.Run(size, rank =>
        {
            Thread.Sleep(10 * rank.Rank);
            Interlocked.Increment(ref came);
            rank.Barrier("x");
            Assert.Equal(size, Volatile.Read(ref came));
            return 0;
        });
    }

    [Fact]
    public void Many_exchanges_are_under_way_and_what_follows_comes_in_their_order()
    {
        const int Count = 300;
        Ranks.Run(3, rank =>
        {
            var order = new List<int>();
            var received = new byte[Count][];
            var exchanges = Enumerable.Range(0, Count).Select(i =>
            {
                received[i] = new byte[10 * i];
                return rank.Begin(
                    $"number {i}", [.. Enumerable.Repeat((ReadOnlyMemory<byte>)Bytes(i, 10 * i), 3)],
                    [.. Enumerable.Repeat<Memory<byte>>(received[i], 3)], "", () => order.Add(i));
            }).ToArray();
            foreach (var exchange in exchanges.Reverse()) exchange.Wait();
            Assert.Equal(Enumerable.Range(0, Count), order);
            Assert.All(exchanges, exchange => Assert.True(exchange.IsDone));
            for (var i = 0; i < Count; i++) Assert.Equal(Bytes(i, 10 * i), received[i]);
            return 0;
        });
    }

    // As gradients are: the pieces of a bucket are summed as soon as they are there, and the sums sent to all, while
    // this rank goes on with other calls, at other speeds on other ranks.
    [Fact]
    public void What_follows_an_exchange_may_begin_others()
    {
        var sums = Ranks.Run(3, rank =>
        {
            var random = new Random(rank.Rank);
            var (results, seconds) = (new byte[20][], new List<Exchange>());
            for (var i = 0; i < 20; i++)
            {
                var (index, pieces, whole) = (i, new byte[3][], new byte[3]);
                for (var peer = 0; peer < 3; peer++) pieces[peer] = new byte[1];
                ReadOnlyMemory<byte>[] own = [.. Enumerable.Range(0, 3).Select(
                    peer => (ReadOnlyMemory<byte>)new byte[] { (byte)(index + 10 * rank.Rank + peer) })];
                results[i] = whole;
                rank.Step = i;
                rank.Begin("scatter", own, [.. pieces.Select(piece => piece.AsMemory())], "", () =>
                {
                    var sum = new byte[] { (byte)pieces.Sum(piece => piece[0]) };
                    lock (seconds)
                        seconds.Add(rank.Begin(
                            "gather", [.. Enumerable.Repeat((ReadOnlyMemory<byte>)sum, 3)],
                            [.. Enumerable.Range(0, 3).Select(peer => whole.AsMemory(peer, 1))], ""));
                });
                if (random.Next(3) == 0) Thread.Sleep(1);
                if (i % 5 == 4) rank.AllGather("losses", [1]);
            }
            rank.Barrier("end");
            lock (seconds)
                foreach (var exchange in seconds) exchange.Wait();
            return results;
        });
        foreach (var results in sums)
            for (var i = 0; i < 20; i++)
                Assert.Equal([(byte)(3 * i + 30), (byte)(3 * i + 33), (byte)(3 * i + 36)], results[i]);
    }

    [Fact]
    public void What_follows_an_exchange_must_not_wait()
    {
        var errors = Ranks.Failures(2, rank =>
            rank.Begin("x", new ReadOnlyMemory<byte>[2], new Memory<byte>[2], "", () => rank.Barrier("y")).Wait());
        Assert.All(errors, error =>
            Assert.Contains("must not wait for another one; begin it and give it what follows",
                Assert.IsType<RankFailureException>(error).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_world_of_one_does_all_at_once_without_a_thread()
    {
        foreach (var one in (Communicator[])[Communicator.Alone, new(LocalTransport.Create(1)[0])])
        {
            Assert.Equal((0, 1, false), (one.Rank, one.Size, one.IsRunning));
            Assert.Equal([Environment.MachineName], one.Hosts);
            Assert.Equal([[1, 2]], one.AllGather("x", [1, 2]));
            Assert.Equal([1, 2], one.Broadcast("x", [1, 2]));
            one.Barrier("x");
            one.RequireAlike([("lr", "0.1")]);
            var (received, followed) = (new byte[2], false);
            var exchange = one.Begin("x", [new byte[] { 3, 4 }], [received], "", () => followed = true);
            Assert.True(exchange.IsDone && followed);
            exchange.Wait();
            Assert.Equal([3, 4], received);
            Assert.Equal(default, one.Statistics);
            one.Fail(new IOException());
            one.Barrier("still");
            one.Dispose();
        }
        Assert.Equal("alone", Communicator.Alone.TransportName);
    }

    [Fact]
    public void Statistics_count_bytes_and_time()
    {
        var all = Ranks.Run(3, rank =>
        {
            rank.Barrier("start");
            var before = rank.Statistics;
            rank.AllGather("x", new byte[1000 * (rank.Rank + 1)]);
            if (rank.Rank == 0) Thread.Sleep(200);
            var exchange = rank.Begin("y", new ReadOnlyMemory<byte>[3], new Memory<byte>[3], "");
            if (rank.Rank == 1) Thread.Sleep(300);
            exchange.Wait();
            return rank.Statistics - before;
        });
        for (var rank = 0; rank < 3; rank++)
        {
            Assert.Equal(2000 * (rank + 1), all[rank].BytesSent);
            Assert.Equal(6000 - 1000 * (rank + 1), all[rank].BytesReceived);
            Assert.Equal(2, all[rank].Messages);
        }
        // Rank 1 computed while rank 0 was waited for; rank 2 waited for both.
        Assert.InRange(all[1].HiddenTime.TotalSeconds, 0.1, 2);
        Assert.InRange(all[2].WaitTime.TotalSeconds, 0.1, 2);
        Assert.True(all[2].HiddenTime < all[1].HiddenTime);
    }

    [Fact]
    public void Hosts_are_known_to_all() =>
        Assert.All(Ranks.Run(3, rank => rank.Hosts), hosts => Assert.Equal(["a", "b", "c"], hosts));

    [Fact]
    public unsafe void Wrong_calls_are_refused_in_words()
    {
        using var one = Communicator.Alone;
        Refused(() => one.Broadcast("x", [], root: 1), "the root must be one of the 1 ranks: found 1");
        Refused(() => one.Begin("x", [], [], ""), "expected one entry for each of 1 ranks: found 0 to send and 0 to");
        Refused(
            () => one.Begin("x", new ReadOnlyMemory<byte>[1], [new byte[2]], ""), "gives itself 0 bytes and takes 2");
        // Never touched: the number alone is refused.
        var place = (void*)4096;
        Refused(
            () => one.AllGather("x", new ReadOnlySpan<byte>(place, int.MaxValue)),
            "a message has at most 2147483591 bytes: found 2147483647; send it in parts");
        Refused(() => new Communicator(LocalTransport.Create(1)[0], new() { Timeout = default }),
            "the timeout must be positive: found 00:00:00");
        Refused(() => LocalTransport.Create(0), "the number of ranks must be positive: found 0");
        one.Dispose();
        Refused(() => one.Barrier("x"), "Communicator: barrier 'x': it is disposed of");

        static void Refused(Action act, string text) => Assert.Contains(
            text, Assert.Throws<AdjointException>(act).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Facts_that_differ_are_named_on_all_ranks_alike()
    {
        var errors = Ranks.Failures(3, rank =>
        {
            rank.RequireAlike([("lr", "0.1")]);
            rank.RequireAlike(
            [
                ("lr", rank.Rank == 2 ? "0.1" : "0.01"),
                ("data", new string('x', 100) + (rank.Rank == 1 ? "b" : "a") + new string('y', 100)),
                rank.Rank == 1 ? ("gpu", "") : ("cpu", "v4"),
            ]);
        });
        var (same, rest) = (new string('x', 15), new string('y', 44));
        Assert.All(errors, error => Assert.Equal(
            $"rank 1 on b: data is …{same}b{rest}…, and …{same}a{rest}… on rank 0 on a; "
            + "rank 1 on b: cpu is not given, and v4 on rank 0 on a; "
            + "rank 1 on b: gpu is empty, and not given on rank 0 on a; "
            + "rank 2 on c: lr is 0.1, and 0.01 on rank 0 on a; "
            + "start all ranks with the same program, data and settings",
            Assert.IsType<AdjointException>(error).Message));
    }

    private static byte[] Bytes(int seed, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (byte)((i * 31) + (seed * 17) + (i >> 8)))];
}
