using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// Whether a relation of x and y holds, element by element; where one is NaN it does not. Operands: x and y, of one
/// type and any layout, broadcast to z's shape; z, truth values, contiguous.
/// </summary>
/// <param name="Relation">The relation.</param>
public readonly record struct Compare(Relation Relation) : IFloatingPrimitive<Compare>
{
    /// <inheritdoc/>
    public static string Name => "Compare";

    /// <inheritdoc/>
    public static void Check(in Compare primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (x, y, z) = (operands[0]!, operands[1]!, operands[2]!);
        Operands.HasDense(Name, "z", z, DType.Bool, z.Shape.Sizes);
        Operands.BroadcastsTo(Name, "x", x, x.DType, z.Shape);
        Operands.BroadcastsTo(Name, "y", y, x.DType, z.Shape);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Compare primitive, ReadOnlySpan<Tensor?> operands)
    {
        switch (operands[0]!.DType)
        {
            case DType.Int64: Mark<long>(primitive, operands); break;
            case DType.Bool: Mark<byte>(primitive, operands); break;
            default: FloatingPrimitive.Run(primitive, operands); break;
        }
    }

    /// <inheritdoc/>
    public static void Run<T>(in Compare primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Mark<T>(primitive, operands);

    private static unsafe void Mark<T>(in Compare primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, INumber<T>
    {
        var (x, y, z) = (operands[0]!, operands[1]!, operands[2]!);
        var (xStrides, yStrides) = (Operands.BroadcastStrides(x, z.Shape), Operands.BroadcastStrides(y, z.Shape));
        var sizes = Operands.JoinAxes(z.Shape, xStrides, yStrides);
        fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>())
        fixed (byte* pz = z.Bytes)
            primitive.Relation.Mark(
                px, xStrides.AsSpan(0, sizes.Length), py, yStrides.AsSpan(0, sizes.Length), pz, sizes);
    }
}
