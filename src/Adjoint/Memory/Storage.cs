using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Adjoint.Memory;

/// <summary>Who hands a buffer back to the pool.</summary>
internal enum Lifetime : byte
{
    /// <summary>The finalizer, when nothing refers to it.</summary>
    Free,

    /// <summary>The graph whose forward pass made it, one <c>Backward()</c> later.</summary>
    Forward,

    /// <summary>The running backward pass, as soon as the gradient has been used.</summary>
    Backward,

    /// <summary>The node whose op allocated and saved it, as soon as backward went through for the last time.</summary>
    Node,
}

/// <summary>
/// The bytes behind one or more tensors. Nobody disposes a storage: the graph that made it, or its buffer's finalizer,
/// hands the buffer back to the pool. A released storage stays released: every later access throws and says why, so a
/// recycled buffer never shows stale numbers.
/// </summary>
public class Storage
{
    /// <summary>What one storage can hold: a .NET array's length, less the room to align its first element.</summary>
    internal const int MaxBytes = 0x7FFFFFC7 - BufferPool.Alignment;

    private const int MaxInline = 64;

    // Small storages have their bytes to themselves, and nobody ever takes them away. Only where there is more to know
    // is there a buffer to know it.
    private StorageBuffer? buffer;

    private Storage(int byteLength) => ByteLength = byteLength;

    private Storage(StorageBuffer buffer, int byteLength) : this(byteLength) => this.buffer = buffer;

    /// <summary>The size of the storage, in bytes.</summary>
    public int ByteLength { get; }

    /// <summary>The device whose memory holds the bytes.</summary>
    public Device Device => buffer is ForeignBuffer foreign ? foreign.Device : Device.Cpu;

    /// <summary>The memory of another device; null on the CPU.</summary>
    internal DeviceBuffer? Foreign => (buffer as ForeignBuffer)?.Memory;

    /// <summary>Whether the bytes are pages of a file: a span of them does not keep them alive.</summary>
    internal bool IsMapped => buffer is MappedBuffer;

    /// <summary>Counts writes in place; backward compares it with the count when the graph saved the tensor.</summary>
    public int Version { get; internal set; }

    /// <summary>
    /// Whether the buffer comes from the pool. Small buffers do not, and stay readable, except those of a captured
    /// function.
    /// </summary>
    public bool IsPooled => buffer is { IsPooled: true };

    /// <summary>Whether the buffer was handed back to the pool.</summary>
    public bool IsReleased => buffer is { IsReleased: true };

    /// <summary>
    /// Never recycled by a graph: parameters, gradients of leaves, and what the user marked <c>Keep()</c>.
    /// </summary>
    internal bool IsKept { get; set; }

    /// <summary>Whether tensors went over to other memory: a plan that computes with this is out of date.</summary>
    internal bool IsStale { get; set; }

    /// <summary>Who recycles the buffer.</summary>
    internal Lifetime Lifetime { get; set; }

    /// <summary>How many pending gradients of a running backward pass share this storage.</summary>
    internal int PendingUses { get; set; }

    /// <summary>The captured step that owns or, while it records, guards this memory.</summary>
    internal Arena? Arena
    {
        get => buffer?.Arena;
        set
        {
            if (value is not null || buffer is not null) Buffer.Arena = value;
        }
    }

    /// <summary>Whether the collector may move the bytes: those of small storages that nobody lent memory to.</summary>
    internal bool IsMovable => buffer is null ? this is Inline or OfArray : buffer.IsMovable;

    /// <summary>The recording that was under way on another thread when it was allocated, or 0.</summary>
    internal int Stamp => buffer?.Stamp ?? 0;

    /// <summary>
    /// Whether a captured function or a tensor span looks at these bytes: then no release hands them to the
    /// pool, and the collector takes them when nobody looks any more.
    /// </summary>
    internal bool IsLent => buffer is { IsLent: true };

    private StorageBuffer Buffer => buffer ?? Interlocked.CompareExchange(
        ref buffer, new(this), null) ?? buffer;

    /// <summary>Another storage over the same bytes; hands nothing back and outlives a release of this one.</summary>
    /// <exception cref="AdjointException">The storage was released.</exception>
    internal Storage Alias() => new(Buffer.Lend(), ByteLength);

    /// <summary>
    /// Notes that somebody looks at the bytes, who keeps them alive and may outlive this storage: no release hands them
    /// to the pool any more.
    /// </summary>
    internal void NoteViewer() => buffer?.NoteViewer();

    /// <summary>A part of a slab, which it keeps alive.</summary>
    internal static Storage Within(Slab slab, long offset, int byteLength) =>
        new(new(slab.Bytes, slab.Start + (int)offset, byteLength, arena: null, isPooled: false), byteLength);

    /// <summary>Pages of a file.</summary>
    internal static Storage Over(MappedPages pages) => new(new MappedBuffer(pages), pages.Span.Length);

    /// <exception cref="AdjointException">The storage was released.</exception>
    internal void RequireAlive() => buffer?.RequireAlive();

    /// <summary>Allocates <paramref name="byteLength"/> bytes, uninitialized when large, zero when small.</summary>
    /// <exception cref="AdjointException">
    /// They are more than fit one buffer, or than the process may have.
    /// </exception>
    internal static Storage Allocate(long byteLength) => Allocate(byteLength, Execution.Current);

    /// <inheritdoc cref="Allocate(long)"/>
    internal static Storage Allocate(long byteLength, Execution execution)
    {
        if (byteLength < BufferPool.SmallestPooled && execution.Arena is null && execution.Device is null
            && execution.StorageWatcher is null && !BufferGuard.IsOn && !Arena.AreAny)
        {
            Storage small = byteLength <= MaxInline ? new Inline((int)byteLength) : new OfArray((int)byteLength);
            // Nobody recycles it: it need not be listed.
            if (execution.Allocated is not null) small.Lifetime = Lifetime.Backward;
            return small;
        }
        var storage = new Storage(AllocateBuffer(byteLength, execution), checked((int)byteLength));
        execution.Arena?.NoteMade(storage);
        execution.Allocated?.Add(storage);
        execution.StorageWatcher?.NoteMade(storage);
        return storage;
    }

    /// <summary>Takes a buffer in the place of the one that was released, with anything in it.</summary>
    internal void Refill(Execution execution) => buffer = AllocateBuffer(ByteLength, execution);

    private static StorageBuffer AllocateBuffer(long byteLength, Execution execution)
    {
        if (byteLength > MaxBytes) ThrowTooLarge(byteLength);
        execution.Budget?.Take(byteLength);
        if (execution.Device is { } device) return new ForeignBuffer(device, (int)byteLength);
        var (arena, isSmall) = (execution.Arena, byteLength < BufferPool.SmallestPooled);
        byte[] bytes;
        int start;
        if (BufferGuard.IsOn)
        {
            bytes = BufferGuard.Rent((int)byteLength, out start);
        }
        else
        {
            bytes = isSmall ? Arena.Allocate(byteLength) : BufferPool.Rent(byteLength);
            start = BufferPool.Misalignment(bytes);
            if (isSmall) Array.Clear(bytes);
        }
        return arena is null && !isSmall
            ? new PooledBuffer(bytes, start, (int)byteLength)
            : new StorageBuffer(bytes, start, (int)byteLength, arena, isPooled: !isSmall);
    }

    /// <summary>The bytes; throws when the storage was released.</summary>
    internal Span<byte> Bytes
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => buffer is { } held
            ? held.Span
            : MemoryMarshal.CreateSpan(ref First, ByteLength);
    }

    /// <summary>The first byte of a small storage.</summary>
    internal ref byte First
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref this is Inline few
            ? ref Unsafe.As<long, byte>(ref few.Place[0])
            : ref MemoryMarshal.GetArrayDataReference(Unsafe.As<OfArray>(this).Place);
    }

    /// <summary>Hands the buffer back to the pool; small storages ignore this.</summary>
    internal void Release(string reason) => buffer?.Release(reason);

    /// <summary>
    /// Releases what one thread alone has touched. What another has, may be in use there: it stays readable, and the
    /// finalizer hands it back.
    /// </summary>
    internal void ReleaseUnlessShared(string reason) => buffer?.ReleaseUnlessShared(reason);

    /// <summary>
    /// Ends what a captured step made, small storages included: no replay computes it where it is.
    /// </summary>
    internal void Retire(string reason) => Buffer.Retire(reason);

    private static void ThrowTooLarge(long byteLength) => throw new AdjointException(
        $"Tensor: {byteLength:N0} bytes do not fit one buffer; the largest tensor is {MaxBytes:N0} bytes; split it");

    private sealed class Inline(int byteLength) : Storage(byteLength)
    {
        internal Few Place;
    }

    private sealed class OfArray(int byteLength) : Storage(byteLength)
    {
        internal readonly byte[] Place = new byte[byteLength];
    }

    // Of long, so that it is aligned for the widest element.
    [InlineArray(MaxInline / sizeof(long))]
    private struct Few
    {
        private long first;
    }
}
