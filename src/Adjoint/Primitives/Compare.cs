using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// Whether a relation of x and y holds, element by element; with a NaN only NotEqual holds. Operands: x and y, of one
/// type and any layout, broadcast to z's shape; z, truth values, contiguous.
/// </summary>
/// <param name="Relation">The relation to test.</param>
public readonly record struct Compare(Relation Relation) : IPrimitive<Compare>
{
    /// <inheritdoc/>
    public static string Name => "Compare";

    /// <inheritdoc/>
    public static void Check(in Compare primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (x, y, z) = (operands[0]!, operands[1]!, operands[2]!);
        Operands.HasContiguous(Name, "z", z, DType.Bool, z.Shape.Sizes);
        Operands.BroadcastsTo(Name, "x", x, x.DType, z.Shape);
        Operands.BroadcastsTo(Name, "y", y, x.DType, z.Shape);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in Compare primitive, ReadOnlySpan<Tensor?> operands)
    {
        var body = new Body(primitive.Relation, operands[0]!, operands[1]!, operands[2]!);
        ElementTypes.Number(operands[0]!.DType, ref body);
    }

    private readonly unsafe struct Body(Relation relation, Tensor x, Tensor y, Tensor z) : INumberVisitor
    {
        public void Visit<T>() where T : unmanaged, INumber<T>
        {
            var (xStrides, yStrides) = (Operands.BroadcastStrides(x, z.Shape), Operands.BroadcastStrides(y, z.Shape));
            var sizes = Operands.JoinAxes(z.Shape, xStrides, yStrides);
            fixed (T* px = &x.Origin<T>(), py = &y.Origin<T>())
            fixed (byte* pz = z.Bytes)
                relation.Mark(px, xStrides.AsSpan(0, sizes.Length), py, yStrides.AsSpan(0, sizes.Length), pz, sizes);
        }

        public void VisitTruth() => Visit<byte>();
    }
}
