using System.Diagnostics;
using Adjoint.Distributed;
using Adjoint.Mpi;

namespace Adjoint.RankProgram;

/// <summary>The transport by itself: rings in both directions, orders, lengths; its speed.</summary>
internal static class TransportChecks
{
    internal static int Run()
    {
        using var transport = MpiTransport.TryOpen()!;
        transport.LargestPart = 1 << 20;
        var (rank, size) = (transport.Rank, transport.Size);
        foreach (var shift in new[] { 1, size - 1 })
            foreach (var length in new[] { 0, 1, 70_000, 2_000_003 })
            {
                var (to, from) = ((rank + shift) % size, (rank + size - shift) % size);
                var received = new byte[length];
                // Some post the receipt first, some the sending.
                Transfer[] both = rank % 2 == 0
                    ? [transport.Receive(from, 1, received),
                        transport.Send(to, 1, CollectiveChecks.Bytes(rank, length))]
                    : [transport.Send(to, 1, CollectiveChecks.Bytes(rank, length)),
                        transport.Receive(from, 1, received)];
                Await(transport, both);
                CollectiveChecks.Expect(received, from, length);
            }
        Order(transport);
        Length(transport);
        return 0;
    }

    /// <summary>The time of an exchange with a neighbor: latency by short ones, bandwidth by long ones.</summary>
    internal static int Measure()
    {
        using var transport = MpiTransport.TryOpen()!;
        foreach (var length in new[] { 8, 65_536, 4 << 20 }) Speed(transport, length);
        return 0;
    }

    // Channels are independent, and keep their order, also where a long message goes ahead of a short one.
    private static void Order(MpiTransport transport)
    {
        var (to, from) = ((transport.Rank + 1) % transport.Size,
            (transport.Rank + transport.Size - 1) % transport.Size);
        int[] lengths = [200_000, 3, 0, 40_000, 17];
        var sends = new[] { 1, 2 }.SelectMany(channel =>
            lengths.Select(length => transport.Send(to, channel, CollectiveChecks.Bytes(channel, length)))).ToArray();
        var received = new[] { 2, 1 }.SelectMany(channel => lengths.Select(length => (channel, length)))
            .Select(one => (one.channel, Bytes: new byte[one.length])).ToArray();
        Await(transport, [.. received.Select(one => transport.Receive(from, one.channel, one.Bytes)), .. sends]);
        foreach (var (channel, bytes) in received) CollectiveChecks.Expect(bytes, channel, bytes.Length);
    }

    // More and fewer bytes than waited for.
    private static void Length(MpiTransport transport)
    {
        var (to, from) = ((transport.Rank + 1) % transport.Size,
            (transport.Rank + transport.Size - 1) % transport.Size);
        foreach (var length in new[] { 2, 4 })
        {
            Await(transport, transport.Send(to, 3, new byte[3]));
            try
            {
                Await(transport, transport.Receive(from, 3, new byte[length]));
                throw new InvalidOperationException("3 bytes were taken for others");
            }
            catch (TransportException error)
            {
                Console.WriteLine($"{transport.Rank} {error.Message}");
            }
        }
    }

    private static void Speed(MpiTransport transport, int length)
    {
        var (to, from) = ((transport.Rank + 1) % transport.Size,
            (transport.Rank + transport.Size - 1) % transport.Size);
        byte[] sent = CollectiveChecks.Bytes(0, length), received = CollectiveChecks.Bytes(0, length);
        var times = new double[length < 1 << 20 ? 200 : 10];
        for (var i = 0; i < times.Length; i++)
        {
            var begin = Stopwatch.GetTimestamp();
            Await(transport, transport.Receive(from, 1, received), transport.Send(to, 1, sent));
            times[i] = Stopwatch.GetElapsedTime(begin).TotalMicroseconds;
        }
        Array.Sort(times);
        if (transport.Rank == 0)
            Console.WriteLine(
                $"{transport.Rank} {transport.Name} exchange of {length} bytes: {times[times.Length / 2]:F1} µs");
    }

    private static void Await(MpiTransport transport, params Transfer[] transfers)
    {
        foreach (var transfer in transfers)
            while (!transport.IsDone(transfer)) Thread.Yield();
    }
}
