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

    /// <summary>Cosines and sines of one position of a rotary embedding.</summary>
    Rotation,

    /// <summary>Packed rows, scores, and what attention knows so far of the queries of a chunk.</summary>
    Attention,

    /// <summary>Weights of a recurrent layer, packed for all steps, and its states.</summary>
    Recurrence,

    /// <summary>Where the sequences of a recurrent layer are.</summary>
    RecurrencePositions,
}

/// <summary>
/// Scratch memory of kernels: one growing buffer for each <see cref="ScratchSlot"/> of each thread, kept for the next
/// call, so that steady work allocates nothing. A slot has one user at a time; a second one is an error.
/// </summary>
internal sealed unsafe class Scratch
{
    // Of a cache line, and of the widest vector.
    private const int Alignment = 64;

    [ThreadStatic] private static Scratch? current;

    private readonly byte[]?[] buffers = new byte[]?[Enum.GetValues<ScratchSlot>().Length];
    private readonly bool[] isRented = new bool[Enum.GetValues<ScratchSlot>().Length];

    /// <summary>
    /// Memory for so many elements, aligned to 64 bytes and filled with anything, until the lease is disposed on the
    /// same thread.
    /// </summary>
    /// <exception cref="ScratchLimitException">They do not fit one buffer.</exception>
    /// <exception cref="InvalidOperationException">The slot is in use on this thread.</exception>
    internal static ScratchLease<T> Rent<T>(ScratchSlot slot, nint count) where T : unmanaged
    {
        if (count > ScratchLimitException.Limit / sizeof(T)) throw new ScratchLimitException((double)count * sizeof(T));
        return new((T*)(current ??= new()).Rent(slot, count * sizeof(T)), ref current.isRented[(int)slot]);
    }

    private void* Rent(ScratchSlot slot, nint bytes)
    {
        if (isRented[(int)slot]) throw InUse(slot);
        if (buffers[(int)slot] is not { } buffer || buffer.Length < bytes + Alignment)
            buffers[(int)slot] = buffer = GC.AllocateUninitializedArray<byte>((int)bytes + Alignment, pinned: true);
        isRented[(int)slot] = true;
        var address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(buffer));
        return (void*)((address + Alignment - 1) & ~(Alignment - 1));
    }

    private static InvalidOperationException InUse(ScratchSlot slot) => new(
        $"Scratch: slot {slot} is in use on this thread; a kernel takes each slot once and disposes the lease");
}

/// <summary>
/// Scratch memory in use, given back when disposed: <c>using var panel = Scratch.Rent&lt;T&gt;(…);</c>
/// </summary>
internal readonly unsafe ref struct ScratchLease<T> where T : unmanaged
{
    private readonly ref bool isRented;

    internal ScratchLease(T* pointer, ref bool isRented)
    {
        Pointer = pointer;
        this.isRented = ref isRented;
    }

    /// <summary>The first element.</summary>
    internal T* Pointer { get; }

    /// <summary>Ends the use of the slot.</summary>
    public void Dispose() => isRented = false;
}
