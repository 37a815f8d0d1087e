namespace Adjoint;

/// <summary>Where the memory of tensors lies, and what computes on it.</summary>
public abstract class Device
{
    /// <summary>The processor, and its memory.</summary>
    public static Device Cpu { get; } = new Processor();

    /// <summary>The name in messages: <c>CPU</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Takes memory of this device.</summary>
    /// <param name="byteLength">Bytes; what they hold at first is open.</param>
    protected internal abstract DeviceBuffer Allocate(int byteLength);

    /// <inheritdoc/>
    public override string ToString() => Name;

    private sealed class Processor : Device
    {
        public override string Name => "CPU";

        // Storages allocate the processor's memory themselves.
        protected internal override DeviceBuffer Allocate(int byteLength) =>
            throw new InvalidOperationException("the processor's memory is a storage's own");
    }
}

/// <summary>Memory of a device but the CPU; nobody disposes it: give it a finalizer where it must be handed back.</summary>
public abstract class DeviceBuffer
{
    /// <summary>Copies all bytes to the CPU, after what was asked of the device before.</summary>
    public abstract void CopyTo(Span<byte> host);

    /// <summary>Copies all bytes from the CPU.</summary>
    public abstract void CopyFrom(ReadOnlySpan<byte> host);
}
