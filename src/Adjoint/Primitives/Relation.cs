using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>A relation between two numbers. With a NaN only <see cref="NotEqual"/> holds.</summary>
public enum Relation
{
    /// <summary>x &lt; y.</summary>
    Less,

    /// <summary>x ≤ y.</summary>
    LessOrEqual,

    /// <summary>x = y.</summary>
    Equal,

    /// <summary>x ≥ y.</summary>
    GreaterOrEqual,

    /// <summary>x &gt; y.</summary>
    Greater,

    /// <summary>x ≠ y.</summary>
    NotEqual,
}

internal static unsafe class Relations
{
    /// <summary>Marks z where it holds; see <see cref="Kernels.Compare"/>.</summary>
    internal static void Mark<T>(
        this Relation relation, T* x, ReadOnlySpan<nint> xStrides, T* y, ReadOnlySpan<nint> yStrides, byte* z,
        ReadOnlySpan<int> shape) where T : unmanaged, INumber<T>
    {
        switch (relation)
        {
            case Relation.Less: Kernels.Compare.Run<T, LessRelation>(x, xStrides, y, yStrides, z, shape); break;
            case Relation.LessOrEqual:
                Kernels.Compare.Run<T, LessOrEqualRelation>(x, xStrides, y, yStrides, z, shape);
                break;
            case Relation.Equal: Kernels.Compare.Run<T, EqualRelation>(x, xStrides, y, yStrides, z, shape); break;
            case Relation.GreaterOrEqual:
                Kernels.Compare.Run<T, LessOrEqualRelation>(y, yStrides, x, xStrides, z, shape);
                break;
            case Relation.Greater: Kernels.Compare.Run<T, LessRelation>(y, yStrides, x, xStrides, z, shape); break;
            case Relation.NotEqual:
                Kernels.Compare.Run<T, NotEqualRelation>(x, xStrides, y, yStrides, z, shape);
                break;
            default: throw Unknown(relation);
        }
    }

    /// <summary>The error of a number that names no relation.</summary>
    internal static AdjointException Unknown(Relation relation) =>
        new($"Compare: no relation has the number {(int)relation}; use Less, LessOrEqual, Equal, GreaterOrEqual, "
            + "Greater or NotEqual");
}
