using System.Globalization;
using System.Runtime.CompilerServices;

namespace Adjoint;

/// <summary>
/// The upper 16 bits of a float32: a sign, 8 bits of exponent, 7 of fraction. Conversion from float32 rounds to the
/// nearest, ties to even; a NaN stays one. Conversion to float32 is exact.
/// </summary>
public readonly struct BFloat16 : IEquatable<BFloat16>, IComparable<BFloat16>, IFormattable
{
    private readonly ushort bits;

    private BFloat16(ushort bits) => this.bits = bits;

    /// <summary>The number with these bits.</summary>
    public static BFloat16 FromBits(ushort bits) => new(bits);

    /// <summary>The bits.</summary>
    public ushort Bits => bits;

    /// <summary>The nearest there is, ties to even; ∞ from 2¹²⁸·(1 − 2⁻⁹) on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static explicit operator BFloat16(float value)
    {
        var whole = BitConverter.SingleToUInt32Bits(value);
        // A NaN whose upper bits are 0 would become ∞: it is made quiet.
        if (float.IsNaN(value)) return new((ushort)(whole >> 16 | 0x40));
        return new((ushort)(whole + 0x7FFF + (whole >> 16 & 1) >> 16));
    }

    /// <summary>The same number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator float(BFloat16 value) => BitConverter.UInt32BitsToSingle((uint)value.bits << 16);

    /// <summary>Whether both are the same number: 0 equals −0, NaN nothing.</summary>
    public static bool operator ==(BFloat16 x, BFloat16 y) => (float)x == y;

    /// <summary>Whether they are different numbers, or one is NaN.</summary>
    public static bool operator !=(BFloat16 x, BFloat16 y) => (float)x != y;

    /// <summary>As for float32: NaN equals NaN here, so that it can be a key.</summary>
    public bool Equals(BFloat16 other) => ((float)this).Equals(other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BFloat16 other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((float)this).GetHashCode();

    /// <summary>As for float32: NaN comes first.</summary>
    public int CompareTo(BFloat16 other) => ((float)this).CompareTo(other);

    /// <inheritdoc/>
    public string ToString(string? format, IFormatProvider? formatProvider) =>
        ((float)this).ToString(format, formatProvider);

    /// <summary>The number as float32 prints it, in the invariant culture.</summary>
    public override string ToString() => ((float)this).ToString(CultureInfo.InvariantCulture);
}
