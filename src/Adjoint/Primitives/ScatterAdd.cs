using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y[…, i, …] = Σ over j with index[…, j, …] = i of x[…, j, …] along an axis, 0 where there is none. Operands: x, of
/// any layout; index, int64, of x's shape and any layout; y, contiguous, of x's type, not bool, and x's sizes except
/// along the axis. An index outside y's axis is an error. Terms are added in the order of j, or pairwise where there
/// are many; sums of integers wrap.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
public readonly record struct ScatterAdd(int Axis) : IFloatingPrimitive<ScatterAdd>
{
    /// <inheritdoc/>
    public static string Name => "ScatterAdd";

    /// <inheritdoc/>
    public static void Check(in ScatterAdd primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (x, index, y) = (operands[0]!, operands[1]!, operands[2]!);
        Operands.Contiguous(Name, "y", y);
        IndexOperands.CheckElements(Name, y, primitive.Axis, index, "x", x);
        Operands.NoOverlap(Name, x, y);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in ScatterAdd primitive, ReadOnlySpan<Tensor?> operands)
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
    public static void Run<T>(in ScatterAdd primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Add<T>(primitive, operands);

    private static unsafe void Add<T>(in ScatterAdd primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, INumber<T>
    {
        var (x, y, axis) = (Copy.Contiguous(operands[0]!), operands[2]!, primitive.Axis);
        var index = IndexOperands.Elements(Name, operands[1]!, y, axis);
        var (outer, inner) = (IndexOperands.Outer(y.Shape, axis), IndexOperands.Inner(y.Shape, axis));
        fixed (T* from = x.Data<T>(), to = y.Data<T>())
        fixed (long* at = index.Data<long>())
            ScatterSum.Elements(from, at, index.Shape[axis], to, outer, y.Shape[axis], inner);
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(index, operands[1]!);
    }
}
