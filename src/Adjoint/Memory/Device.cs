namespace Adjoint;

/// <summary>
/// Where the memory of tensors lies. The result of an op lies where its inputs do; only <c>x.To(device)</c> moves a
/// tensor, and operands on different devices are an error. See <see cref="Backend"/> for what computes on a device.
/// </summary>
public abstract class Device
{
    private static volatile bool areSeveral;

    private protected Device(bool isCpu) => areSeveral |= !isCpu;

    /// <summary>A device whose memory the CPU does not read.</summary>
    protected Device() : this(isCpu: false) { }

    /// <summary>The CPU, and its memory: where tensors lie by default.</summary>
    public static Device Cpu { get; } = new Processor();

    /// <summary>Whether there is a device besides the CPU, so that it pays to ask where a tensor lies.</summary>
    internal static bool AreSeveral => areSeveral;

    /// <summary>The name of the device in messages: <c>CPU</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Allocates memory on this device.</summary>
    /// <param name="byteLength">The number of bytes, 0 or more; their contents are undefined.</param>
    /// <returns>A buffer of that many bytes.</returns>
    protected internal abstract DeviceBuffer Allocate(int byteLength);

    /// <inheritdoc/>
    public override string ToString() => Name;

    private sealed class Processor() : Device(isCpu: true)
    {
        public override string Name => "CPU";

        // Storages take the processor's memory themselves.
        protected internal override DeviceBuffer Allocate(int byteLength) =>
            throw new NotSupportedException("Device: the CPU's memory is allocated by Storage");
    }
}

/// <summary>
/// Memory of a device other than the CPU. Nobody disposes it: where it must be handed back, its finalizer does.
/// </summary>
public abstract class DeviceBuffer
{
    /// <summary>
    /// Copies all bytes to the CPU, after the work that was queued on the device before has finished.
    /// </summary>
    /// <param name="host">Room for all bytes of the buffer.</param>
    public abstract void CopyTo(Span<byte> host);

    /// <summary>Copies all bytes from the CPU to the buffer.</summary>
    /// <param name="host">As many bytes as the buffer has.</param>
    public abstract void CopyFrom(ReadOnlySpan<byte> host);
}
