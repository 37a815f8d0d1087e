using System.Buffers.Binary;
using System.Text;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>The bytes of one or more pickles, one after another; no length in them is believed.</summary>
/// <param name="stream">Where they come from, from its present position.</param>
/// <param name="path">The file, for messages.</param>
/// <param name="begin">The offset of the first byte, for messages.</param>
/// <param name="length">How many bytes there are at most.</param>
internal sealed class PickleSource(Stream stream, string path, long begin, long length)
{
    private const int MostName = 256;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly byte[] buffer = new byte[1 << 12];
    private int at, count;
    private long taken;

    /// <summary>Where the next byte lies.</summary>
    internal long Position => begin + taken;

    /// <summary>The bytes that there are in all.</summary>
    internal long Length => length;

    internal byte ReadByte()
    {
        if (at == count)
        {
            count = stream.Read(buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - taken)));
            at = 0;
            if (count == 0) throw End();
        }
        taken++;
        return buffer[at++];
    }

    internal ushort ReadUInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Read(2));

    internal int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Read(4));

    internal uint ReadUInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Read(4));

    internal ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Read(8));

    /// <summary>Big-endian, as nothing else in a pickle is.</summary>
    internal double ReadDouble() => BinaryPrimitives.ReadDoubleBigEndian(Read(8));

    /// <summary>Reads bytes whose number the file says.</summary>
    /// <exception cref="DataFormatException">There are fewer; nothing was allocated then.</exception>
    internal byte[] Read(ulong number)
    {
        if (number > (ulong)(length - taken) || number > (ulong)Array.MaxLength)
            throw new DataFormatException(path, Position, $"{number} bytes to come", $"at most {length - taken}, "
                + "those that are left; the file was cut short or is damaged: copy or write it again");
        var bytes = new byte[number];
        var have = (int)Math.Min((long)number, count - at);
        buffer.AsSpan(at, have).CopyTo(bytes);
        (at, taken) = (at + have, taken + have);
        while (have < bytes.Length)
        {
            var more = stream.Read(bytes.AsSpan(have));
            if (more == 0) throw End();
            (have, taken) = (have + more, taken + more);
        }
        return bytes;
    }

    internal string ReadText(ulong number)
    {
        var place = Position;
        var bytes = Read(number);
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new DataFormatException(path, place + Math.Max(0, error.Index), "bytes that are no UTF-8",
                "a text; the file is damaged, or was written with another encoding: load and save it in Python");
        }
    }

    /// <summary>A name that ends with a line feed.</summary>
    internal string ReadLine()
    {
        Span<byte> line = stackalloc byte[MostName];
        var place = Position;
        for (var i = 0; i < line.Length; i++)
            if ((line[i] = ReadByte()) == '\n') return Encoding.Latin1.GetString(line[..i]);
        throw new DataFormatException(path, place, $"a name of more than {MostName} letters",
            "the name of a module or of what is in it");
    }

    private DataFormatException End() => new(path, Position, "the end",
        "more of a pickle; the file was cut short: copy or write it again");
}
