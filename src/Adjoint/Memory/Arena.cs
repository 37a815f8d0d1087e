namespace Adjoint.Memory;

/// <summary>
/// The buffers of a captured step: placed once while the step is recorded, never handed back to the pool. Meanwhile it
/// guards what it owns: memory that is touched outside of a backend's operation could not be replayed.
/// </summary>
internal sealed class Arena
{
    [ThreadStatic] private static Arena? current;
    private readonly Dictionary<int, Stack<byte[]>> free = [];
    private bool isSealed;

    /// <summary>The one that records on this thread.</summary>
    internal static Arena? Current
    {
        get => current;
        set => current = value;
    }

    /// <summary>Whether a backend's operation is running, which may touch memory.</summary>
    internal bool IsComputing { get; set; }

    /// <summary>Tells, for messages, what is being applied.</summary>
    internal required Func<string?> Cause { get; init; }

    /// <summary>Bytes in all its buffers.</summary>
    internal long Bytes { get; private set; }

    internal byte[] Rent(long byteLength)
    {
        var size = checked((int)byteLength + BufferPool.Alignment);
        if (free.TryGetValue(size, out var stack) && stack.TryPop(out var buffer)) return buffer;
        Bytes += size;
        return GC.AllocateUninitializedArray<byte>(size, pinned: true);
    }

    /// <summary>For the next request while recording; afterwards every buffer stays where the replay expects it.</summary>
    internal void Return(byte[] buffer)
    {
        if (isSealed) return;
        if (!free.TryGetValue(buffer.Length, out var stack)) free[buffer.Length] = stack = [];
        stack.Push(buffer);
    }

    internal void Seal() => (isSealed, current) = (true, null);

    internal void Check()
    {
        if (!isSealed && !IsComputing)
            Refuse(Cause() is { } op ? $"{op} reads or writes memory outside of a backend's operation" : "a tensor's memory is read or written between operations (Item, ToArray, CopyFrom, printing)");
    }

    /// <exception cref="AdjointException">Always.</exception>
    internal static void Refuse(string reason) => throw new CaptureException(reason);
}
