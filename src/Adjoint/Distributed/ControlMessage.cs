using System.Buffers.Binary;

namespace Adjoint.Distributed;

/// <summary>
/// What ranks tell each other beside the calls: that they are there, and where; or that the world is broken.
/// </summary>
internal readonly record struct ControlMessage(
    ControlKind Kind, bool AsksForReply, int Rank, Place Place, string Host, string Text)
{
    public const int Size = 2048;

    private const int Call = 32, HostAt = 288, TextAt = 416;

    public void Write(Span<byte> bytes)
    {
        bytes.Clear();
        bytes[0] = (byte)Kind;
        bytes[1] = AsksForReply ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], Rank);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Place.Step);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[16..], Place.Seconds);
        ShortText.Write(Place.Call, bytes[Call..HostAt]);
        ShortText.Write(Host, bytes[HostAt..TextAt]);
        ShortText.Write(Text, bytes[TextAt..Size]);
    }

    public static ControlMessage Read(ReadOnlySpan<byte> bytes) => new(
        (ControlKind)bytes[0], bytes[1] != 0, BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
        new(
            ShortText.Read(bytes[Call..HostAt]), BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            BinaryPrimitives.ReadDoubleLittleEndian(bytes[16..])),
        ShortText.Read(bytes[HostAt..TextAt]), ShortText.Read(bytes[TextAt..Size]));
}
