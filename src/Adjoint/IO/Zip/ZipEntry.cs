namespace Adjoint.IO;

/// <summary>One entry of a zip archive, as its directory describes it.</summary>
/// <param name="Name">With the folders that it is in, separated by slashes.</param>
/// <param name="IsDeflated">Whether it is compressed; otherwise it is stored as it is.</param>
/// <param name="Checksum">The CRC-32 of what it unpacks to.</param>
/// <param name="Packed">Its bytes in the archive.</param>
/// <param name="Length">The bytes that it unpacks to.</param>
/// <param name="Header">Where its local header begins in the archive.</param>
internal sealed record ZipEntry(string Name, bool IsDeflated, uint Checksum, long Packed, long Length, long Header)
{
    /// <summary>Where its bytes must have ended: the next header, or the directory, begins here.</summary>
    internal long Limit { get; set; }
}
