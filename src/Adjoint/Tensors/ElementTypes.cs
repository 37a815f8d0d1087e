using System.Numerics;

namespace Adjoint;

/// <summary>What is done for elements of any type.</summary>
internal interface IElementVisitor
{
    /// <summary>With the .NET type of the elements: float, double, BFloat16, Half, long, int, byte or bool.</summary>
    void Visit<T>() where T : unmanaged;
}

/// <summary>What is done for elements of any type that are only moved.</summary>
internal interface IBitsVisitor
{
    /// <summary>With an unsigned integer of the elements' size: byte, ushort, uint or ulong.</summary>
    void Visit<T>() where T : unmanaged;
}

/// <summary>What is done for numbers of any type, and for truth values.</summary>
internal interface INumberVisitor
{
    /// <summary>With the .NET type of the numbers: float, double, BFloat16, Half, long, int or byte.</summary>
    void Visit<T>() where T : unmanaged, INumber<T>;

    /// <summary>For truth values, bytes of 1 or 0.</summary>
    void VisitTruth();
}

/// <summary>
/// From an element type to a generic call: the one place that lists the types for what takes all of them. A number that
/// is none of the types throws.
/// </summary>
internal static class ElementTypes
{
    /// <summary>Calls the visitor with the .NET type of the elements.</summary>
    /// <exception cref="AdjointException">The number is none of the types.</exception>
    internal static void Element<TVisitor>(DType type, ref TVisitor visitor)
        where TVisitor : struct, IElementVisitor, allows ref struct
    {
        switch (type)
        {
            case DType.Float32: visitor.Visit<float>(); break;
            case DType.Float64: visitor.Visit<double>(); break;
            case DType.BFloat16: visitor.Visit<BFloat16>(); break;
            case DType.Float16: visitor.Visit<Half>(); break;
            case DType.Int64: visitor.Visit<long>(); break;
            case DType.Int32: visitor.Visit<int>(); break;
            case DType.UInt8: visitor.Visit<byte>(); break;
            case DType.Bool: visitor.Visit<bool>(); break;
            default: throw DTypes.Unknown(type);
        }
    }

    /// <summary>Calls the visitor with an unsigned integer of the elements' size.</summary>
    /// <exception cref="AdjointException">The number is none of the types.</exception>
    internal static void Bits<TVisitor>(DType type, ref TVisitor visitor)
        where TVisitor : struct, IBitsVisitor, allows ref struct
    {
        switch (type.Size())
        {
            case 1: visitor.Visit<byte>(); break;
            case 2: visitor.Visit<ushort>(); break;
            case 4: visitor.Visit<uint>(); break;
            case 8: visitor.Visit<ulong>(); break;
            default: throw DTypes.Unknown(type);
        }
    }

    /// <summary>Calls the visitor with the .NET type of the numbers, or for truth values.</summary>
    /// <exception cref="AdjointException">The number is none of the types.</exception>
    internal static void Number<TVisitor>(DType type, ref TVisitor visitor)
        where TVisitor : struct, INumberVisitor, allows ref struct
    {
        switch (type)
        {
            case DType.Float32: visitor.Visit<float>(); break;
            case DType.Float64: visitor.Visit<double>(); break;
            case DType.BFloat16: visitor.Visit<BFloat16>(); break;
            case DType.Float16: visitor.Visit<Half>(); break;
            case DType.Int64: visitor.Visit<long>(); break;
            case DType.Int32: visitor.Visit<int>(); break;
            case DType.UInt8: visitor.Visit<byte>(); break;
            case DType.Bool: visitor.VisitTruth(); break;
            default: throw DTypes.Unknown(type);
        }
    }
}
