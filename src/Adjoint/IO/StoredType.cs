using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// An element type as files have it, whatever their format: what it is held as, or into what it can be converted
/// without loss. The formats have their own names for these types: <see cref="SafeTensorsType"/>, <see
/// cref="NpyType"/>.
/// </summary>
/// <param name="Name">Its name in PyTorch; for types that PyTorch has not, that of the package ml_dtypes.</param>
/// <param name="Bits">Bits per element; less than 8 lie packed.</param>
/// <param name="Held">The element type with the same bits; null where there is none.</param>
/// <param name="Converted">The smallest element type that holds all its values; null where there is none.</param>
internal sealed record StoredType(string Name, int Bits, DType? Held, DType? Converted)
{
    private static readonly Dictionary<string, StoredType> All = ((StoredType[])
    [
        new("float64", 64, DType.Float64, null),
        new("float32", 32, DType.Float32, null),
        new("bfloat16", 16, DType.BFloat16, null),
        new("float16", 16, DType.Float16, null),
        new("int64", 64, DType.Int64, null),
        new("int32", 32, DType.Int32, null),
        new("uint8", 8, DType.UInt8, null),
        new("bool", 8, DType.Bool, null),
        new("uint64", 64, null, DType.Int64),
        new("uint32", 32, null, DType.Int64),
        new("uint16", 16, null, DType.Int32),
        new("int16", 16, null, DType.Int32),
        new("int8", 8, null, DType.Int32),
        new("float8_e4m3fn", 8, null, DType.Float16),
        new("float8_e4m3fnuz", 8, null, DType.Float16),
        new("float8_e5m2", 8, null, DType.Float16),
        new("float8_e5m2fnuz", 8, null, DType.Float16),
        new("float8_e8m0fnu", 8, null, DType.BFloat16),
        new("float4_e2m1fn", 4, null, DType.Float16),
        // No format says in which order six bits lie packed.
        new("float6_e2m3fn", 6, null, null),
        new("float6_e3m2fn", 6, null, null),
        new("complex128", 128, null, null),
        new("complex64", 64, null, null),
        new("complex32", 32, null, null),
        // Their values depend on a scale that is stored elsewhere.
        new("qint32", 32, null, null),
        new("qint8", 8, null, null),
        new("quint8", 8, null, null),
        new("quint4x2", 4, null, null),
        new("quint2x4", 2, null, null),
        // Bytes in which several numbers lie, of which the shape counts the bytes.
        new("float4_e2m1fn_x2", 8, null, null),
        new("bits16", 16, null, null),
        new("bits8", 8, null, null),
        new("bits4x2", 8, null, null),
        new("bits2x4", 8, null, null),
        new("bits1x8", 8, null, null),
    ]).ToDictionary(type => type.Name);

    /// <summary>The names of those that are held as they are, for messages.</summary>
    internal static string HeldNames { get; } = List(All.Values.Where(type => type.Held is not null));

    /// <summary>The element type that it has when loaded; null where it cannot be.</summary>
    internal DType? Loaded => Held ?? Converted;

    /// <summary>The type of this name in PyTorch, or null.</summary>
    internal static StoredType? Named(string name) => All.GetValueOrDefault(name);

    /// <summary>The type whose bits an element type has.</summary>
    internal static StoredType Of(DType type) => All.Values.First(stored => stored.Held == type);

    /// <summary>Writes all bytes of the elements, little-endian and row-major, where they are wanted.</summary>
    internal delegate void Fill(Span<byte> elements);

    /// <summary>Reads elements into a new tensor: right where they belong, or beside it to be converted.</summary>
    /// <param name="sizes">Of the axes, outermost first.</param>
    /// <param name="fill">Gives the bytes.</param>
    /// <param name="path">The file, for messages.</param>
    /// <param name="name">The tensor's name, for messages.</param>
    /// <param name="offset">Where the elements begin in the file, for messages.</param>
    /// <exception cref="DataFormatException">An element is too large for the tensor's type.</exception>
    internal Tensor Read(Shape sizes, Fill fill, string path, string name, long offset)
    {
        var tensor = Tensor.Empty(sizes, Loaded!.Value, Device.Cpu);
        if (Held is null)
        {
            var bytes = new byte[((long)tensor.Length * Bits + 7) / 8];
            fill(bytes);
            Convert(bytes, tensor, path, name, offset);
            return tensor;
        }
        var elements = tensor.Storage.Bytes[..(tensor.Length * Held.Value.Size())];
        fill(elements);
        Normalize(elements);
        GC.KeepAlive(tensor);
        return tensor;
    }

    /// <summary>
    /// Makes truth values 0 or 1: any other byte means true too, but not to those who compute with it.
    /// </summary>
    internal void Normalize(Span<byte> elements)
    {
        if (Held != DType.Bool || !elements.ContainsAnyExceptInRange((byte)0, (byte)1)) return;
        foreach (ref var element in elements) element = element == 0 ? (byte)0 : (byte)1;
    }

    /// <summary>Puts the bytes of each element into the reverse order.</summary>
    internal void Reverse(Span<byte> elements)
    {
        switch (Bits)
        {
            case 8: break;
            case 16: InPlace<ushort>(elements, BinaryPrimitives.ReverseEndianness); break;
            case 32: InPlace<uint>(elements, BinaryPrimitives.ReverseEndianness); break;
            case 64: InPlace<ulong>(elements, BinaryPrimitives.ReverseEndianness); break;
            default: throw new NotSupportedException($"StoredType: elements of {Bits} bits");
        }
    }

    private delegate void Reversing<T>(ReadOnlySpan<T> from, Span<T> to);

    private static void InPlace<T>(Span<byte> elements, Reversing<T> reverse) where T : unmanaged
    {
        var values = MemoryMarshal.Cast<byte, T>(elements);
        reverse(values, values);
    }

    /// <summary>Converts elements of a type that is not held into a tensor of type <see cref="Converted"/>.</summary>
    /// <exception cref="DataFormatException">One is too large for the tensor's type.</exception>
    internal void Convert(ReadOnlySpan<byte> from, Tensor to, string path, string name, long offset)
    {
        switch (Name)
        {
            case "int8": Each<int>(from, to, bytes => (sbyte)bytes[0]); break;
            case "int16": Each<int>(from, to, bytes => BinaryPrimitives.ReadInt16LittleEndian(bytes)); break;
            case "uint16": Each<int>(from, to, bytes => BinaryPrimitives.ReadUInt16LittleEndian(bytes)); break;
            case "uint32": Each<long>(from, to, bytes => BinaryPrimitives.ReadUInt32LittleEndian(bytes)); break;
            case "uint64":
                for (var i = 0; i < to.Length; i++)
                    if (BinaryPrimitives.ReadUInt64LittleEndian(from[(i * 8)..]) is > long.MaxValue and var value)
                        throw new DataFormatException(path, offset + i * 8L, $"{value}, a uint64, in {name}",
                            $"at most {long.MaxValue}, the largest int64");
                Each(from, to, BinaryPrimitives.ReadInt64LittleEndian);
                break;
            case "float8_e4m3fn":
                Each(from, to, bytes => SmallFloat(bytes[0], 4, bias: 7, isNaN: (bytes[0] & 0x7F) == 0x7F)); break;
            case "float8_e4m3fnuz": Each(from, to, bytes => SmallFloat(bytes[0], 4, bias: 8, bytes[0] == 0x80)); break;
            case "float8_e5m2fnuz": Each(from, to, bytes => SmallFloat(bytes[0], 5, bias: 16, bytes[0] == 0x80)); break;
            // It is float16 without the lower half of its fraction.
            case "float8_e5m2": Each(from, to, bytes => BitConverter.UInt16BitsToHalf((ushort)(bytes[0] << 8))); break;
            case "float8_e8m0fnu": Each(from, to, bytes => PowerOfTwo(bytes[0])); break;
            case "float4_e2m1fn": Nibbles(from, to); break;
            default: throw new NotSupportedException($"StoredType: {Name} is not converted");
        }
    }

    // A sign, bits of exponent, and the rest of fraction; no infinity.
    private static Half SmallFloat(byte value, int exponentBits, int bias, bool isNaN)
    {
        if (isNaN) return Half.NaN;
        var fractionBits = 7 - exponentBits;
        var exponent = (value & 0x7F) >> fractionBits;
        var fraction = (value & ((1 << fractionBits) - 1)) / (float)(1 << fractionBits);
        var size = exponent == 0 ? float.ScaleB(fraction, 1 - bias) : float.ScaleB(1 + fraction, exponent - bias);
        return (Half)(value < 0x80 ? size : -size);
    }

    // From 2⁻¹²⁷ to 2¹²⁷; NaN where all bits are 1.
    private static BFloat16 PowerOfTwo(byte exponent) => exponent switch
    {
        255 => BFloat16.NaN,
        // 2⁻¹²⁷ is subnormal.
        0 => BFloat16.FromBits(0x40),
        _ => BFloat16.FromBits((ushort)(exponent << 7)),
    };

    // A sign, 2 bits of exponent, 1 of fraction; the first of two is the lower half of the byte, as PyTorch has it.
    private static void Nibbles(ReadOnlySpan<byte> from, Tensor to)
    {
        ReadOnlySpan<float> sizes = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6];
        var values = new Half[to.Length];
        for (var i = 0; i < values.Length; i++)
        {
            var bits = from[i / 2] >> (4 * (i & 1));
            values[i] = (Half)((bits & 8) == 0 ? sizes[bits & 7] : -sizes[bits & 7]);
        }
        to.CopyFrom<Half>(values);
    }

    private delegate T Reader<T>(ReadOnlySpan<byte> element);

    private void Each<T>(ReadOnlySpan<byte> from, Tensor to, Reader<T> read) where T : unmanaged
    {
        var size = Bits / 8;
        var values = new T[to.Length];
        for (var i = 0; i < values.Length; i++) values[i] = read(from.Slice(i * size, size));
        to.CopyFrom<T>(values);
    }

    private static string List(IEnumerable<StoredType> types)
    {
        string[] names = [.. types.Select(type => type.Name)];
        return $"{string.Join(", ", names[..^1])} or {names[^1]}";
    }
}
