using System.Runtime;

namespace Adjoint.Memory;

/// <summary>
/// Lets the collector see buffers of tensors that nobody refers to any more. Code without gradients drops tensors
/// without telling anyone, and the small handles that own the buffers give the collector no reason to run. So what is
/// left to it weighs on its budget for young objects, half of its size, by arrays that nobody writes to or keeps. When
/// the budget is spent, the collector runs as for any program's garbage, and finalizers hand the buffers back.
/// </summary>
/// <remarks>
/// A young collection takes a fraction of a millisecond, however much else lives in the process: old objects are not
/// looked at. But what it finds in use grows older, and is found later when it is dropped. So one is worth its while in
/// proportion to what the last one left: the more, the less each buffer weighs. What <c>Backward()</c> hands back, or
/// the part of a network that made it, weighs nothing.
/// </remarks>
internal static class DroppedBuffers
{
    // Up to so many bytes that the last collection left rented, each new one weighs a half.
    private const long Few = 128 << 20;
    // An array of this length is young: those from 85,000 bytes on are not.
    private const int Piece = 64 << 10;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    // Bytes rented and not handed back by who rented them, and the most there ever were: a training step moves the
    // first up and down, and what is dropped moves both up for good.
    private static long left, most;
    private static long owed;

    // The least that was rented since the last collection. What is rented at the moment will not do: it counts what is
    // dropped, and the more of it there is, the later it would be found.
    private static long least;

    // The one piece that a collection finds in use. It spends the budget of the next generation, where what was in use
    // at that moment is to be found: without it that takes some sixty collections of the youngest, with it four.
    private static byte[]? newest;
    private static int collections;
    private static bool mayFind;
    private static Task? finalizers;

    /// <summary>Counts what is rented.</summary>
    internal static void NoteRented(long bytes)
    {
        var now = Interlocked.Add(ref left, bytes);
        for (var before = Interlocked.Read(ref most); now > before;)
        {
            var found = Interlocked.CompareExchange(ref most, now, before);
            if (found == before)
            {
                Weigh((now - before) * Few / (2 * Math.Max(Few, Interlocked.Read(ref least))));
                return;
            }
            before = found;
        }
    }

    /// <summary>
    /// Counts what is handed back, which leaves so much <paramref name="rented"/>; unless it <paramref
    /// name="isDropped"/>, by who rented it.
    /// </summary>
    internal static void NoteReturned(long bytes, bool isDropped, long rented)
    {
        if (!isDropped) Interlocked.Add(ref left, -bytes);
        for (var now = Interlocked.Read(ref least); rented < now;)
        {
            var found = Interlocked.CompareExchange(ref least, rented, now);
            if (found == now) return;
            now = found;
        }
    }

    /// <summary>Waits for what the collector found, once after each collection; says whether it did.</summary>
    internal static bool Await()
    {
        if (!Interlocked.Exchange(ref mayFind, false)) return false;
        AwaitFinalizers();
        return true;
    }

    private static void Weigh(long bytes)
    {
        for (var due = Interlocked.Add(ref owed, bytes); due >= Piece;)
        {
            var found = Interlocked.CompareExchange(ref owed, due - Piece, due);
            if (found == due)
            {
                // There every byte counts against what the process asked to get by with.
                if (GCSettings.LatencyMode is not GCLatencyMode.NoGCRegion)
                    newest = GC.AllocateUninitializedArray<byte>(Piece);
                NoteCollection();
                due -= Piece;
            }
            else due = found;
        }
    }

    private static void NoteCollection()
    {
        var count = GC.CollectionCount(0);
        if (Interlocked.Exchange(ref collections, count) == count) return;
        Interlocked.Exchange(ref least, BufferPool.RentedBytes);
        Volatile.Write(ref mayFind, true);
    }

    /// <summary>Waits for what the collector found, but not for long.</summary>
    internal static void AwaitFinalizers()
    {
        // On a thread of its own: a finalizer of others may be slow, or want a lock that the caller holds.
        if (Volatile.Read(ref finalizers) is { IsCompleted: false }) return;
        var run = Task.Factory.StartNew(
            GC.WaitForPendingFinalizers, default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Volatile.Write(ref finalizers, run);
        run.Wait(Patience);
    }
}
