using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y[…, i, …] = Σ over j with index[j] = i of x[…, j, …] along an axis, 0 where there is none. Operands: x, of any
/// layout; index (k), int64, of any layout; y, contiguous, of x's type, not bool, and x's sizes except along the axis.
/// An index outside the axis is an error. Terms are added in the order of j, or pairwise where there are many; sums of
/// integers wrap.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
public readonly record struct IndexAdd(int Axis) : IFloatingPrimitive<IndexAdd>
{
    /// <inheritdoc/>
    public static string Name => "IndexAdd";

    /// <inheritdoc/>
    public static void Check(in IndexAdd primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        Operands.Contiguous(Name, "y", operands[2]!);
        IndexOperands.Check(Name, operands[2]!, primitive.Axis, operands[1]!, operands[0]!);
        Operands.NoOverlap(Name, operands[0]!, operands[2]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in IndexAdd primitive, ReadOnlySpan<Tensor?> operands)
    {
        switch (operands[2]!.DType)
        {
            case DType.Int64: Add<long>(primitive, operands); break;
            case DType.Int32: Add<int>(primitive, operands); break;
            case DType.UInt8: Add<byte>(primitive, operands); break;
            default: FloatingPrimitive.Run(primitive, operands); break;
        }
    }

    /// <inheritdoc/>
    public static void Run<T>(in IndexAdd primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Add<T>(primitive, operands);

    private static unsafe void Add<T>(in IndexAdd primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, INumber<T>
    {
        var (x, y, axis) = (Copy.Contiguous(operands[0]!), operands[2]!, primitive.Axis);
        var index = IndexOperands.Positions(Name, operands[1]!, y, axis);
        var (outer, inner) = (IndexOperands.Outer(y.Shape, axis), IndexOperands.Inner(y.Shape, axis));
        fixed (T* from = x.Data<T>(), to = y.Data<T>())
        fixed (long* at = index.Data<long>())
            ScatterSum.Rows(from, at, index.Length, to, outer, y.Shape[axis], inner);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(index, operands[1]!);
    }
}
