using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

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
    private static readonly ConcurrentStack<byte[]>[] Buckets =
        [.. Enumerable.Range(0, 33 * BucketsPerOctave).Select(_ => new ConcurrentStack<byte[]>())];
    private static long pooledBytes;
    private static long rentedBytes;
    private static long limit = long.MaxValue;
    private static int collectionsAtLoadCheck;

    /// <summary>Bytes that lie in the pool, ready for the next request.</summary>
    internal static long PooledBytes => Interlocked.Read(ref pooledBytes);

    /// <summary>Bytes handed out and not yet returned.</summary>
    internal static long RentedBytes => Interlocked.Read(ref rentedBytes);

    /// <summary>The most that may lie in the pool.</summary>
    internal static long Limit
    {
        get => Interlocked.Read(ref limit);
        set
        {
            Interlocked.Exchange(ref limit, value);
            Trim(value);
        }
    }

    internal static byte[] Rent(long byteLength)
    {
        var bucket = BucketFor(byteLength, out var size);
        // The last bucket ends where arrays do.
        size = Math.Min(size + Alignment, Array.MaxLength);
        if (!TryPop(bucket, out var buffer) && DroppedBuffers.Await()) TryPop(bucket, out buffer);
        buffer ??= Allocate((int)size);
        Interlocked.Add(ref rentedBytes, size);
        DroppedBuffers.NoteRented(size);
        return buffer;
    }

    /// <summary>Takes a buffer back, from who rented it or, where that one dropped it, from a finalizer.</summary>
    internal static void Return(byte[] buffer, bool isDropped)
    {
        Forget(buffer, isDropped);
        if (Interlocked.Add(ref pooledBytes, buffer.Length) > Limit)
        {
            Interlocked.Add(ref pooledBytes, -buffer.Length);
            return;
        }
        try
        {
            Buckets[BucketFor(buffer.Length - Alignment, out _)].Push(buffer);
        }
        catch (OutOfMemoryException)
        {
            // On the finalizer's thread it would end the process; and there is room again without this buffer.
            Interlocked.Add(ref pooledBytes, -buffer.Length);
        }
        if (PooledBytes > 64 << 20 && IsMemoryShort()) Trim();
    }

    /// <summary>Counts a buffer as no longer rented that does not come back: someone still looks at it.</summary>
    internal static void Forget(byte[] buffer, bool isDropped) =>
        DroppedBuffers.NoteReturned(buffer.Length, isDropped, rented: Interlocked.Add(ref rentedBytes, -buffer.Length));

    /// <summary>Gives what lies in the pool to the collector, the largest first, until so much is left.</summary>
    internal static void Trim(long keep = 0)
    {
        for (var bucket = Buckets.Length - 1; bucket >= 0; bucket--)
            while (PooledBytes > keep && TryPop(bucket, out _)) { }
    }

    /// <summary>
    /// Takes out all that lies in the pool, in the order of addresses: the collector frees whole regions only, so that
    /// who goes on with some of it had better take neighbors.
    /// </summary>
    internal static byte[][] TakeAll()
    {
        var taken = new List<byte[]>();
        for (var bucket = 0; bucket < Buckets.Length; bucket++)
            while (TryPop(bucket, out var buffer)) taken.Add(buffer!);
        return [.. taken.OrderBy(Address)];
    }

    /// <summary>How many bytes into a pinned array the first cache line begins.</summary>
    internal static int Misalignment(byte[] pinned) => (int)(-Address(pinned) & (Alignment - 1));

    private static unsafe nint Address(byte[] pinned) =>
        (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));

    /// <summary>Fresh pinned memory that the pool does not count.</summary>
    /// <exception cref="AdjointException">The process may not have so much.</exception>
    internal static byte[] Allocate(int size)
    {
        // A process may have a limit far below what the machine has: a container's, or one of its own. There the
        // collector fails, for other threads and other objects too, since it cannot know that what lies in the pool is
        // free.
        var available = GC.GetGCMemoryInfo(GCKind.Any).TotalAvailableMemoryBytes;
        Trim(keep: Math.Max(0, available / 10 * 9 - RentedBytes - size));
        if (TryAllocate(size, out _) is { } fresh) return fresh;
        DroppedBuffers.AwaitFinalizers();
        Trim();
        if (TryAllocate(size, out _) is { } found) return found;
        // What it frees it keeps in pieces of the old size, unless it is told that this is the last resort.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        return TryAllocate(size, out var error) ?? throw new AdjointException(
            $"Tensor: {size:N0} bytes cannot be allocated: other tensors hold {RentedBytes:N0}, and the process may "
            + $"have {available:N0} in all; use smaller sizes or batches, hold fewer tensors, or raise the "
            + "limit", error!);
    }

    private static byte[]? TryAllocate(int size, out OutOfMemoryException? error)
    {
        error = null;
        try
        {
            return GC.AllocateUninitializedArray<byte>(size, pinned: true);
        }
        catch (OutOfMemoryException failure)
        {
            error = failure;
            return null;
        }
    }

    private static bool TryPop(int bucket, out byte[]? buffer)
    {
        if (!Buckets[bucket].TryPop(out buffer)) return false;
        Interlocked.Add(ref pooledBytes, -buffer.Length);
        return true;
    }

    // The collector measures the load of the machine when it runs.
    private static bool IsMemoryShort()
    {
        var collections = GC.CollectionCount(0);
        if (Interlocked.Exchange(ref collectionsAtLoadCheck, collections) == collections) return false;
        var info = GC.GetGCMemoryInfo(GCKind.Any);
        return info.HighMemoryLoadThresholdBytes > 0 && info.MemoryLoadBytes > info.HighMemoryLoadThresholdBytes;
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
