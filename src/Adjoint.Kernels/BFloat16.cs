using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Adjoint;

/// <summary>
/// The upper 16 bits of a float32: a sign, 8 bits of exponent, 7 of fraction. Conversions to it round once, to the
/// nearest, ties to even; a NaN stays one, with its sign. Conversion to float32 is exact. Arithmetic is that of
/// float32, rounded: the nearest there is to the exact result.
/// </summary>
public readonly struct BFloat16 : INumber<BFloat16>, IMinMaxValue<BFloat16>, ISignedNumber<BFloat16>
{
    // Enough to tell any two apart.
    private const int MaxDigits = 4;

    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    /// <summary>The number with these bits.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>The bits.</summary>
    public ushort Bits => bits;

    /// <summary>The smallest number above 0, 2⁻¹³³.</summary>
    public static BFloat16 Epsilon => new(1);

    /// <summary>The largest finite number, 2¹²⁸·(1 − 2⁻⁸), about 3.39·10³⁸.</summary>
    public static BFloat16 MaxValue => new(0x7F7F);

    /// <summary>The least finite number, −<see cref="MaxValue"/>.</summary>
    public static BFloat16 MinValue => new(0xFF7F);

    /// <summary>Not a number.</summary>
    public static BFloat16 NaN => new(0xFFC0);

    /// <summary>∞.</summary>
    public static BFloat16 PositiveInfinity => new(0x7F80);

    /// <summary>−∞.</summary>
    public static BFloat16 NegativeInfinity => new(0xFF80);

    /// <summary>0.</summary>
    public static BFloat16 Zero => default;

    /// <summary>−0, which equals 0.</summary>
    public static BFloat16 NegativeZero => new(0x8000);

    /// <summary>1.</summary>
    public static BFloat16 One => new(0x3F80);

    /// <summary>−1.</summary>
    public static BFloat16 NegativeOne => new(0xBF80);

    static int INumberBase<BFloat16>.Radix => 2;

    static BFloat16 IAdditiveIdentity<BFloat16, BFloat16>.AdditiveIdentity => Zero;

    static BFloat16 IMultiplicativeIdentity<BFloat16, BFloat16>.MultiplicativeIdentity => One;

    /// <summary>The nearest there is, ties to even; ∞ from 2¹²⁸·(1 − 2⁻⁹) on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BFloat16(float value)
    {
        var whole = BitConverter.SingleToUInt32Bits(value);
        // A NaN whose upper bits are 0 would become ∞: it is made quiet.
        if (float.IsNaN(value)) return new((ushort)(whole >> 16 | 0x40));
        return new((ushort)(whole + 0x7FFF + (whole >> 16 & 1) >> 16));
    }

    /// <summary>The nearest there is, ties to even, rounded once; ∞ from 2¹²⁸·(1 − 2⁻⁹) on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BFloat16(double value)
    {
        var near = (float)value;
        if (near == value || double.IsNaN(value)) return (BFloat16)near;
        // Rounded to odd on the way, a tie that was none is not taken for one.
        var whole = BitConverter.SingleToUInt32Bits(near);
        if (Math.Abs(near) > Math.Abs(value)) whole--;
        return (BFloat16)BitConverter.UInt32BitsToSingle(whole | 1);
    }

    /// <summary>The nearest there is, ties to even.</summary>
    public static explicit operator BFloat16(Half value) => (BFloat16)(float)value;

    /// <summary>The nearest there is, ties to even.</summary>
    public static explicit operator BFloat16(int value) => (BFloat16)(double)value;

    /// <summary>The nearest there is, ties to even, rounded once.</summary>
    public static explicit operator BFloat16(long value)
    {
        // What a double has no digit for is kept as its last one, which is enough to tell a tie.
        const long Exact = 1L << 53;
        return value is >= -Exact and <= Exact
            ? (BFloat16)(double)value
            : (BFloat16)((value >> 11 | ((value & 0x7FF) != 0 ? 1L : 0)) * 2048.0);
    }

    /// <summary>The nearest there is, ties to even, rounded once.</summary>
    public static explicit operator BFloat16(ulong value) => value <= long.MaxValue
        ? (BFloat16)(long)value
        : (BFloat16)((value >> 11 | ((value & 0x7FF) != 0 ? 1UL : 0)) * 2048.0);

    /// <summary>The same number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.bits << 16);

    /// <summary>The same number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator double(BFloat16 value) => (float)value;

    /// <summary>The nearest there is, ties to even; ∞ from 65,520 on.</summary>
    public static explicit operator Half(BFloat16 value) => (Half)(float)value;

    /// <summary>Cut towards 0; the nearest there is for what lies outside, 0 for NaN.</summary>
    public static explicit operator int(BFloat16 value) => int.CreateSaturating((float)value);

    /// <summary>Cut towards 0; the nearest there is for what lies outside, 0 for NaN.</summary>
    public static explicit operator long(BFloat16 value) => long.CreateSaturating((float)value);

    /// <summary>The sum, rounded.</summary>
    public static BFloat16 operator +(BFloat16 x, BFloat16 y) => (BFloat16)((float)x + (float)y);

    /// <summary>The difference, rounded.</summary>
    public static BFloat16 operator -(BFloat16 x, BFloat16 y) => (BFloat16)((float)x - (float)y);

    /// <summary>The product, rounded.</summary>
    public static BFloat16 operator *(BFloat16 x, BFloat16 y) => (BFloat16)((float)x * (float)y);

    /// <summary>The quotient, rounded.</summary>
    public static BFloat16 operator /(BFloat16 x, BFloat16 y) => (BFloat16)((float)x / (float)y);

    /// <summary>What is left of a division whose quotient is cut towards 0; exact.</summary>
    public static BFloat16 operator %(BFloat16 x, BFloat16 y) => (BFloat16)((float)x % (float)y);

    /// <summary>The number with the other sign; of NaN too.</summary>
    public static BFloat16 operator -(BFloat16 x) => new((ushort)(x.bits ^ 0x8000));

    /// <summary>The number itself.</summary>
    public static BFloat16 operator +(BFloat16 x) => x;

    /// <summary>x + 1, rounded.</summary>
    public static BFloat16 operator ++(BFloat16 x) => x + One;

    /// <summary>x − 1, rounded.</summary>
    public static BFloat16 operator --(BFloat16 x) => x - One;

    /// <summary>Whether both are the same number: 0 equals −0, NaN nothing.</summary>
    public static bool operator ==(BFloat16 x, BFloat16 y) => (float)x == (float)y;

    /// <summary>Whether they are different numbers, or one is NaN.</summary>
    public static bool operator !=(BFloat16 x, BFloat16 y) => (float)x != (float)y;

    /// <summary>Whether x is less; not where one is NaN.</summary>
    public static bool operator <(BFloat16 x, BFloat16 y) => (float)x < (float)y;

    /// <summary>Whether x is less or equal; not where one is NaN.</summary>
    public static bool operator <=(BFloat16 x, BFloat16 y) => (float)x <= (float)y;

    /// <summary>Whether x is greater; not where one is NaN.</summary>
    public static bool operator >(BFloat16 x, BFloat16 y) => (float)x > (float)y;

    /// <summary>Whether x is greater or equal; not where one is NaN.</summary>
    public static bool operator >=(BFloat16 x, BFloat16 y) => (float)x >= (float)y;

    /// <summary>The number without its sign.</summary>
    public static BFloat16 Abs(BFloat16 value) => new((ushort)(value.bits & 0x7FFF));

    /// <summary>Whether it is NaN.</summary>
    public static bool IsNaN(BFloat16 value) => (value.bits & 0x7FFF) > 0x7F80;

    /// <summary>Whether it is neither NaN nor infinite.</summary>
    public static bool IsFinite(BFloat16 value) => (value.bits & 0x7FFF) < 0x7F80;

    /// <summary>Whether it is ∞ or −∞.</summary>
    public static bool IsInfinity(BFloat16 value) => (value.bits & 0x7FFF) == 0x7F80;

    /// <summary>Whether it is ∞.</summary>
    public static bool IsPositiveInfinity(BFloat16 value) => value.bits == 0x7F80;

    /// <summary>Whether it is −∞.</summary>
    public static bool IsNegativeInfinity(BFloat16 value) => value.bits == 0xFF80;

    /// <summary>Whether the sign is set; of 0 and NaN too.</summary>
    public static bool IsNegative(BFloat16 value) => value.bits >= 0x8000;

    /// <summary>Whether the sign is not set; of 0 and NaN too.</summary>
    public static bool IsPositive(BFloat16 value) => value.bits < 0x8000;

    /// <summary>Whether it is finite and has all 8 bits: from 2⁻¹²⁶ on, without its sign.</summary>
    public static bool IsNormal(BFloat16 value) => (value.bits & 0x7FFF) is >= 0x80 and < 0x7F80;

    /// <summary>Whether it is less than 2⁻¹²⁶ without its sign, but not 0.</summary>
    public static bool IsSubnormal(BFloat16 value) => (value.bits & 0x7FFF) is > 0 and < 0x80;

    /// <summary>Whether it is a whole number.</summary>
    public static bool IsInteger(BFloat16 value) => float.IsInteger(value);

    /// <summary>Whether it is a whole number that 2 divides.</summary>
    public static bool IsEvenInteger(BFloat16 value) => float.IsEvenInteger(value);

    /// <summary>Whether it is a whole number that 2 does not divide.</summary>
    public static bool IsOddInteger(BFloat16 value) => float.IsOddInteger(value);

    static bool INumberBase<BFloat16>.IsCanonical(BFloat16 value) => true;

    static bool INumberBase<BFloat16>.IsComplexNumber(BFloat16 value) => false;

    static bool INumberBase<BFloat16>.IsImaginaryNumber(BFloat16 value) => false;

    static bool INumberBase<BFloat16>.IsRealNumber(BFloat16 value) => !IsNaN(value);

    static bool INumberBase<BFloat16>.IsZero(BFloat16 value) => (value.bits & 0x7FFF) == 0;

    /// <summary>The greater; NaN where one is NaN; 0 is greater than −0.</summary>
    public static BFloat16 Max(BFloat16 x, BFloat16 y) => (BFloat16)float.Max(x, y);

    /// <summary>The lesser; NaN where one is NaN; −0 is less than 0.</summary>
    public static BFloat16 Min(BFloat16 x, BFloat16 y) => (BFloat16)float.Min(x, y);

    static BFloat16 INumberBase<BFloat16>.MaxMagnitude(BFloat16 x, BFloat16 y) => (BFloat16)float.MaxMagnitude(x, y);

    static BFloat16 INumberBase<BFloat16>.MaxMagnitudeNumber(BFloat16 x, BFloat16 y) =>
        (BFloat16)float.MaxMagnitudeNumber(x, y);

    static BFloat16 INumberBase<BFloat16>.MinMagnitude(BFloat16 x, BFloat16 y) => (BFloat16)float.MinMagnitude(x, y);

    static BFloat16 INumberBase<BFloat16>.MinMagnitudeNumber(BFloat16 x, BFloat16 y) =>
        (BFloat16)float.MinMagnitudeNumber(x, y);

    /// <summary>As for float32: NaN equals NaN here, so that it can be a key.</summary>
    public bool Equals(BFloat16 other) => ((float)this).Equals(other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <summary>As for float32: NaN comes first.</summary>
    public int CompareTo(BFloat16 other) => ((float)this).CompareTo(other);

    /// <inheritdoc/>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        BFloat16 other => CompareTo(other),
        _ => throw new ArgumentException("BFloat16: compares with BFloat16 only", nameof(obj)),
    };

    /// <summary>The shortest text that reads back as this number, in the invariant culture.</summary>
    public override string ToString() => ToString(null, CultureInfo.InvariantCulture);

    /// <summary>
    /// As float32 is formatted; without a format, and with <c>G</c> and <c>R</c>, the shortest text that reads back as
    /// this number.
    /// </summary>
    public string ToString(string? format, IFormatProvider? formatProvider) =>
        Shown(format).ToString(format, formatProvider);

    /// <inheritdoc/>
    public bool TryFormat(
        Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider) =>
        Shown(format).TryFormat(destination, out charsWritten, format, provider);

    /// <inheritdoc/>
    public bool TryFormat(
        Span<byte> utf8Destination, out int bytesWritten, ReadOnlySpan<char> format, IFormatProvider? provider) =>
        Shown(format).TryFormat(utf8Destination, out bytesWritten, format, provider);

    /// <summary>The nearest there is to the number in the text, read as a float64 is.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static BFloat16 Parse(string s, IFormatProvider? provider) => (BFloat16)double.Parse(s, provider);

    /// <inheritdoc cref="Parse(string, IFormatProvider?)"/>
    public static BFloat16 Parse(ReadOnlySpan<char> s, IFormatProvider? provider) =>
        (BFloat16)double.Parse(s, provider);

    /// <inheritdoc cref="Parse(string, IFormatProvider?)"/>
    public static BFloat16 Parse(string s, NumberStyles style, IFormatProvider? provider) =>
        (BFloat16)double.Parse(s, style, provider);

    /// <inheritdoc cref="Parse(string, IFormatProvider?)"/>
    public static BFloat16 Parse(ReadOnlySpan<char> s, NumberStyles style, IFormatProvider? provider) =>
        (BFloat16)double.Parse(s, style, provider);

    /// <summary>The nearest there is to the number in the text; false where it is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out BFloat16 result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out BFloat16)"/>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out BFloat16 result)
    {
        var found = double.TryParse(s, provider, out var value);
        result = (BFloat16)value;
        return found;
    }

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out BFloat16)"/>
    public static bool TryParse(
        [NotNullWhen(true)] string? s, NumberStyles style, IFormatProvider? provider, out BFloat16 result) =>
        TryParse(s.AsSpan(), style, provider, out result);

    /// <inheritdoc cref="TryParse(string?, IFormatProvider?, out BFloat16)"/>
    public static bool TryParse(
        ReadOnlySpan<char> s, NumberStyles style, IFormatProvider? provider, out BFloat16 result)
    {
        var found = double.TryParse(s, style, provider, out var value);
        result = (BFloat16)value;
        return found;
    }

    static bool INumberBase<BFloat16>.TryConvertFromChecked<TOther>(TOther value, out BFloat16 result) =>
        TryFrom(value, out result);

    static bool INumberBase<BFloat16>.TryConvertFromSaturating<TOther>(TOther value, out BFloat16 result) =>
        TryFrom(value, out result);

    static bool INumberBase<BFloat16>.TryConvertFromTruncating<TOther>(TOther value, out BFloat16 result) =>
        TryFrom(value, out result);

    static bool INumberBase<BFloat16>.TryConvertToChecked<TOther>(BFloat16 value, out TOther result)
    {
        result = TOther.CreateChecked((float)value);
        return true;
    }

    static bool INumberBase<BFloat16>.TryConvertToSaturating<TOther>(BFloat16 value, out TOther result)
    {
        result = TOther.CreateSaturating((float)value);
        return true;
    }

    static bool INumberBase<BFloat16>.TryConvertToTruncating<TOther>(BFloat16 value, out TOther result)
    {
        result = TOther.CreateTruncating((float)value);
        return true;
    }

    // No number is out of range: there is ∞.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryFrom<TOther>(TOther value, out BFloat16 result) where TOther : INumberBase<TOther>
    {
        if (typeof(TOther) == typeof(float)) result = (BFloat16)(float)(object)value;
        else if (typeof(TOther) == typeof(double)) result = (BFloat16)(double)(object)value;
        else if (typeof(TOther) == typeof(Half)) result = (BFloat16)(Half)(object)value;
        else if (typeof(TOther) == typeof(ulong)) result = (BFloat16)(ulong)(object)value;
        else if (typeof(TOther) == typeof(sbyte) || typeof(TOther) == typeof(byte) || typeof(TOther) == typeof(short)
            || typeof(TOther) == typeof(ushort) || typeof(TOther) == typeof(int) || typeof(TOther) == typeof(uint)
            || typeof(TOther) == typeof(long)) result = (BFloat16)long.CreateTruncating(value);
        else
        {
            result = default;
            return false;
        }
        return true;
    }

    // The float32 whose own shortest text is this number's.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private float Shown(ReadOnlySpan<char> format)
    {
        float value = this;
        if (!IsFinite(this) || !(format.IsEmpty || format is "G" or "g" or "R" or "r")) return value;
        for (var digits = 1; digits < MaxDigits; digits++)
        {
            var text = value.ToString($"E{digits - 1}", CultureInfo.InvariantCulture);
            var shown = float.Parse(text, CultureInfo.InvariantCulture);
            if (((BFloat16)shown).bits == bits) return shown;
        }
        return float.Parse(value.ToString($"E{MaxDigits - 1}", CultureInfo.InvariantCulture),
            CultureInfo.InvariantCulture);
    }
}
