namespace Adjoint;

/// <summary>The type of a tensor's elements.</summary>
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
}

/// <summary>Facts about element types.</summary>
public static class DTypes
{
    /// <summary>Bytes per element.</summary>
    /// <exception cref="AdjointException">The number is none of the types.</exception>
    public static int Size(this DType type) => type switch
    {
        DType.Float32 => 4,
        DType.Float64 or DType.Int64 => 8,
        DType.Bool => 1,
        _ => throw new AdjointException(
            $"Tensor: no element type has the number {(int)type}; use Float32, Float64, Int64 or Bool"),
    };

    /// <summary>Whether the type has gradients.</summary>
    public static bool IsFloating(this DType type) => type is DType.Float32 or DType.Float64;

    /// <summary>The name in messages and printing: <c>float32</c>, <c>float64</c>, <c>int64</c>, <c>bool</c>.</summary>
    public static string Label(this DType type) => type switch { DType.Float32 => "float32", DType.Float64 => "float64", DType.Int64 => "int64", _ => "bool" };

    internal static DType Of<T>() where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return DType.Float32;
        if (typeof(T) == typeof(double)) return DType.Float64;
        if (typeof(T) == typeof(long)) return DType.Int64;
        if (typeof(T) == typeof(bool)) return DType.Bool;
        throw new AdjointException($"Tensor: no element type for {typeof(T).Name}; use float, double, long or bool");
    }
}
