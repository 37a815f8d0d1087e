using System.IO.Hashing;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>What an entry of a zip archive unpacks to; at its end the checksum is compared.</summary>
internal sealed class ZipEntryStream(Stream unpacked, ZipEntry entry, string place) : ReadOnlyStream
{
    private readonly Crc32 crc = new();
    private long read;

    public override long Length => entry.Length;

    /// <inheritdoc/>
    /// <exception cref="DataFormatException">
    /// What is packed is damaged or too short, or the checksum is another than the directory's.
    /// </exception>
    public override int Read(Span<byte> buffer)
    {
        var wanted = (int)Math.Min(buffer.Length, entry.Length - read);
        var count = wanted == 0 ? 0 : Unpack(buffer[..wanted]);
        crc.Append(buffer[..count]);
        if (wanted > 0 && count == 0)
            throw new DataFormatException(place, read, "the end", $"{entry.Length} bytes; the archive is damaged");
        read += count;
        if (read == entry.Length && crc.GetCurrentHashAsUInt32() is var found && found != entry.Checksum)
            throw new DataFormatException(place, 0, $"contents of checksum {found:x8}",
                $"{entry.Checksum:x8}, as written: the archive is damaged, copy or write it again");
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) unpacked.Dispose();
        base.Dispose(disposing);
    }

    private int Unpack(Span<byte> buffer)
    {
        try
        {
            return unpacked.Read(buffer);
        }
        catch (InvalidDataException error)
        {
            throw new DataFormatException(place, read, $"a broken archive ({error.Message.TrimEnd('.')})",
                "what Deflate packed; write or copy it again");
        }
    }
}
