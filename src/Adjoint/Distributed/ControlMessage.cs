using System.Buffers.Binary;

namespace Adjoint.Distributed;

/// <summary>What ranks tell each other beside the calls: that they are there, and where; or that the world is broken.
/// </summary>
internal readonly record struct ControlMessage(
    ControlKind Kind, bool AsksForReply, int Rank, int Step, double Seconds, string Call, string Host,
    string Text)
{
    public const int Size = 2048;

    private const int CallAt = 48, HostAt = 304, TextAt = 432;

    public void Write(Span<byte> bytes)
    {
        bytes.Clear();
        bytes[0] = (byte)Kind;
        bytes[1] = AsksForReply ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(bytes[4..], Rank);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[8..], Step);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes[16..], Seconds);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[24..], ShortText.Write(Call, bytes[CallAt..HostAt]));
        BinaryPrimitives.WriteInt32LittleEndian(bytes[28..], ShortText.Write(Host, bytes[HostAt..TextAt]));
        BinaryPrimitives.WriteInt32LittleEndian(bytes[32..], ShortText.Write(Text, bytes[TextAt..Size]));
    }

    public static ControlMessage Read(ReadOnlySpan<byte> bytes) => new(
        (ControlKind)bytes[0], bytes[1] != 0, BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]), BinaryPrimitives.ReadDoubleLittleEndian(bytes[16..]),
        TextOf(bytes[CallAt..HostAt], bytes[24..]), TextOf(bytes[HostAt..TextAt], bytes[28..]),
        TextOf(bytes[TextAt..Size], bytes[32..]));

    private static string TextOf(ReadOnlySpan<byte> space, ReadOnlySpan<byte> length) =>
        ShortText.Read(space[..Math.Clamp(BinaryPrimitives.ReadInt32LittleEndian(length), 0, space.Length)]);
}
