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
        foreach (var length in (int[])[0, 1, 255, 256, 257, 5000, 100_000])
        {
            var results = Ranks.Run(size, rank => rank.AllGather("x", Bytes(rank.Rank, length + rank.Rank)));
            Assert.All(results, result => Assert.Equal(
                Enumerable.Range(0, size).Select(rank => Bytes(rank, length + rank)), result));
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

    private static byte[] Bytes(int seed, int length) =>
        [.. Enumerable.Range(0, length).Select(i => (byte)((i * 31) + (seed * 17) + (i >> 8)))];
}
