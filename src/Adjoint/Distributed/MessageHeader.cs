using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Adjoint.Distributed;

/// <summary>
/// What goes ahead of each message: in which call its sender is. So ranks that are in different calls are told apart
/// by the first thing that they hear from each other. A short message goes within its header.
/// </summary>
internal readonly record struct MessageHeader(
    bool IsEnd, long Sequence, int Step, int Length, ulong Fingerprint, string Call)
{
    /// <summary>The length of a header, and where a short message begins in it.</summary>
    public const int Size = 512, Inline = 256;

    private const uint Magic = 0x31_4A_44_41;
    private const int Text = 40;

    /// <summary>Whether a message goes within its header.</summary>
    public static bool Fits(int length) => length <= Size - Inline;

    /// <summary>The header of a call: the same on all ranks that are in it.</summary>
    public static MessageHeader Of(Exchange exchange, int length) => new(
        exchange.IsEnd, exchange.Sequence, exchange.Step, length,
        XxHash3.HashToUInt64(MemoryMarshal.AsBytes(exchange.Text.AsSpan())), exchange.Text);

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        bytes[4] = IsEnd ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt64LittleEndian(bytes[8..], Sequence);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[16..], Step);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[20..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], Fingerprint);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[32..], ShortText.Write(Call, bytes[Text..Inline]));
    }

    /// <summary>Reads a header; null where it is none of this version of the library.</summary>
    public static MessageHeader? Read(ReadOnlySpan<byte> bytes)
    {
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic) return null;
        var text = Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(bytes[32..]), 0, Inline - Text);
        return new(
            bytes[4] != 0, BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]), ShortText.Read(bytes.Slice(Text, text)));
    }
}
