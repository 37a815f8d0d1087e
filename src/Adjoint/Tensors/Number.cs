using System.Globalization;
using System.Runtime.CompilerServices;
using Adjoint.Memory;

namespace Adjoint;

/// <summary>
/// A plain number beside a tensor: an integer (<c>2</c>, an <c>int</c> or <c>long</c>) or a real number (<c>2.5</c>,
/// also <c>2.0</c>). It takes the tensor's type where possible: beside integers an integer stays exact, a real number
/// makes the result float32; beside floating tensors both are rounded to the tensor's type.
/// </summary>
public readonly struct Number : IEquatable<Number>
{
    // Of a real number the bits.
    private readonly long bits;

    private Number(long bits, bool isWhole) => (this.bits, IsInteger) = (bits, isWhole);

    /// <summary>Whether it was given as an integer: 2 was, 2.0 was not.</summary>
    public bool IsInteger { get; }

    /// <summary>The number as a float64; an integer above 2⁵³ is rounded to the nearest.</summary>
    public double Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => IsInteger ? bits : BitConverter.Int64BitsToDouble(bits);
    }

    /// <summary>Converts an integer, which keeps all its digits.</summary>
    /// <param name="value">The integer to convert.</param>
    /// <returns>The number, with <see cref="IsInteger"/>.</returns>
    public static implicit operator Number(long value) => new(value, true);

    /// <summary>Converts a real number, NaN and infinities included.</summary>
    /// <param name="value">The real number to convert.</param>
    /// <returns>The number, without <see cref="IsInteger"/>.</returns>
    public static implicit operator Number(double value) => new(BitConverter.DoubleToInt64Bits(value), false);

    /// <summary>Whether both are of the same kind and equal; NaN equals itself.</summary>
    /// <param name="a">One of the numbers.</param>
    /// <param name="b">The other number.</param>
    /// <returns>True where they are equal.</returns>
    public static bool operator ==(Number a, Number b) => a.Equals(b);

    /// <summary>Whether both differ in kind or value.</summary>
    /// <param name="a">One of the numbers.</param>
    /// <param name="b">The other number.</param>
    /// <returns>True where they differ.</returns>
    public static bool operator !=(Number a, Number b) => !a.Equals(b);

    /// <inheritdoc/>
    public bool Equals(Number other) =>
        IsInteger == other.IsInteger && (IsInteger ? bits == other.bits : Value.Equals(other.Value));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Number other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        HashCode.Combine(IsInteger, IsInteger ? bits.GetHashCode() : Value.GetHashCode());

    /// <inheritdoc/>
    public override string ToString() => IsInteger
        ? bits.ToString(CultureInfo.InvariantCulture)
        : Value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>The whole number itself.</summary>
    internal long Integer => bits;

    /// <summary>Whether it meets the tensor exactly: a whole number beside integers or truth values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool IsExactWith(Tensor x) => IsInteger && !x.DType.IsFloating();

    /// <summary>
    /// A whole number as a tensor without axes, of the type in which it meets x; what lies outside wraps.
    /// </summary>
    internal Tensor ToTensorLike(Tensor x) => Of(bits, Promotion.ResultType(x, bits), x);

    /// <summary>As <see cref="ToTensorLike"/>; what lies outside becomes the nearest there is.</summary>
    internal Tensor ClampedToTensorLike(Tensor x)
    {
        var type = Promotion.ResultType(x, bits);
        var (low, high) = Range(type);
        return Of(Math.Clamp(bits, low, high), type, x);
    }

    /// <summary>As <see cref="ToTensorLike"/>; what lies outside is refused.</summary>
    /// <exception cref="AdjointException">The type has no such number; names the op.</exception>
    internal Tensor CheckedToTensorLike(Tensor x, string op)
    {
        var type = Promotion.ResultType(x, bits);
        var (low, high) = Range(type);
        return bits >= low && bits <= high
            ? Of(bits, type, x)
            : throw new AdjointException(
                $"{op}: {type.Label()} has no {bits}, only {low} to {high}; cast the tensor with .To(DType.Int64)");
    }

    /// <summary>
    /// As a tensor without axes, of the type in which it meets x; a whole number that it does not have is refused.
    /// </summary>
    /// <exception cref="AdjointException">The type has no such number; names the op.</exception>
    internal Tensor AsTensor(Tensor x, string op)
    {
        if (IsExactWith(x)) return CheckedToTensorLike(x, op);
        return Promotion.ResultType(x, Value) switch
        {
            DType.Float32 => One((float)Value, x),
            DType.Float64 => One(Value, x),
            DType.BFloat16 => One((BFloat16)Value, x),
            DType.Float16 => One((Half)Value, x),
            var type => throw DTypes.Unknown(type),
        };
    }

    private static (long Low, long High) Range(DType type) => type switch
    {
        DType.Int64 => (long.MinValue, long.MaxValue),
        DType.Int32 => (int.MinValue, int.MaxValue),
        DType.UInt8 => (byte.MinValue, byte.MaxValue),
        _ => throw NotInteger(type),
    };

    private static Tensor Of(long value, DType type, Tensor x) => type switch
    {
        DType.Int64 => One(value, x),
        DType.Int32 => One(unchecked((int)value), x),
        DType.UInt8 => One(unchecked((byte)value), x),
        _ => throw NotInteger(type),
    };

    // Where x lies.
    private static Tensor One<T>(T element, Tensor x) where T : unmanaged
    {
        if (!Device.AreSeveral) return Tensor.Copy<T>([element], default);
        var execution = Execution.Current;
        var before = execution.Enter(x.Device);
        try
        {
            return Tensor.Copy<T>([element], default);
        }
        finally
        {
            execution.Device = before;
        }
    }

    private static AdjointException NotInteger(DType type) =>
        new($"Number: {type.Label()} holds no whole numbers; cast with .To(DType.Int64)");
}
