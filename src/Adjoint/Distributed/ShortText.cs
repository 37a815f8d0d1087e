using System.Buffers.Binary;
using System.Text;

namespace Adjoint.Distributed;

/// <summary>
/// Texts in messages of fixed length: two bytes for the length, and as much of the text in UTF-8 as fits.
/// </summary>
internal static class ShortText
{
    public static void Write(string text, Span<byte> space)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(space, (ushort)Encode(text, space[2..]));

        static int Encode(string text, Span<byte> space)
        {
            if (Encoding.UTF8.TryGetBytes(text, space, out var written)) return written;
            var whole = Encoding.UTF8.GetBytes(text);
            var end = space.Length - 3;
            while ((whole[end] & 0xC0) == 0x80) end--;
            whole.AsSpan(0, end).CopyTo(space);
            return end + Encoding.UTF8.GetBytes("…", space[end..]);
        }
    }

    public static string Read(ReadOnlySpan<byte> space) => Encoding.UTF8.GetString(
        space.Slice(2, Math.Min(BinaryPrimitives.ReadUInt16LittleEndian(space), space.Length - 2)));
}
