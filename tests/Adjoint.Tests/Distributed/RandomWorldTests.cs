using Adjoint.Distributed;

namespace Adjoint.Tests.Distributed;

/// <summary>
/// Random programs of calls on random worlds, of which one rank ends in a random way at a random place: every rank ends
/// in time, with all results right up to there, and names that rank.
/// </summary>
public class RandomWorldTests
{
    private const int Programs = 6;

    // What goes wrong, on one rank.
    private enum Fault
    {
        Nothing,
        Throws,
        LeavesEarly,
        FailsFromAnotherThread,
        DisposesFromAnotherThread,
        Aborts,
        FallsSilent,
        Hangs,
        CallsSomethingElse,
        ThrowsInWhatFollows,
    }

    [Fact]
    public void All_ranks_end_and_name_the_one_that_failed()
    {
        var programs = Environment.GetEnvironmentVariable("ADJOINT_LONG") is null ? Programs : 80 * Programs;
        var seed = Environment.GetEnvironmentVariable("ADJOINT_SEED") is { } given
            ? int.Parse(given)
            : Random.Shared.Next();
        for (var i = 0; i < programs; i++) Run(seed + i);
    }

    private static void Run(int seed)
    {
        var random = new Random(seed);
        var size = new[] { 2, 3, 5, 8 }[random.Next(4)];
        var calls = random.Next(1, 20);
        var fault = (Fault)random.Next(10);
        var (faulty, at) = (random.Next(size), random.Next(calls));
        var timeout = TimeSpan.FromSeconds(fault is Fault.FallsSilent or Fault.Hangs ? 1 : 30);
        var name = $"seed {seed}: {size} ranks, {calls} calls, rank {faulty} {fault} at call {at}";
        LocalTransport[] transports = [];
        var hanging = new ManualResetEventSlim();
        TestContext.Current.TestOutputHelper?.WriteLine(name);
        var errors = Ranks.Failures(
            size, rank => Program(rank, seed, calls, call =>
            {
                if (call == at && fault == Fault.ThrowsInWhatFollows)
                    rank.Begin(
                        "more", new ReadOnlyMemory<byte>[size], new Memory<byte>[size], "",
                        rank.Rank == faulty ? () => throw new IOException("the disk is full") : null);
                if (call != at || rank.Rank != faulty) return false;
                switch (fault)
                {
                    case Fault.Throws:
                        throw new IOException("the disk is full");
                    case Fault.FailsFromAnotherThread:
                        Task.Run(() => rank.Fail(new IOException("the disk is full")));
                        break;
                    case Fault.DisposesFromAnotherThread:
                        for (var i = 0; i < 2; i++) Task.Run(rank.Dispose);
                        break;
                    case Fault.Aborts:
                        rank.Abort(1);
                        break;
                    case Fault.FallsSilent:
                        transports[0].Stop(faulty);
                        break;
                    case Fault.Hangs:
                        transports[0].Hang(faulty, hanging);
                        break;
                    case Fault.CallsSomethingElse:
                        rank.Barrier("something else");
                        break;
                }
                return fault == Fault.LeavesEarly;
            }), timeout, all => transports = all);
        hanging.Set();
        for (var rank = 0; rank < size; rank++)
            switch (errors[rank])
            {
                case null:
                    // What another thread does may come when all have ended.
                    Assert.True(
                        fault is Fault.Nothing or Fault.ThrowsInWhatFollows or Fault.FailsFromAnotherThread
                            or Fault.DisposesFromAnotherThread
                        || (fault == Fault.LeavesEarly && rank == faulty), $"{name}: rank {rank} ends well");
                    break;
                case RankFailureException failure:
                    // Who hears nobody any more cannot know who failed; two that are in different calls are both named.
                    Assert.True(
                        failure.Rank == faulty || fault == Fault.CallsSomethingElse
                        || (fault is Fault.FallsSilent or Fault.Hangs && rank == faulty),
                        $"{name}: rank {rank}: {failure.Message}");
                    break;
                case AdjointException disposed:
                    Assert.True(
                        rank == faulty && fault == Fault.DisposesFromAnotherThread,
                        $"{name}: rank {rank}: {disposed.Message}");
                    break;
                case var other:
                    Assert.True(rank == faulty && fault == Fault.Throws, $"{name}: rank {rank}: {other}");
                    break;
            }
    }

    // The same on all ranks, until `stops` says otherwise.
    private static void Program(Communicator rank, int seed, int calls, Func<int, bool> stops)
    {
        var random = new Random(seed);
        var waits = new List<(Exchange Exchange, Action Check)>();
        for (var call = 0; call < calls; call++)
        {
            if (stops(call)) return;
            rank.Step = call;
            var (kind, scale, root) = (random.Next(5), random.Next(7), random.Next(rank.Size));
            var (length, id) = (random.Next((int)Math.Pow(10, scale) + 1), call);
            switch (kind)
            {
                case 0:
                    Same(rank.Broadcast("x", rank.Rank == root ? Bytes(root, id, length) : [], root), root, id, length);
                    break;
                case 1:
                    var all = rank.AllGather("x", Bytes(rank.Rank, id, length + rank.Rank));
                    for (var other = 0; other < rank.Size; other++) Same(all[other], other, id, length + other);
                    break;
                case 2:
                    rank.Barrier("x");
                    break;
                default:
                    // To and from each rank another length; waited for now, or later, in any order.
                    var receives = Enumerable.Range(0, rank.Size)
                        .Select(from => new Memory<byte>(new byte[length + 3 * from + rank.Rank])).ToArray();
                    var exchange = rank.Begin(
                        "x", [.. Enumerable.Range(0, rank.Size).Select(to =>
                            (ReadOnlyMemory<byte>)Bytes(rank.Rank, id, length + 3 * rank.Rank + to))], receives, "");
                    waits.Add((exchange, () =>
                    {
                        for (var from = 0; from < rank.Size; from++)
                            Same(receives[from].Span, from, id, length + 3 * from + rank.Rank);
                    }
                    ));
                    break;
            }
            while (waits.Count > random.Next(4))
            {
                var next = random.Next(waits.Count);
                waits[next].Exchange.Wait();
                waits[next].Check();
                waits.RemoveAt(next);
            }
        }
        foreach (var (exchange, check) in waits)
        {
            exchange.Wait();
            check();
        }
    }

    private static byte[] Bytes(int rank, int call, int length)
    {
        var bytes = new byte[length];
        new Random(1000 * call + rank).NextBytes(bytes);
        return bytes;
    }

    private static void Same(ReadOnlySpan<byte> found, int rank, int call, int length)
    {
        if (!found.SequenceEqual(Bytes(rank, call, length)))
            throw new InvalidOperationException($"not what rank {rank} gave in call {call}");
    }
}
