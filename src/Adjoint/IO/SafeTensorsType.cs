using System.Buffers.Binary;
using Adjoint.Data;

namespace Adjoint.IO;

/// <summary>
/// An element type of the safetensors format: what it is held as, or into what it can be converted without loss.
/// </summary>
/// <param name="Code">Its name in the format.</param>
/// <param name="Bits">Bits per element; less than 8 lie packed.</param>
/// <param name="Held">The element type with the same bits; null where there is none.</param>
/// <param name="Converted">The smallest element type that holds all its values; null where there is none.</param>
internal sealed record SafeTensorsType(string Code, int Bits, DType? Held, DType? Converted)
{
    private static readonly SafeTensorsType[] All =
    [
        new("F64", 64, DType.Float64, null),
        new("I64", 64, DType.Int64, null),
        new("F32", 32, DType.Float32, null),
        new("I32", 32, DType.Int32, null),
        new("BF16", 16, DType.BFloat16, null),
        new("F16", 16, DType.Float16, null),
        new("U8", 8, DType.UInt8, null),
        new("BOOL", 8, DType.Bool, null),
        new("U64", 64, null, DType.Int64),
        new("U32", 32, null, DType.Int64),
        new("U16", 16, null, DType.Int32),
        new("I16", 16, null, DType.Int32),
        new("I8", 8, null, DType.Int32),
        new("F8_E4M3", 8, null, DType.Float16),
        new("F8_E5M2", 8, null, DType.Float16),
        new("F8_E8M0", 8, null, DType.BFloat16),
        new("C64", 64, null, null),
        new("F6_E2M3", 6, null, null),
        new("F6_E3M2", 6, null, null),
        new("F4", 4, null, null),
    ];

    /// <summary>The names of those that are loaded as they are.</summary>
    internal static string Loaded => List(All.Where(type => type.Held is not null));

    /// <summary>The names of all.</summary>
    internal static string Known => List(All);

    /// <summary>The type of this name, or null.</summary>
    internal static SafeTensorsType? Named(string? code) => Array.Find(All, type => type.Code == code);

    /// <summary>What a tensor is written as.</summary>
    internal static SafeTensorsType Of(DType type) => Array.Find(All, stored => stored.Held == type)
        ?? throw new AdjointException($"SafeTensors: the format has no type for {type.Label()}; cast with .To(…)");

    /// <summary>Reads elements of another type into a tensor.</summary>
    /// <exception cref="DataFormatException">One is too large for the tensor's type.</exception>
    internal void Convert(ReadOnlySpan<byte> from, Tensor to, string path, string name)
    {
        switch (Code)
        {
            case "I8": Each<int>(from, to, bytes => (sbyte)bytes[0]); break;
            case "I16": Each<int>(from, to, bytes => BinaryPrimitives.ReadInt16LittleEndian(bytes)); break;
            case "U16": Each<int>(from, to, bytes => BinaryPrimitives.ReadUInt16LittleEndian(bytes)); break;
            case "U32": Each<long>(from, to, bytes => BinaryPrimitives.ReadUInt32LittleEndian(bytes)); break;
            case "U64":
                Each(from, to, bytes => BinaryPrimitives.ReadUInt64LittleEndian(bytes) is <= long.MaxValue and var value
                    ? (long)value
                    : throw new DataFormatException(
                        path, 8, $"{BinaryPrimitives.ReadUInt64LittleEndian(bytes)}, a U64, in {name}",
                        $"at most {long.MaxValue}, the largest int64"));
                break;
            case "F8_E4M3": Each(from, to, bytes => FromE4M3(bytes[0])); break;
            // It is float16 without the lower half of its fraction.
            case "F8_E5M2": Each(from, to, bytes => BitConverter.UInt16BitsToHalf((ushort)(bytes[0] << 8))); break;
            case "F8_E8M0": Each(from, to, bytes => FromE8M0(bytes[0])); break;
            default: throw new NotSupportedException($"SafeTensors: {Code} is not converted");
        }
    }

    /// <summary>
    /// A sign, 4 bits of exponent, from 2⁻⁶, 3 of fraction; no infinity, NaN where all bits but the sign are 1.
    /// </summary>
    internal static Half FromE4M3(byte value)
    {
        var (exponent, fraction) = (value >> 3 & 15, value & 7);
        var size = (value & 0x7F) == 0x7F ? Half.NaN
            : exponent == 0 ? (Half)(fraction / 512f)
            : BitConverter.UInt16BitsToHalf((ushort)(exponent + 8 << 10 | fraction << 7));
        return value < 0x80 ? size : -size;
    }

    /// <summary>A power of two, from 2⁻¹²⁷ to 2¹²⁷; NaN where all bits are 1.</summary>
    internal static BFloat16 FromE8M0(byte exponent) => exponent switch
    {
        255 => BFloat16.NaN,
        // 2⁻¹²⁷ is subnormal.
        0 => BFloat16.FromBits(0x40),
        _ => BFloat16.FromBits((ushort)(exponent << 7)),
    };

    private delegate T Reader<T>(ReadOnlySpan<byte> element);

    private void Each<T>(ReadOnlySpan<byte> from, Tensor to, Reader<T> read) where T : unmanaged
    {
        var size = Bits / 8;
        var values = new T[to.Length];
        for (var i = 0; i < values.Length; i++) values[i] = read(from.Slice(i * size, size));
        to.CopyFrom<T>(values);
    }

    private static string List(IEnumerable<SafeTensorsType> types)
    {
        string[] codes = [.. types.Select(type => type.Code)];
        return $"{string.Join(", ", codes[..^1])} or {codes[^1]}";
    }
}
