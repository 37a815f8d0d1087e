namespace Adjoint;

/// <summary>The type of a tensor's elements in memory.</summary>
public enum DType
{
    /// <summary>IEEE 754 single precision; the default.</summary>
    Float32,

    /// <summary>IEEE 754 double precision.</summary>
    Float64,

    /// <summary>Signed 64-bit integers: class labels and indices.</summary>
    Int64,

    /// <summary>Truth values, one byte each.</summary>
    Bool,

    /// <summary>The upper half of a float32: its range with 8 bits of precision. Computed in float32.</summary>
    BFloat16,

    /// <summary>IEEE 754 half precision: 11 bits, up to 65,504. Computed in float32.</summary>
    Float16,

    /// <summary>Signed 32-bit integers, from −2³¹ to 2³¹ − 1.</summary>
    Int32,

    /// <summary>Unsigned 8-bit integers: pixels, bytes.</summary>
    UInt8,
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>The size of an element in memory, in bytes.</summary>
    /// <param name="type">The element type.</param>
    /// <returns>1, 2, 4 or 8.</returns>
    /// <exception cref="AdjointException">The value is no element type.</exception>
    public static int Size(this DType type) => Fact(0x14221884, type);

    /// <summary>Whether the type is a floating one, and so can have gradients.</summary>
    /// <param name="type">The element type.</param>
    /// <returns>True for float32, float64, bfloat16 and float16.</returns>
    public static bool IsFloating(this DType type) =>
        type is DType.Float32 or DType.Float64 or DType.BFloat16 or DType.Float16;

    /// <summary>Whether the type holds integers; truth values are none.</summary>
    /// <param name="type">The element type.</param>
    /// <returns>True for int64, int32 and uint8.</returns>
    public static bool IsInteger(this DType type) => type is DType.Int64 or DType.Int32 or DType.UInt8;

    /// <summary>
    /// The type that arithmetic is done in: float32 for the half precisions, else the type itself.
    /// </summary>
    /// <param name="type">The element type in memory.</param>
    /// <returns>The element type of the arithmetic.</returns>
    public static DType Computing(this DType type) =>
        type is DType.BFloat16 or DType.Float16 ? DType.Float32 : type;

    /// <summary>
    /// The smallest type that both convert to, PyTorch's <c>promote_types</c>: bool &lt; uint8 &lt; int32 &lt; int64
    /// &lt; bfloat16, float16 &lt; float32 &lt; float64; bfloat16 with float16 gives float32.
    /// </summary>
    /// <param name="x">One of the element types.</param>
    /// <param name="y">The other element type.</param>
    /// <returns>The type of a result of both.</returns>
    /// <exception cref="AdjointException">A value is no element type.</exception>
    public static DType Promote(DType x, DType y) =>
        x == y ? x : Rank(x) == Rank(y) ? DType.Float32 : Rank(x) > Rank(y) ? x : y;

    /// <summary>
    /// The name in messages and printing: <c>float32</c>, <c>bfloat16</c>, <c>int64</c>, <c>bool</c> …
    /// </summary>
    /// <param name="type">The element type.</param>
    /// <returns>The name, in lower case.</returns>
    /// <exception cref="AdjointException">The value is no element type.</exception>
    public static string Label(this DType type) => type switch
    {
        DType.Float32 => "float32",
        DType.Float64 => "float64",
        DType.BFloat16 => "bfloat16",
        DType.Float16 => "float16",
        DType.Int64 => "int64",
        DType.Int32 => "int32",
        DType.UInt8 => "uint8",
        DType.Bool => "bool",
        _ => throw Unknown(type),
    };

    internal static DType Of<T>() where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return DType.Float32;
        if (typeof(T) == typeof(double)) return DType.Float64;
        if (typeof(T) == typeof(long)) return DType.Int64;
        if (typeof(T) == typeof(bool)) return DType.Bool;
        if (typeof(T) == typeof(BFloat16)) return DType.BFloat16;
        if (typeof(T) == typeof(Half)) return DType.Float16;
        if (typeof(T) == typeof(int)) return DType.Int32;
        if (typeof(T) == typeof(byte)) return DType.UInt8;
        throw new AdjointException(
            $"Tensor: no element type for {typeof(T).Name}; "
                + "use float, double, BFloat16, Half, long, int, byte or bool");
    }

    /// <summary>
    /// One of eight small numbers, four bits for each type in the order of their declaration, from the lowest on: asked
    /// for several times in each op, so not by a jump.
    /// </summary>
    /// <exception cref="AdjointException">The number is none of the types.</exception>
    internal static int Fact(uint facts, DType type) =>
        (uint)type <= (uint)DType.UInt8 ? (int)(facts >> ((int)type << 2) & 15) : throw Unknown(type);

    private static int Rank(DType type) => type switch
    {
        DType.Bool => 0,
        DType.UInt8 => 1,
        DType.Int32 => 2,
        DType.Int64 => 3,
        DType.BFloat16 or DType.Float16 => 4,
        DType.Float32 => 5,
        DType.Float64 => 6,
        _ => throw Unknown(type),
    };

    /// <summary>The error of a number that is none of the types.</summary>
    internal static AdjointException Unknown(DType type) =>
        new($"Tensor: no element type has the number {(int)type}; use a member of DType");
}
