using Adjoint.Distributed;

namespace Adjoint.RankProgram;

/// <summary>Every collective, at lengths around those where a transport or a header changes its way.</summary>
internal static class CollectiveChecks
{
    private static readonly int[] Lengths = [0, 1, 255, 256, 257, 4095, 4096, 4097, 65_536, 300_001];

    internal static void Run(Communicator communicator)
    {
        var (rank, size) = (communicator.Rank, communicator.Size);
        foreach (var length in Lengths)
        {
            // Ranks give different lengths.
            var all = communicator.AllGather("numbers", Bytes(rank, length + rank));
            for (var other = 0; other < size; other++) Expect(all[other], other, length + other);
            for (var root = 0; root < size; root++)
                Expect(communicator.Broadcast("numbers", root == rank ? Bytes(root, length) : [], root), root, length);
        }
        communicator.Barrier("end");
        // A fault of .NET is an exception still: MPI libraries have handlers of their own.
        try
        {
            Console.WriteLine(Missing()!.Length);
        }
        catch (NullReferenceException)
        {
            return;
        }
        throw new InvalidOperationException("no exception came");
    }

    private static string? Missing() => Environment.GetEnvironmentVariable("ADJOINT_NO_SUCH_VARIABLE");

    /// <summary>Bytes that tell the rank they come from and their place.</summary>
    internal static byte[] Bytes(int rank, int length)
    {
        var bytes = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        for (var i = 0; i < length; i++) bytes[i] = (byte)(31 * rank + 7 * i + i / 251);
        return bytes;
    }

    internal static void Expect(byte[] bytes, int rank, int length)
    {
        if (!bytes.AsSpan().SequenceEqual(Bytes(rank, length)))
            throw new InvalidOperationException($"not the {length} bytes of rank {rank}: {bytes.Length}");
    }
}
