using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Adjoint.Kernels;

/// <summary>What a kernel keeps in scratch memory: each has one buffer per thread.</summary>
internal enum ScratchSlot
{
    /// <summary>The left operand of a matrix product, or filters, packed for the micro-kernel.</summary>
    PackedA,

    /// <summary>A panel of the right operand, or gathered inputs, packed for the micro-kernel.</summary>
    PackedB,

    /// <summary>Results before they go to their place: a transposed product, partial sums.</summary>
    Sums,

    /// <summary>Results of one tile, or of one chunk, before they are added to those of others.</summary>
    TileSums,

    /// <summary>Sums that are transposed, so that their lanes can be added.</summary>
    TransposedSums,

    /// <summary>Filters rotated or transformed.</summary>
    Filters,

    /// <summary>Input images with their padding.</summary>
    Image,

    /// <summary>Output images, or gradients of them, with their padding.</summary>
    OutputImage,
}

/// <summary>
/// Scratch memory of kernels: one growing buffer for each <see cref="ScratchSlot"/> of each thread, kept for the next
/// call, so that steady work allocates nothing. A slot has one user at a time; a second one is an error.
/// </summary>
internal static unsafe class Scratch
{
    // Of a cache line, and of the widest vector.
    private const int Alignment = 64;

    private static readonly int Slots = Enum.GetValues<ScratchSlot>().Length;

    [ThreadStatic] private static byte[]?[]? buffers;

    // Bit i: slot i of this thread is rented.
    [ThreadStatic] private static uint rented;

    /// <summary>
    /// Memory for so many elements, aligned to 64 bytes and filled with anything, until the lease is disposed on the
    /// same thread.
    /// </summary>
    /// <exception cref="ScratchLimitException">They do not fit one buffer.</exception>
    /// <exception cref="InvalidOperationException">The slot is in use on this thread.</exception>
    internal static ScratchLease<T> Rent<T>(ScratchSlot slot, nint count) where T : unmanaged
    {
        if (count > ScratchLimitException.Limit / sizeof(T)) throw new ScratchLimitException((double)count * sizeof(T));
        var bit = 1u << (int)slot;
        if ((rented & bit) != 0) throw InUse(slot);
        var bytes = count * sizeof(T) + Alignment;
        var own = buffers ??= new byte[]?[Slots];
        if (own[(int)slot] is not { } buffer || buffer.Length < bytes)
            own[(int)slot] = buffer = GC.AllocateUninitializedArray<byte>((int)bytes, pinned: true);
        rented |= bit;
        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer));
        return new((T*)((address + Alignment - 1) & ~(Alignment - 1)), slot);
    }

    internal static void Return(ScratchSlot slot) => rented &= ~(1u << (int)slot);

    private static InvalidOperationException InUse(ScratchSlot slot) => new(
        $"Scratch: slot {slot} is in use on this thread; a kernel takes each slot once and disposes the lease");
}

/// <summary>Scratch memory in use, given back when disposed: <c>using var panel = Scratch.Rent&lt;T&gt;(…);</c></summary>
internal readonly unsafe ref struct ScratchLease<T>(T* pointer, ScratchSlot slot) where T : unmanaged
{
    /// <summary>The first element.</summary>
    internal T* Pointer => pointer;

    /// <summary>Ends the use of the slot.</summary>
    public void Dispose() => Scratch.Return(slot);
}
