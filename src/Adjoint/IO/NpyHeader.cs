using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// The header of a NumPy array: magic, version, its length, then a Python dictionary as text: <c>{'descr': '&lt;f4',
/// 'fortran_order': False, 'shape': (2, 3), }</c>. Nothing of Python is evaluated: exactly this form is read.
/// </summary>
/// <param name="Type">The element type as NumPy names it, without byte order.</param>
/// <param name="IsBigEndian">Whether the bytes of each element come in reverse order.</param>
/// <param name="IsFortranOrder">Whether the first axis, not the last, is the one whose elements are neighbors.</param>
/// <param name="Sizes">Of the axes, outermost first.</param>
/// <param name="DataOffset">Where the elements begin.</param>
internal sealed record NpyHeader(
    NpyType Type, bool IsBigEndian, bool IsFortranOrder, long[] Sizes, int DataOffset)
{
    // Headers of numbers take a line; more is a structured type, or made to deceive.
    private const int MostLength = 1 << 16;
    private const int MostAxes = 64;
    private const int Alignment = 64;

    /// <summary>What every array begins with.</summary>
    internal static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>The number of bytes of the elements.</summary>
    internal long Bytes { get; private init; }

    /// <summary>Reads a header, and checks it against the length of all.</summary>
    /// <param name="stream">Begins with the header; the elements are what comes next.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="length">The number of bytes of header and elements: no more and no less may be needed.</param>
    /// <exception cref="DataFormatException">
    /// It is no header, its type has no numbers, or its sizes need another length.
    /// </exception>
    internal static NpyHeader Read(Stream stream, string path, long length)
    {
        Span<byte> start = stackalloc byte[12];
        var version = start[..8];
        var read = stream.ReadAtLeast(version, version.Length, throwOnEndOfStream: false);
        if (read < version.Length || !version.StartsWith(Magic))
            throw new DataFormatException(path, 0, read < version.Length ? $"the end after {read} bytes"
                : Convert.ToHexStringLower(version[..Magic.Length]), "934e554d5059, which begins an array of NumPy");
        if (version[6] is < 1 or > 3 || version[7] != 0)
            throw new DataFormatException(path, 6, $"version {version[6]}.{version[7]}", "1.0, 2.0 or 3.0");
        var prefix = version[6] == 1 ? 10 : 12;
        var count = start[8..prefix];
        read = stream.ReadAtLeast(count, count.Length, throwOnEndOfStream: false);
        if (read < count.Length)
            throw new DataFormatException(path, 8, $"the end after {8 + read} bytes", "the length of the header");
        var headerLength = prefix == 10 ? BinaryPrimitives.ReadUInt16LittleEndian(count)
            : BinaryPrimitives.ReadUInt32LittleEndian(count);
        var most = Math.Min(MostLength, length - prefix);
        if (headerLength > most)
            throw new DataFormatException(path, 8, $"a header of {headerLength} bytes", $"at most {most}");
        var bytes = new byte[headerLength];
        read = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        if (read < bytes.Length)
            throw new DataFormatException(path, prefix + read, "the end", $"a header of {headerLength} bytes");
        return new Parser(Decode(bytes, path, prefix, version[6]), path, prefix).Read(bytes.Length, length);
    }

    /// <summary>The header of a tensor's elements in row-major order, byte for byte as NumPy writes it.</summary>
    internal static byte[] Write(Tensor tensor)
    {
        var sizes = string.Join(", ", tensor.Shape) + (tensor.Rank == 1 ? "," : "");
        var type = NpyType.Of(tensor.DType).Descriptor;
        var text = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({sizes}), }}";
        var length = (10 + text.Length + 1 + Alignment - 1) / Alignment * Alignment;
        var bytes = new byte[length];
        Magic.CopyTo(bytes);
        bytes[6] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), checked((ushort)(length - 10)));
        bytes.AsSpan(10).Fill((byte)' ');
        Encoding.ASCII.GetBytes(text, bytes.AsSpan(10));
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    /// <summary>The array of this header as an entry of a file.</summary>
    internal TensorEntry Entry(string name) => new(name, Type.Name, Type.Stored, Sizes, Bytes) { Offset = DataOffset };

    /// <summary>The element type that the array is loaded as.</summary>
    /// <exception cref="DataFormatException">It has to be converted, and may not be.</exception>
    internal DType TypeOf(string path, bool convert)
    {
        Entry("the array").RequireType(path, convert);
        return Type.Stored.Loaded!.Value;
    }

    /// <summary>Reads the elements into a tensor, row-major and converted where they have to be.</summary>
    /// <param name="fill">Gives the bytes as they are in the file.</param>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="DataFormatException">An element is too large for the tensor's type.</exception>
    internal Tensor Read(StoredType.Fill fill, string path)
    {
        var sizes = Array.ConvertAll(Sizes, size => (int)size);
        if (!IsFortranOrder || sizes.Length < 2) return Read(sizes, fill, path);
        Array.Reverse(sizes);
        return Read(sizes, fill, path).Permute([.. Enumerable.Range(0, sizes.Length).Reverse()]).Contiguous();
    }

    /// <summary>The same for some of the elements, in the order in which they lie in the file.</summary>
    internal Tensor Read(Shape sizes, StoredType.Fill fill, string path) => Type.Stored.Read(sizes, elements =>
    {
        fill(elements);
        if (IsBigEndian) Type.Stored.Reverse(elements);
    }, path, "the array", DataOffset);

    private static string Decode(byte[] bytes, string path, int prefix, byte version)
    {
        if (version < 3) return Encoding.Latin1.GetString(bytes);
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            throw new DataFormatException(path, prefix + Math.Max(0, error.Index), "bytes that are no UTF-8",
                "the text of a header of version 3.0");
        }
    }

    // A literal of Python, as far as a header needs it.
    private ref struct Parser(string text, string path, int prefix)
    {
        private int at;

        internal NpyHeader Read(int headerLength, long length)
        {
            (NpyType Type, bool IsBigEndian)? type = null;
            bool? isFortranOrder = null;
            long[]? sizes = null;
            Expect('{');
            while (!Accept('}'))
            {
                var begin = Skip();
                var key = ReadText();
                Expect(':');
                switch (key)
                {
                    case "descr" when type is null: type = ReadType(); break;
                    case "fortran_order" when isFortranOrder is null: isFortranOrder = ReadTruth(); break;
                    case "shape" when sizes is null: sizes = ReadSizes(); break;
                    default:
                        throw Wrong(begin, $"the key '{key}'", "'descr', 'fortran_order' and 'shape', once each");
                }
                if (Accept(',')) continue;
                Expect('}');
                break;
            }
            if (Skip() < text.Length) throw Wrong(at, Here(), "the end of the header");
            if (type is null || isFortranOrder is null || sizes is null)
                throw Wrong(0, "a header that lacks a key", "'descr', 'fortran_order' and 'shape', once each");
            var (offset, bytes) = (prefix + headerLength, (UInt128)type.Value.Type.Size);
            // A size of 0 first: then no product overflows. There are at most 64 of less than 2⁶³.
            foreach (var size in sizes.Order()) bytes = UInt128.Min(bytes * (ulong)size, ulong.MaxValue);
            if (bytes != (ulong)(length - offset))
                throw new DataFormatException(path, offset, $"{length - offset} bytes of elements",
                    $"{(bytes > long.MaxValue ? "more than 2⁶³" : bytes)}, those of shape ({string.Join(", ", sizes)}) "
                    + $"and type {type.Value.Type.Name}; " + (bytes > (ulong)(length - offset)
                        ? "the file was cut short: write or copy it again"
                        : "several arrays belong into one .npz file, not one after another"));
            return new(type.Value.Type, type.Value.IsBigEndian, isFortranOrder.Value, sizes, offset)
            {
                Bytes = (long)bytes,
            };
        }

        private (NpyType Type, bool IsBigEndian) ReadType()
        {
            var begin = Skip();
            if (begin < text.Length && text[begin] is '[' or '(' or '{')
                throw Wrong(begin, $"the structured type {text[begin..].TrimEnd()}",
                    $"{NpyType.Known}; save each of its fields as an array of its own");
            var descriptor = ReadText();
            var order = descriptor.Length > 0 ? descriptor[0] : ' ';
            var name = order is '<' or '>' or '|' or '=' ? descriptor[1..] : descriptor;
            var type = NpyType.Named(name);
            // A byte has no order, and everything else has one; NumPy's raw bytes have none either, bfloat16's do.
            return type is not null && (type.Size == 1 || order is '<' || order is '>' && type.Descriptor != "<V2")
                ? (type, order == '>' && type.Size > 1)
                : throw Wrong(begin, $"the type '{descriptor}'{NpyType.Meaning(name)}",
                    $"{NpyType.Known}{NpyType.Remedy(name)}");
        }

        private bool ReadTruth()
        {
            var begin = Skip();
            foreach (var (word, value) in ((string, bool)[])[("True", true), ("False", false)])
                if (text.AsSpan(begin).StartsWith(word, StringComparison.Ordinal))
                {
                    at += word.Length;
                    return value;
                }
            throw Wrong(begin, Here(), "True or False");
        }

        private long[] ReadSizes()
        {
            Expect('(');
            var sizes = new List<long>();
            var ended = false;
            while (!Accept(')'))
            {
                if (ended) throw Wrong(at, Here(), "a comma or the end of the shape");
                var begin = Skip();
                while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
                if (!long.TryParse(text.AsSpan(begin, at - begin), NumberStyles.None, CultureInfo.InvariantCulture,
                    out var size))
                    throw Wrong(begin, at > begin ? $"size {text[begin..at]}" : Here(),
                        $"a size up to {long.MaxValue}");
                // Python 2 wrote its long integers so.
                if (at < text.Length && text[at] == 'L') at++;
                sizes.Add(size);
                if (sizes.Count > MostAxes) throw Wrong(begin, "a further axis", $"at most {MostAxes}");
                ended = !Accept(',');
                if (ended && sizes.Count == 1) throw Wrong(at, Here(), "a comma, which makes (n,) of one size");
            }
            return [.. sizes];
        }

        private string ReadText()
        {
            var begin = Skip();
            if (begin == text.Length || text[begin] is not ('\'' or '"')) throw Wrong(begin, Here(), "a quoted text");
            var end = text.IndexOf(text[begin], begin + 1);
            if (end < 0) throw Wrong(begin, "a text without its end", $"a closing {text[begin]}");
            at = end + 1;
            var content = text[(begin + 1)..end];
            return content.Contains('\\', StringComparison.Ordinal) ? throw Wrong(begin, $"a \\ in '{content}'", "none")
                : content;
        }

        private bool Accept(char sign)
        {
            if (Skip() == text.Length || text[at] != sign) return false;
            at++;
            return true;
        }

        private void Expect(char sign)
        {
            if (!Accept(sign)) throw Wrong(at, Here(), sign.ToString());
        }

        private int Skip()
        {
            while (at < text.Length && text[at] is ' ' or '\n' or '\t' or '\r') at++;
            return at;
        }

        private readonly string Here() =>
            at == text.Length ? "the end of the header" : $"'{text[at..Math.Min(text.Length, at + 20)]}'";

        private readonly DataFormatException Wrong(int position, string found, string expected) =>
            new(path, prefix + position, found, expected);
    }
}
