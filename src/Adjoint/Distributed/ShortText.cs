using System.Text;

namespace Adjoint.Distributed;

/// <summary>Texts in messages of fixed length: as much of each as fits, in UTF-8.</summary>
internal static class ShortText
{
    /// <summary>Writes a text, shortened to the given space.</summary>
    /// <returns>The number of bytes that it takes.</returns>
    public static int Write(string text, Span<byte> space)
    {
        if (Encoding.UTF8.TryGetBytes(text, space, out var written)) return written;
        var whole = Encoding.UTF8.GetBytes(text);
        var end = space.Length - 3;
        while ((whole[end] & 0xC0) == 0x80) end--;
        whole.AsSpan(0, end).CopyTo(space);
        return end + Encoding.UTF8.GetBytes("…", space[end..]);
    }

    public static string Read(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
