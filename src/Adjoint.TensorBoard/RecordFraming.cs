using System.Buffers.Binary;
using System.Numerics;

namespace Adjoint.TensorBoard;

/// <summary>
/// Records of a TFRecord file, integers little-endian: the length n (8 bytes), its checksum (4), n bytes, their
/// checksum (4). A checksum is CRC-32C (RFC 3720, B.4), masked so that one of data that hold checksums stays distinct.
/// </summary>
internal static class RecordFraming
{
    private const uint MaskDelta = 0xA282EAD8;

    /// <summary>Writes a record.</summary>
    internal static void Write(Stream file, ReadOnlySpan<byte> data)
    {
        Span<byte> header = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(header, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], MaskedChecksum(header[..8]));
        file.Write(header);
        file.Write(data);
        BinaryPrimitives.WriteUInt32LittleEndian(header, MaskedChecksum(data));
        file.Write(header[..4]);
    }

    internal static uint MaskedChecksum(ReadOnlySpan<byte> data) =>
        unchecked(BitOperations.RotateRight(Checksum(data), 15) + MaskDelta);

    /// <summary>CRC-32C of bytes: 0xE3069283 of the nine ASCII characters 123456789.</summary>
    internal static uint Checksum(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        for (; data.Length >= 8; data = data[8..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (var value in data) crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }
}
