using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Adjoint.Memory;

/// <summary>Who hands a buffer back to the pool.</summary>
internal enum Lifetime
{
    /// <summary>The finalizer, when nothing refers to it.</summary>
    Free,

    /// <summary>The graph whose forward pass made it, one <c>Backward()</c> later.</summary>
    Forward,

    /// <summary>The running backward pass, as soon as the gradient has been used.</summary>
    Backward,
}

/// <summary>
/// The bytes behind one or more tensors. Nobody disposes a storage: the graph that made it, or the finalizer, hands
/// its buffer back to the pool. A storage that was released stays released: every later access throws and says why,
/// so a recycled buffer can never show stale numbers.
/// </summary>
public sealed class Storage
{
    /// <summary>What one storage can hold: a .NET array's length, less the room to align its first element.</summary>
    internal const int MaxBytes = 0x7FFFFFC7 - BufferPool.Alignment;

    private byte[]? buffer;
    private readonly int start;
    private string? releaseReason;
    private volatile bool isLent;
    private volatile bool isShared;
    private readonly bool isOfArena;
    private readonly int thread;

    private Storage(byte[] buffer, int start, int byteLength, bool pooled, Arena? arena = null)
    {
        (Arena, isOfArena) = (arena, arena is not null);
        if (pooled) thread = Environment.CurrentManagedThreadId;
        this.buffer = buffer;
        this.start = start;
        ByteLength = byteLength;
        IsPooled = pooled;
        if (!pooled || arena is not null)
            GC.SuppressFinalize(this);
    }

    /// <summary>Hands a dropped buffer back to the pool.</summary>
    ~Storage() => Release("nothing referred to it any more");

    /// <summary>The number of bytes.</summary>
    public int ByteLength { get; }

    /// <summary>Counts writes in place; a graph compares it with the count at the time it saved the tensor.</summary>
    public int Version { get; internal set; }

    /// <summary>
    /// Whether the buffer comes from the pool; small ones do not and stay readable for good, save a captured step's.
    /// </summary>
    public bool IsPooled { get; }

    /// <summary>Whether the buffer was handed back.</summary>
    public bool IsReleased => Volatile.Read(ref releaseReason) is not null;

    /// <summary>Never recycled by a graph: parameters, gradients of leaves, and what the user marked <c>Keep()</c>.</summary>
    internal bool IsKept { get; set; }

    /// <summary>Who recycles the buffer.</summary>
    internal Lifetime Lifetime { get; set; }

    /// <summary>How many pending gradients of a running backward pass share this storage.</summary>
    internal int PendingUses { get; set; }

    /// <summary>The captured step that owns or, while it records, guards this memory.</summary>
    internal Arena? Arena { get; set; }

    /// <summary>
    /// Whether a captured step looks at these bytes: then no release hands them to the pool, and the collector takes
    /// them when nobody looks any more.
    /// </summary>
    internal bool IsLent => isLent;

    /// <summary>Another storage over the same bytes; hands nothing back and outlives a release of this one.</summary>
    internal Storage Alias()
    {
        // Noted before the buffer is read: a release on another thread takes the buffer away before it asks.
        isLent = true;
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref buffer) is not { } bytes) throw Released();
        return new(bytes, start, ByteLength, pooled: false);
    }

    /// <exception cref="AdjointException">The storage was released.</exception>
    internal void RequireAlive()
    {
        if (IsReleased) throw Released();
    }

    /// <summary>Allocates <paramref name="byteLength"/> bytes, uninitialised when large, zero when small.</summary>
    /// <exception cref="AdjointException">They are more than fit one buffer.</exception>
    internal static Storage Allocate(long byteLength) => Allocate(byteLength, Execution.Current);

    /// <inheritdoc cref="Allocate(long)"/>
    internal static Storage Allocate(long byteLength, Execution execution)
    {
        if (byteLength > MaxBytes) ThrowTooLarge(byteLength);
        Storage storage;
        if (BufferGuard.IsOn)
        {
            var guarded = BufferGuard.Rent(checked((int)byteLength), Misalignment, out var at);
            storage = new Storage(guarded, at, (int)byteLength, byteLength >= BufferPool.SmallestPooled, execution.Arena);
            execution.Arena?.NoteMade(storage);
        }
        else if (execution.Arena is { } arena)
        {
            var isSmall = byteLength < BufferPool.SmallestPooled;
            var place = arena.Rent(byteLength);
            storage = new Storage(place, Misalignment(place), (int)byteLength, pooled: !isSmall, arena);
            arena.NoteMade(storage);
            if (isSmall) Array.Clear(place);
        }
        else if (byteLength < BufferPool.SmallestPooled)
        {
            storage = new Storage(new byte[byteLength], 0, (int)byteLength, pooled: false);
        }
        else
        {
            var buffer = BufferPool.Rent(byteLength);
            storage = new Storage(buffer, Misalignment(buffer), (int)byteLength, pooled: true);
        }
        execution.Allocated?.Add(storage);
        return storage;
    }

    /// <summary>The bytes; throws when the storage was released.</summary>
    internal Span<byte> Bytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            if (IsPooled && thread != Environment.CurrentManagedThreadId) NoteShared();
            var bytes = buffer;
            if (bytes is null)
                ThrowReleased();
            Arena?.Check(isOfArena);
            return MemoryMarshal.CreateSpan(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(bytes!), start), ByteLength);
        }
    }

    /// <summary>Hands the buffer back to the pool; small storages ignore this.</summary>
    internal void Release(string reason)
    {
        if (!IsPooled || Interlocked.CompareExchange(ref releaseReason, reason, null) is not null)
            return;
        var bytes = Interlocked.Exchange(ref buffer, null);
        GC.SuppressFinalize(this);
        if (bytes is not null) HandBack(bytes, isLookedAt: isLent);
    }

    /// <summary>
    /// Ends what a captured step made, small storages included: replays write to these bytes, or leave them as they
    /// were when the step was recorded.
    /// </summary>
    internal void Retire(string reason)
    {
        if (IsPooled) Release(reason);
        else if (Interlocked.CompareExchange(ref releaseReason, reason, null) is null)
            Interlocked.Exchange(ref buffer, null);
    }

    private static void ThrowTooLarge(long byteLength) => throw new AdjointException(
        $"Tensor: {byteLength:N0} bytes do not fit one buffer; the largest tensor is {MaxBytes:N0} bytes; split it");

    /// <summary>
    /// Releases what one thread alone has touched. What another has, may be in use there: it stays readable, and the
    /// finalizer hands it back.
    /// </summary>
    internal void ReleaseUnlessShared(string reason)
    {
        if (!IsPooled || isShared || Interlocked.CompareExchange(ref releaseReason, reason, null) is not null)
            return;
        if (Interlocked.Exchange(ref buffer, null) is not { } bytes) return;
        GC.SuppressFinalize(this);
        // The other thread notes itself before it takes the address.
        HandBack(bytes, isLookedAt: isLent || isShared);
    }

    private void HandBack(byte[] bytes, bool isLookedAt)
    {
        if (BufferGuard.IsOn) BufferGuard.Return(bytes, start, ByteLength, isLookedAt);
        else if (Arena is { } owner) owner.Return(bytes);
        else if (isLookedAt) BufferPool.Forget(bytes);
        else BufferPool.Return(bytes);
    }

    private void NoteShared()
    {
        if (isShared) return;
        isShared = true;
        Interlocked.MemoryBarrier();
    }

    private void ThrowReleased() => throw Released();

    private AdjointException Released() => new(Arena is null
        ? $"Tensor: its memory was recycled: {releaseReason}; call .Keep() on the tensor before Backward(), copy it "
            + "with .Clone(), or pass retainGraph: true"
        : "Tensor: it was made inside a captured step, whose memory every replay overwrites; only the loss and the "
            + "parameters' gradients come out of a captured step: compute it outside, or run the step eagerly");

    private static unsafe int Misalignment(byte[] pinned)
    {
        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
        return (int)(-address & (BufferPool.Alignment - 1));
    }
}
