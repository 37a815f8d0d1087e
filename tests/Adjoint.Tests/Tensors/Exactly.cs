using System.Numerics;

namespace Adjoint.Tests.Tensors;

/// <summary>
/// Conversions between element types in integers of any length: what those of the library are held against.
/// </summary>
internal static class Exactly
{
    internal static readonly DType[] Types = Enum.GetValues<DType>();

    /// <summary>
    /// The value, a long or a double, in a type; as the library has elements of it: a long for whole numbers and truth,
    /// a double for others.
    /// </summary>
    internal static object To(DType type, object value)
    {
        if (type == DType.Bool) return value is long whole ? (whole != 0 ? 1L : 0) : (double)value != 0 ? 1L : 0;
        if (type.IsFloating()) return Rounded(type, value);
        var (least, most, bits) = type switch
        {
            DType.UInt8 => (0L, 255L, 8),
            DType.Int32 => (int.MinValue, int.MaxValue, 32),
            _ => (long.MinValue, long.MaxValue, 64),
        };
        if (value is long x)
        {
            var rest = (BigInteger)x & ((BigInteger.One << bits) - 1);
            return (long)(rest > most ? rest - (BigInteger.One << bits) : rest);
        }
        var number = (double)value;
        return double.IsNaN(number) ? 0L
            : number >= most ? most
            : number <= least ? least
            : (long)new BigInteger(Math.Truncate(number));
    }

    /// <summary>The nearest number of a floating type, ties to even.</summary>
    internal static double Rounded(DType type, object value)
    {
        if (value is double special && (!double.IsFinite(special) || special == 0)) return special;
        var (mantissa, exponent) = value is long whole ? (whole, 0) : Parts((double)value);
        var (digits, least, most) = type switch
        {
            DType.BFloat16 => (8, -133, 127),
            DType.Float16 => (11, -24, 15),
            DType.Float32 => (24, -149, 127),
            _ => (53, -1074, 1023),
        };
        if (mantissa.IsZero) return 0;
        // In units of the last digit that there is: 2^unit.
        var length = (int)BigInteger.Abs(mantissa).GetBitLength();
        var unit = Math.Max(exponent + length - digits, least);
        var size = BigInteger.Abs(mantissa);
        if (exponent >= unit) size <<= exponent - unit;
        else
        {
            var whole2 = size >> (unit - exponent);
            var twice = (size - (whole2 << (unit - exponent))) << 1;
            var half = BigInteger.One << (unit - exponent);
            size = whole2 + (twice > half || twice == half && !whole2.IsEven ? 1 : 0);
        }
        var result = size >= BigInteger.One << (most + 1 - unit)
            ? double.PositiveInfinity
            : Math.ScaleB((double)size, unit);
        return mantissa.Sign < 0 || value is double signed && double.IsNegative(signed) ? -result : result;
    }

    /// <summary>The elements of a tensor as longs, or doubles.</summary>
    internal static object[] Elements(Tensor x) => x.DType switch
    {
        DType.Float32 => [.. x.ToArray<float>().Select(value => (object)(double)value)],
        DType.Float64 => [.. x.ToArray<double>().Cast<object>()],
        DType.BFloat16 => [.. x.ToArray<BFloat16>().Select(value => (object)(double)(float)value)],
        DType.Float16 => [.. x.ToArray<Half>().Select(value => (object)(double)value)],
        DType.Int64 => [.. x.ToArray<long>().Cast<object>()],
        DType.Int32 => [.. x.ToArray<int>().Select(value => (object)(long)value)],
        DType.UInt8 => [.. x.ToArray<byte>().Select(value => (object)(long)value)],
        DType.Bool => [.. x.ToArray<bool>().Select(value => (object)(value ? 1L : 0))],
        _ => throw new NotSupportedException(),
    };

    /// <summary>A vector of a type, whose elements have exactly these values.</summary>
    internal static Tensor Vector(DType type, object[] values) => type switch
    {
        DType.Float32 => Tensor.From(Array.ConvertAll(values, value => (float)(double)value)),
        DType.Float64 => Tensor.From(Array.ConvertAll(values, value => (double)value)),
        DType.BFloat16 => Tensor.From(Array.ConvertAll(values, BitsOfBFloat16)),
        DType.Float16 => Tensor.From(Array.ConvertAll(values, value => (Half)(double)value)),
        DType.Int64 => Tensor.From(Array.ConvertAll(values, value => (long)value)),
        DType.Int32 => Tensor.From(Array.ConvertAll(values, value => (int)(long)value)),
        DType.UInt8 => Tensor.From(Array.ConvertAll(values, value => (byte)(long)value)),
        DType.Bool => Tensor.From(Array.ConvertAll(values, value => (long)value != 0)),
        _ => throw new NotSupportedException(),
    };

    /// <summary>Fails where two differ; NaN equals NaN here, and −0 does not equal 0.</summary>
    internal static void Equal(object[] expected, object[] found, string why)
    {
        Assert.Equal(expected.Length, found.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(
                Text(expected[i]) == Text(found[i]), $"{why}, element {i}: expected {expected[i]}, found {found[i]}");
    }

    private static string Text(object value) => value is double x
        ? double.IsNaN(x) ? "NaN" : $"{BitConverter.DoubleToInt64Bits(x):x}"
        : $"{value}";

    // Its number is the upper half of a float32's, which it is here.
    private static BFloat16 BitsOfBFloat16(object value)
    {
        var bits = BitConverter.SingleToUInt32Bits((float)(double)value);
        Assert.True((bits & 0xFFFF) == 0 || double.IsNaN((double)value), $"{value} is no bfloat16");
        return BFloat16.FromBits((ushort)(bits >> 16));
    }

    private static (BigInteger Mantissa, int Exponent) Parts(double value)
    {
        var bits = BitConverter.DoubleToInt64Bits(value);
        var (exponent, fraction) = ((int)(bits >> 52 & 0x7FF), bits & ((1L << 52) - 1));
        var size = exponent == 0 ? fraction : fraction | 1L << 52;
        return (bits < 0 ? -size : size, Math.Max(1, exponent) - 1075);
    }
}
