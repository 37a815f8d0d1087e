using System.Diagnostics;
using System.Globalization;
using Adjoint.Distributed;
using Adjoint.Mpi;

namespace Adjoint.Bench;

/// <summary>
/// What an exchange costs between the ranks that <c>mpirun</c> started, by its bytes: the time of a broadcast that is
/// sent back and forth, halved. The line through the smallest gives the latency, the largest the bandwidth.
/// </summary>
internal static class LinkReport
{
    internal static int Run()
    {
        using var world = MpiCommunicator.Open();
        if (world.Size != 2)
        {
            Console.Error.WriteLine("scaling --link: start it with two ranks: mpirun -n 2 dotnet … scaling --link");
            return 2;
        }
        if (world.Rank == 0) Console.WriteLine($"{world.TransportName}\n| bytes | one way µs | MB/s |\n|---|---|---|");
        for (var bytes = 8; bytes <= 32 << 20; bytes *= 8)
        {
            var rounds = Math.Clamp((64 << 20) / bytes, 10, 2000);
            var own = new byte[bytes];
            Pass(world, own, rounds / 10 + 1);
            var start = Stopwatch.GetTimestamp();
            Pass(world, own, rounds);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds / rounds / 2;
            if (world.Rank == 0)
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {bytes:N0} | {seconds * 1e6:0.0} | {bytes / seconds / 1e6:0} |"));
        }
        return 0;
    }

    private static void Pass(Communicator world, byte[] own, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            world.Broadcast("ping", world.Rank == 0 ? own : []);
            world.Broadcast("pong", world.Rank == 1 ? own : [], root: 1);
        }
    }
}
