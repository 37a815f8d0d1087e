using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Adjoint.Memory;

/// <summary>
/// The bytes of a storage that somebody else may claim: the pool, a captured step, a recording. It ends by the first
/// release, and throws from then on.
/// </summary>
internal class StorageBuffer
{
    private readonly int start, length;
    private readonly int thread;
    private readonly bool isOfArena;
    private readonly Storage? small;
    private byte[]? bytes;
    private string? releaseReason;
    private volatile bool isLent;
    private volatile bool isShared;

    internal StorageBuffer(byte[]? bytes, int start, int length, Arena? arena, bool isPooled)
    {
        (this.bytes, this.start, this.length) = (bytes, start, length);
        (Arena, isOfArena, IsPooled) = (arena, arena is not null, isPooled);
        if (isPooled) thread = Environment.CurrentManagedThreadId;
        if (Arena.AreAny && !Execution.Current.IsRecording) Stamp = Arena.Latest;
    }

    /// <summary>What there is to know of a small storage.</summary>
    internal StorageBuffer(Storage small) => (this.small, length) = (small, small.ByteLength);

    internal bool IsPooled { get; }

    /// <summary>Whether the bytes are those of a small storage, which the collector may move.</summary>
    internal bool IsMovable => small is not null;

    /// <summary>The recording that was under way on another thread when it was allocated, or 0.</summary>
    internal int Stamp { get; }

    internal bool IsReleased => Volatile.Read(ref releaseReason) is not null;

    internal bool IsLent => isLent;

    /// <summary>The captured step that owns or, while it records, guards these bytes.</summary>
    internal Arena? Arena { get; set; }

    /// <exception cref="AdjointException">The buffer was released.</exception>
    internal Span<byte> Span
    {
        get
        {
            if (IsPooled && thread != Environment.CurrentManagedThreadId) NoteShared();
            var found = bytes;
            if (found is null && small is null) return Elsewhere();
            CheckArena();
            return found is null
                ? MemoryMarshal.CreateSpan(ref small!.First, length)
                : MemoryMarshal.CreateSpan(
                    ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(found), start), length);
        }
    }

    /// <summary>The same bytes without an owner; no release hands them to the pool any more.</summary>
    /// <exception cref="AdjointException">The buffer was released.</exception>
    internal StorageBuffer Lend()
    {
        NoteViewer();
        return Alias();
    }

    /// <summary>
    /// Notes that somebody looks at the bytes, before he takes their address: a release on another thread takes them
    /// away before it asks.
    /// </summary>
    internal void NoteViewer()
    {
        isLent = true;
        Interlocked.MemoryBarrier();
    }

    /// <summary>Hands the bytes back to the pool.</summary>
    internal void Release(string reason) => Release(reason, isDropped: false);

    /// <summary>
    /// Releases what one thread alone has touched. What another has, may be in use there: it stays readable, and the
    /// finalizer hands it back.
    /// </summary>
    internal void ReleaseUnlessShared(string reason)
    {
        if (!IsPooled || isShared || Interlocked.CompareExchange(ref releaseReason, reason, null) is not null) return;
        if (Interlocked.Exchange(ref bytes, null) is not { } taken) return;
        GC.SuppressFinalize(this);
        // The other thread notes itself before it takes the address.
        HandBack(taken, isLookedAt: isLent || isShared, isDropped: false);
    }

    /// <summary>Hands the bytes back; <paramref name="isDropped"/> says that it took a finalizer to do it.</summary>
    private protected void Release(string reason, bool isDropped)
    {
        if (!IsPooled || Interlocked.CompareExchange(ref releaseReason, reason, null) is not null) return;
        var taken = Interlocked.Exchange(ref bytes, null);
        GC.SuppressFinalize(this);
        if (taken is not null) HandBack(taken, isLookedAt: isLent, isDropped);
    }

    /// <summary>Ends what a captured step made, small buffers included.</summary>
    internal void Retire(string reason)
    {
        if (IsPooled) Release(reason);
        else if (Interlocked.CompareExchange(ref releaseReason, reason, null) is null)
            Interlocked.Exchange(ref bytes, null);
    }

    /// <exception cref="AdjointException">The buffer was released.</exception>
    internal void RequireAlive()
    {
        if (IsReleased) throw Unreadable();
    }

    private void HandBack(byte[] taken, bool isLookedAt, bool isDropped)
    {
        if (BufferGuard.IsOn) BufferGuard.Return(taken, start, length, isLookedAt);
        else if (isLookedAt) BufferPool.Forget(taken, isDropped);
        else BufferPool.Return(taken, isDropped);
    }

    private void NoteShared()
    {
        if (isShared) return;
        isShared = true;
        Interlocked.MemoryBarrier();
    }

    private protected virtual StorageBuffer Alias() => small is not null
        ? new(small)
        : new(Volatile.Read(ref bytes) ?? throw Unreadable(), start, length, arena: null, isPooled: false);

    /// <summary>The bytes that lie in no array of .NET.</summary>
    private protected virtual Span<byte> Elsewhere() => throw Unreadable();

    private protected void CheckArena() => Arena?.Check(isOfArena);

    private protected virtual AdjointException Unreadable() => new(Arena is null
        ? $"Tensor: its memory was recycled: {releaseReason}; call .Keep() on the tensor before Backward(), copy it "
            + "with .Clone(), or pass retainGraph: true"
        : "Tensor: it was created inside a captured function, whose memory every replay overwrites; return it as a "
            + "result, or run the function eagerly");
}

/// <summary>
/// A buffer of the pool. It alone has a finalizer, which each object that has one pays for when it is allocated and in
/// every collection: small storages and tensors do without.
/// </summary>
internal sealed class PooledBuffer(byte[] bytes, int start, int length)
    : StorageBuffer(bytes, start, length, arena: null, isPooled: true)
{
    /// <summary>Hands a dropped buffer back.</summary>
    ~PooledBuffer() => Release("nothing referred to it any more", isDropped: true);
}

/// <summary>Pages of a file, which live as long as one of the buffers over them.</summary>
internal sealed class MappedBuffer(MappedPages pages)
    : StorageBuffer(bytes: null, start: 0, pages.Span.Length, arena: null, isPooled: false)
{
    private protected override Span<byte> Elsewhere()
    {
        RequireAlive();
        CheckArena();
        return pages.Span;
    }

    private protected override StorageBuffer Alias() => new MappedBuffer(pages);
}

/// <summary>Memory of a device but the CPU: nothing of it can be read here.</summary>
internal sealed class ForeignBuffer(Device device, int length)
    : StorageBuffer(bytes: null, start: 0, length, arena: null, isPooled: false)
{
    internal Device Device => device;

    internal DeviceBuffer Memory { get; } = device.Allocate(length);

    private protected override AdjointException Unreadable() =>
        new($"Tensor: its memory lies on {device.Name}, and is read on the CPU; move it with .To(Device.Cpu)");
}
