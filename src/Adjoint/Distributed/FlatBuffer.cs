using System.Runtime.InteropServices;
using Adjoint.Memory;

namespace Adjoint.Distributed;

/// <summary>
/// Pinned memory on a cache line that holds the elements of many tensors one after another, so that one message carries
/// them.
/// </summary>
internal sealed class FlatBuffer
{
    private readonly Slab slab;
    private readonly Storage storage;
    private readonly DType type;

    /// <summary>Allocates room for elements of a type.</summary>
    /// <exception cref="AdjointException">They do not fit one buffer.</exception>
    internal FlatBuffer(int length, DType type)
    {
        if ((long)length * type.Size() > Storage.MaxBytes)
            throw new AdjointException(
                $"GradientExchange: {length:N0} {type.Label()} of gradients do not fit one buffer of "
                + $"{Storage.MaxBytes:N0} bytes; split the largest parameter");
        this.type = type;
        slab = new((long)length * type.Size());
        storage = Storage.Within(slab, 0, length * type.Size());
    }

    /// <summary>Some of the elements, as a tensor of a shape over this memory.</summary>
    internal Tensor Of(Shape shape, int offset) => new(storage, shape, type, offset);

    /// <summary>
    /// Some of the elements as another type of at most the same size; the offset counts in the buffer's own.
    /// </summary>
    internal Tensor As(Shape shape, DType other, int offset) =>
        new(storage, shape, other, offset * (type.Size() / other.Size()));

    /// <summary>The bytes of some of the elements.</summary>
    internal Memory<byte> Bytes(int offset, int length) =>
        slab.Bytes.AsMemory(slab.Start + offset * type.Size(), length * type.Size());

    /// <summary>Writes one element.</summary>
    internal void Set(int at, double value)
    {
        if (type == DType.Float64) MemoryMarshal.Cast<byte, double>(Bytes(at, 1).Span)[0] = value;
        else MemoryMarshal.Cast<byte, float>(Bytes(at, 1).Span)[0] = (float)value;
    }

    /// <summary>Reads one element.</summary>
    internal double Get(int at) => type == DType.Float64
        ? MemoryMarshal.Cast<byte, double>(Bytes(at, 1).Span)[0]
        : MemoryMarshal.Cast<byte, float>(Bytes(at, 1).Span)[0];
}
