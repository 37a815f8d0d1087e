using System.Collections.Concurrent;

namespace Adjoint.Memory;

/// <summary>
/// Canaries around every buffer, for hunting writes beyond their ends and reads of what was handed back: each buffer
/// lies alone between bytes of a pattern, which are looked at when it is handed back and by <see cref="Check()"/>, and
/// is overwritten with NaN when it is. On with the runtime's switch <c>Adjoint.GuardBuffers</c>.
/// </summary>
internal static class BufferGuard
{
    private const int Width = 64;
    private const byte Canary = 0xA5;
    // All bits set are a NaN of either size, and −1.
    private const byte Retired = 0xFF;
    private static readonly ConcurrentQueue<(WeakReference<byte[]> Buffer, int Start, int Length)> Live = new();

    /// <summary>Whether buffers are guarded.</summary>
    internal static bool IsOn { get; } = AppContext.TryGetSwitch("Adjoint.GuardBuffers", out var isOn) && isOn;

    /// <summary>
    /// A pinned buffer of zeros; <paramref name="length"/> bytes from the returned start on a cache line are the
    /// caller's.
    /// </summary>
    internal static byte[] Rent(int length, out int start)
    {
        var size = checked(length + 2 * Width + BufferPool.Alignment);
        var buffer = GC.AllocateUninitializedArray<byte>(size, pinned: true);
        start = BufferPool.Misalignment(buffer) + Width;
        Array.Fill(buffer, Canary);
        buffer.AsSpan(start, length).Clear();
        Live.Enqueue((new(buffer), start, length));
        return buffer;
    }

    /// <summary>
    /// Looks at the canaries of a buffer that is handed back, and makes what lies in it unusable unless a plan looks at
    /// it.
    /// </summary>
    internal static void Return(byte[] buffer, int start, int length, bool isLent)
    {
        Check(buffer, start, length);
        if (!isLent) Spoil(buffer.AsSpan(start, length));
    }

    /// <summary>Makes what lies in a part of a buffer unusable.</summary>
    internal static void Spoil(Span<byte> bytes) => bytes.Fill(Retired);

    /// <summary>Looks at the canaries of all buffers.</summary>
    /// <exception cref="AdjointException">Something wrote beyond the end of one.</exception>
    internal static void Check()
    {
        for (var count = Live.Count; count > 0 && Live.TryDequeue(out var entry); count--)
        {
            if (!entry.Buffer.TryGetTarget(out var buffer)) continue;
            Check(buffer, entry.Start, entry.Length);
            Live.Enqueue(entry);
        }
    }

    private static void Check(byte[] buffer, int start, int length)
    {
        if (buffer.AsSpan(0, start).ContainsAnyExcept(Canary)
            || buffer.AsSpan(start + length).ContainsAnyExcept(Canary))
            throw new InvalidOperationException($"a write beyond the ends of a buffer of {length} bytes");
    }
}
