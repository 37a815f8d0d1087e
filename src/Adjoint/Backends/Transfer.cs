namespace Adjoint;

/// <summary>
/// Moves elements between devices, through the CPU's memory: no primitive, since those compute within one device.
/// </summary>
internal static class Transfer
{
    /// <summary>Copies the contiguous x to y, which was allocated on another device.</summary>
    internal static void Run(Tensor x, Tensor y)
    {
        switch (x.Storage.Foreign, y.Storage.Foreign)
        {
            case (null, { } to):
                to.CopyFrom(x.Bytes);
                break;
            case ({ } from, _):
                var host = new byte[x.Storage.ByteLength];
                from.CopyTo(host);
                var elements = host.AsSpan(x.Offset * x.DType.Size(), x.Length * x.DType.Size());
                if (y.Storage.Foreign is { } other) other.CopyFrom(elements);
                else elements.CopyTo(y.Bytes);
                break;
            default:
                x.Bytes.CopyTo(y.Bytes);
                break;
        }
    }
}
