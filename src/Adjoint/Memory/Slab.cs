namespace Adjoint.Memory;

/// <summary>
/// One piece of memory, on a cache line, in which many storages of a captured function lie: those whose times do not
/// overlap in the same bytes. It lives as long as one of them.
/// </summary>
internal sealed class Slab
{
    /// <summary>New memory.</summary>
    internal Slab(long length)
    {
        Length = checked((int)length);
        if (BufferGuard.IsOn)
        {
            Bytes = BufferGuard.Rent(Length, out var start);
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
        // Wherever it begins.
        (Bytes, Start, Length) = (buffer, BufferPool.Misalignment(buffer), buffer.Length - BufferPool.Alignment);
    }

    /// <summary>How many bytes can be used.</summary>
    internal int Length { get; }

    /// <summary>The array that it lies in.</summary>
    internal byte[] Bytes { get; }

    /// <summary>Where it begins there.</summary>
    internal int Start { get; }

    /// <summary>For guarded buffers: what a replay reads before it wrote it is not a number.</summary>
    internal void Spoil() => BufferGuard.Spoil(Bytes.AsSpan(Start, Length));
}
