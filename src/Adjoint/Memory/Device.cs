namespace Adjoint;

/// <summary>
/// Where the memory of tensors lies. What an op makes lies where its inputs do; <c>x.To(device)</c> moves, and nothing
/// else does: operands on different devices are an error. See <see cref="Backend"/> for what computes on one.
/// </summary>
public abstract class Device
{
    private static volatile bool areSeveral;

    private protected Device(bool isCpu) => areSeveral |= !isCpu;

    /// <summary>Memory that the CPU does not read.</summary>
    protected Device() : this(isCpu: false) { }

    /// <summary>The processor, and its memory.</summary>
    public static Device Cpu { get; } = new Processor();

    /// <summary>Whether there is a device besides the CPU, so that it pays to ask where a tensor lies.</summary>
    internal static bool AreSeveral => areSeveral;

    /// <summary>The name in messages: <c>CPU</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Takes memory of this device.</summary>
    /// <param name="byteLength">Bytes, 0 or more; what they hold at first is open.</param>
    protected internal abstract DeviceBuffer Allocate(int byteLength);

    /// <inheritdoc/>
    public override string ToString() => Name;

    private sealed class Processor() : Device(isCpu: true)
    {
        public override string Name => "CPU";

        // Storages take the processor's memory themselves.
        protected internal override DeviceBuffer Allocate(int byteLength) =>
            throw new NotSupportedException("Device: the processor's memory is taken by storages");
    }
}

/// <summary>
/// Memory of a device but the CPU. Nobody disposes it: where it must be handed back, its finalizer does.
/// </summary>
public abstract class DeviceBuffer
{
    /// <summary>Copies all bytes to the CPU, once all that was asked of the device before is done.</summary>
    public abstract void CopyTo(Span<byte> host);

    /// <summary>Copies all bytes from the CPU.</summary>
    public abstract void CopyFrom(ReadOnlySpan<byte> host);
}
