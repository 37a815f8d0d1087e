using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;

namespace Adjoint.Memory;

/// <summary>
/// A range of a file as memory, copied on write: pages are read from the file when they are touched, and what is
/// written to them stays in this process. Nobody unmaps it: it is there as long as something refers to it.
/// </summary>
internal sealed class MappedPages
{
    // The system allows a process some 65,000 mappings, of which others want some.
    private const int MaxCount = 1 << 14;

    private static int count;

    private readonly SafeMemoryMappedViewHandle view;
    private readonly nint address;
    private readonly int length;
    private bool isDropped;

    /// <summary>Maps a range of a file, which may be closed then.</summary>
    /// <param name="file">The open file.</param>
    /// <param name="offset">Where the range begins.</param>
    /// <param name="length">Its number of bytes, 1 or more, all of them within the file.</param>
    /// <exception cref="IOException">The system does not map this file, or there are too many mappings.</exception>
    internal MappedPages(FileStream file, long offset, int length)
    {
        GC.SuppressFinalize(this);
        if (Volatile.Read(ref count) >= MaxCount) throw new IOException($"{MaxCount} ranges are mapped already");
        using var all = MemoryMappedFile.CreateFromFile(
            file, mapName: null, capacity: 0, MemoryMappedFileAccess.CopyOnWrite, HandleInheritability.None,
            leaveOpen: true);
        // Disposed, it would unmap the range.
        var accessor = all.CreateViewAccessor(offset, length, MemoryMappedFileAccess.CopyOnWrite);
        view = accessor.SafeMemoryMappedViewHandle;
        // Its own finalizer would not wait for this one.
        GC.SuppressFinalize(view);
        (address, this.length) = (view.DangerousGetHandle() + (nint)accessor.PointerOffset, length);
        Interlocked.Increment(ref count);
        GC.ReRegisterForFinalize(this);
    }

    // A span does not keep the pages alive, as it does an array, and an access to unmapped ones ends the process. Who
    // took a span of a tensor that was dropped in the same moment is done with it before the next but one collection.
    ~MappedPages()
    {
        if (isDropped)
        {
            view.Dispose();
            Interlocked.Decrement(ref count);
            return;
        }
        isDropped = true;
        GC.ReRegisterForFinalize(this);
    }

    /// <summary>The bytes, as long as this object is referred to.</summary>
    internal unsafe Span<byte> Span => new((void*)address, length);
}
