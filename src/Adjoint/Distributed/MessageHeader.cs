using System.Buffers.Binary;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Adjoint.Distributed;

/// <summary>
/// What goes ahead of each message: in which call its sender is. So ranks that are in different calls are told apart
/// by the first thing that they hear from each other. A short message goes within its header.
/// </summary>
/// <param name="IsEnd">Whether the sender ends.</param>
/// <param name="Step">The step that the call belongs to.</param>
/// <param name="Length">The length of the message.</param>
/// <param name="Fingerprint">That of the call with its shapes and types.</param>
internal readonly record struct MessageHeader(bool IsEnd, int Step, int Length, ulong Fingerprint)
{
    /// <summary>The length of a header, and where a short message begins in it.</summary>
    public const int Size = 512, Inline = 256;

    // Changes with whatever ranks of different versions would misunderstand.
    private const uint Magic = 0x31_4A_44_41;
    private const int Host = 28, Call = 80;

    /// <summary>Whether a message goes within its header.</summary>
    public static bool Fits(int length) => length <= Size - Inline;

    public static ulong FingerprintOf(string call) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(call.AsSpan()));

    public void Write(Span<byte> bytes, string host, string call)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        bytes[4] = IsEnd ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Step);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], Length);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], Fingerprint);
        ShortText.Write(host, bytes[Host..Call]);
        ShortText.Write(call, bytes[Call..Inline]);
    }

    /// <summary>Reads a header; null where it is none of this version of the library.</summary>
    public static MessageHeader? Read(ReadOnlySpan<byte> bytes) =>
        BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Magic
            ? new(
                bytes[4] != 0, BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
                BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]))
            : null;

    /// <summary>The machine of the sender.</summary>
    public static string HostIn(ReadOnlySpan<byte> bytes) => ShortText.Read(bytes[Host..Call]);

    /// <summary>The sender's call.</summary>
    public static string CallIn(ReadOnlySpan<byte> bytes) => ShortText.Read(bytes[Call..Inline]);
}
