using System.Collections.Concurrent;
using System.Numerics;

namespace Adjoint.Memory;

/// <summary>
/// Pinned, reusable byte arrays in size buckets (four per power of two, so at most a fifth of a buffer is unused).
/// Fresh memory costs a page fault per 4 KB; a training step that finds its buffers here causes none.
/// </summary>
internal static class BufferPool
{
    /// <summary>Below a page, a plain managed array is cheaper than any pool and stays readable for good.</summary>
    internal const int SmallestPooled = 4096;

    /// <summary>Room to move the first element to a cache-line boundary.</summary>
    internal const int Alignment = 64;

    private const int BucketsPerOctave = 4;
    private static readonly ConcurrentStack<byte[]>[] Buckets = [.. Enumerable.Range(0, 33 * BucketsPerOctave).Select(_ => new ConcurrentStack<byte[]>())];
    private static long pooledBytes;
    private static long rentedBytes;
    private static long rentedAtLeast;

    /// <summary>Bytes that lie in the pool, ready for the next request.</summary>
    internal static long PooledBytes => Interlocked.Read(ref pooledBytes);

    /// <summary>Bytes handed out and not yet returned.</summary>
    internal static long RentedBytes => Interlocked.Read(ref rentedBytes);

    internal static byte[] Rent(long byteLength)
    {
        var bucket = BucketFor(byteLength + Alignment, out var size);
        // The last bucket ends where arrays do.
        size = Math.Min(size, Array.MaxLength);
        Interlocked.Add(ref rentedBytes, size);
        if (Buckets[bucket].TryPop(out var buffer))
        {
            Interlocked.Add(ref pooledBytes, -size);
            return buffer;
        }
        NudgeCollector();
        return GC.AllocateUninitializedArray<byte>((int)size, pinned: true);
    }

    internal static void Return(byte[] buffer)
    {
        LowerMark(Interlocked.Add(ref rentedBytes, -buffer.Length));
        Interlocked.Add(ref pooledBytes, buffer.Length);
        Buckets[BucketFor(buffer.Length, out _)].Push(buffer);
        if (PooledBytes > 64 << 20 && GC.GetGCMemoryInfo(GCKind.Any) is { HighMemoryLoadThresholdBytes: > 0 } info && info.MemoryLoadBytes > info.HighMemoryLoadThresholdBytes)
            Trim();
    }

    /// <summary>Counts a buffer as no longer rented that will not come back: someone still looks at it.</summary>
    internal static void Forget(byte[] buffer) => LowerMark(Interlocked.Add(ref rentedBytes, -buffer.Length));

    /// <summary>Gives everything that lies in the pool back to the garbage collector.</summary>
    internal static void Trim()
    {
        foreach (var bucket in Buckets)
            while (bucket.TryPop(out var buffer))
                Interlocked.Add(ref pooledBytes, -buffer.Length);
    }

    // Inference drops tensors without telling anyone: the small handles that own the buffers give the collector no
    // reason to run. When the pool runs out and much was rented since the last time, a collection lets their finalizers
    // hand the buffers back: a cheap young one first, a full one if that found little. What counts is the growth since
    // the least that was rented after the last collection: were it what that collection left, one large moment would allow
    // half of its size in garbage for as long as the process lives.
    private static void NudgeCollector()
    {
        var grown = RentedBytes - Interlocked.Read(ref rentedAtLeast);
        if (grown < Math.Max(32 << 20, Interlocked.Read(ref rentedAtLeast) / 2))
            return;
        var before = RentedBytes;
        for (var generation = 1; generation <= 2 && before - RentedBytes < grown / 2; generation++)
        {
            GC.Collect(generation, GCCollectionMode.Forced, blocking: true);
            GC.WaitForPendingFinalizers();
        }
        Interlocked.Exchange(ref rentedAtLeast, RentedBytes);
    }

    private static void LowerMark(long rented)
    {
        for (var mark = Interlocked.Read(ref rentedAtLeast); rented < mark;)
        {
            var found = Interlocked.CompareExchange(ref rentedAtLeast, rented, mark);
            if (found == mark) return;
            mark = found;
        }
    }

    private static int BucketFor(long bytes, out long size)
    {
        var log = BitOperations.Log2((ulong)(bytes - 1));
        var step = 1L << Math.Max(log - 2, 0);
        var quarter = (bytes - 1 - (1L << log)) / step + 1;
        size = (1L << log) + quarter * step;
        return log * BucketsPerOctave + (int)quarter - 1;
    }
}
