using System.Runtime;

namespace Adjoint.Memory;

/// <summary>
/// Finds buffers of tensors that nobody refers to any more. Inference drops tensors without telling anyone, and the
/// small handles that own the buffers give the collector no reason to run. So when the pool has none left and much was
/// rented since the last time, the youngest objects are collected, and their finalizers hand the buffers back.
/// </summary>
/// <remarks>
/// That takes a fraction of a millisecond, however much else lives in the process: old objects are not looked at. What
/// was dropped after it had become old is beyond its reach; when that has grown, a collection of all objects is begun
/// in the background, where the process has that kind, and not waited for.
/// </remarks>
internal static class DroppedBuffers
{
    private const long Step = 32 << 20;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    // The least that was rented since the last collection. Were it what that collection left, one large moment would
    // allow a part of its size in garbage for as long as the process lives.
    private static long least;

    // What was rented, after a young collection, when the last collection of all objects had ended; which one that was;
    // and whether another was begun since.
    private static long afterFull, lastFull;
    private static bool isFullUnderWay;
    private static Task? finalizers;

    /// <summary>Notes how much is rented after a buffer was handed back.</summary>
    internal static void NoteRented(long rented)
    {
        for (var now = Interlocked.Read(ref least); rented < now;)
        {
            var found = Interlocked.CompareExchange(ref least, rented, now);
            if (found == now) return;
            now = found;
        }
    }

    /// <summary>Looks for dropped buffers, if enough was rented meanwhile; says whether it did.</summary>
    /// <param name="rented">Bytes handed out.</param>
    internal static bool Find(long rented)
    {
        var before = Interlocked.Read(ref least);
        if (rented - before < Math.Max(Step, before / 4)) return false;
        var mode = GCSettings.LatencyMode;
        if (mode is GCLatencyMode.LowLatency or GCLatencyMode.NoGCRegion) return false;
        // Of several threads that come here at once, one does it.
        if (Interlocked.CompareExchange(ref least, rented, before) != before) return false;
        GC.Collect(1, GCCollectionMode.Forced, blocking: true);
        AwaitFinalizers();
        if (mode is not GCLatencyMode.Batch) ConsiderFull(BufferPool.RentedBytes);
        return true;
    }

    private static void ConsiderFull(long left)
    {
        var full = Math.Max(GC.GetGCMemoryInfo(GCKind.Background).Index, GC.GetGCMemoryInfo(GCKind.FullBlocking).Index);
        if (full != Interlocked.Read(ref lastFull))
        {
            Interlocked.Exchange(ref lastFull, full);
            Interlocked.Exchange(ref afterFull, left);
            Volatile.Write(ref isFullUnderWay, false);
        }
        else if (!Volatile.Read(ref isFullUnderWay)
            && left > 2 * Interlocked.Read(ref afterFull) + 8 * Step + OthersInHeap(left) / 4)
        {
            Volatile.Write(ref isFullUnderWay, true);
            GC.Collect(2, GCCollectionMode.Forced, blocking: false);
        }
    }

    // A collection of all objects takes as long as there are others, so it is to find in proportion.
    private static long OthersInHeap(long rented) =>
        Math.Max(0, GC.GetGCMemoryInfo(GCKind.Any).HeapSizeBytes - rented - BufferPool.PooledBytes);

    // Waited for on a thread of its own: a finalizer of others may be slow, or want a lock that the caller holds.
    private static void AwaitFinalizers()
    {
        if (Volatile.Read(ref finalizers) is { IsCompleted: false }) return;
        var run = Task.Factory.StartNew(
            GC.WaitForPendingFinalizers, default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Volatile.Write(ref finalizers, run);
        run.Wait(Patience);
    }
}
