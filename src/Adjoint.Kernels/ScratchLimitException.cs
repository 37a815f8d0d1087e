namespace Adjoint.Kernels;

/// <summary>
/// A computation needs more scratch memory at once than one buffer holds; with less of the work at a time it would not.
/// </summary>
public sealed class ScratchLimitException(double bytes) : Exception(
    $"{bytes:N0} bytes of scratch memory are needed at once; one buffer holds at most {Limit:N0}")
{
    /// <summary>Bytes of the largest buffer: a .NET array's length, less the room to align its first element.</summary>
    public const int Limit = 0x7FFFFFC7 - 64;

    /// <summary>How many bytes are needed.</summary>
    public double Bytes => bytes;
}
