using System.Text;

namespace Adjoint.Bench;

/// <summary>A message in protobuf's wire format: what an ONNX file needs of it.</summary>
internal sealed class ProtobufWriter
{
    private const int Varint = 0, LengthDelimited = 2;
    private readonly MemoryStream bytes = new();

    internal ProtobufWriter Add(int field, long value)
    {
        Write((ulong)(field << 3 | Varint));
        Write((ulong)value);
        return this;
    }

    internal ProtobufWriter Add(int field, ReadOnlySpan<byte> value)
    {
        Write((ulong)(field << 3 | LengthDelimited));
        Write((ulong)value.Length);
        bytes.Write(value);
        return this;
    }

    internal ProtobufWriter Add(int field, string value) => Add(field, Encoding.UTF8.GetBytes(value));

    internal ProtobufWriter Add(int field, ProtobufWriter message) => Add(field, message.ToArray());

    internal byte[] ToArray() => bytes.ToArray();

    // Seven bits a byte, the lowest first; the eighth says that more follow.
    private void Write(ulong value)
    {
        for (; value > 127; value >>= 7) bytes.WriteByte((byte)(value | 128));
        bytes.WriteByte((byte)value);
    }
}
