namespace Adjoint.Memory;

/// <summary>
/// One piece of memory, on a cache line, in which many storages of a captured step lie: those whose times do not
/// overlap in the same bytes. It lives as long as one of them.
/// </summary>
internal sealed class Slab
{
    private readonly int length;

    /// <summary>New memory.</summary>
    internal Slab(long length)
    {
        this.length = checked((int)length);
        if (BufferGuard.IsOn)
        {
            Bytes = BufferGuard.Rent(this.length, out var start);
            Start = start;
        }
        else
        {
            Bytes = Arena.Allocate(length);
            Start = BufferPool.Misalignment(Bytes);
        }
    }

    /// <summary>A buffer that was the pool's.</summary>
    internal Slab(byte[] buffer)
    {
        (Bytes, Start) = (buffer, BufferPool.Misalignment(buffer));
        length = LengthOf(buffer);
    }

    /// <summary>How much can be used of a buffer, wherever it begins.</summary>
    internal static int LengthOf(byte[] buffer) => buffer.Length - BufferPool.Alignment;

    /// <summary>The array that it lies in.</summary>
    internal byte[] Bytes { get; }

    /// <summary>Where it begins there.</summary>
    internal int Start { get; }

    /// <summary>For guarded buffers: what a replay reads before it wrote it is not a number.</summary>
    internal void Spoil() => BufferGuard.Spoil(Bytes.AsSpan(Start, length));
}
