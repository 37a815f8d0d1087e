using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The position of the largest, or smallest, element along an axis: the first NaN where there is one, else the first of
/// several. Operands: x, of any layout and type, its axis not empty; y, int64, contiguous, of x's sizes without the
/// axis.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
/// <param name="IsLargest">Whether the largest is sought; false: the smallest.</param>
public readonly record struct ArgReduce(int Axis, bool IsLargest) : IFloatingPrimitive<ArgReduce>
{
    /// <inheritdoc/>
    public static string Name => "ArgReduce";

    /// <inheritdoc/>
    public static void Check(in ArgReduce primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        var (x, y, axis) = (operands[0]!, operands[1]!, primitive.Axis);
        if ((uint)axis >= (uint)x.Rank || x.Shape[axis] == 0)
            throw new AdjointException(
                $"{Name}: axis {axis} of {x.Shape} has no elements to choose from; use one that is not empty");
        Operands.HasContiguous(Name, "y", y, DType.Int64, [.. x.Shape.Sizes[..axis], .. x.Shape.Sizes[(axis + 1)..]]);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in ArgReduce primitive, ReadOnlySpan<Tensor?> operands)
    {
        switch (operands[0]!.DType)
        {
            case DType.Int64: Find<long>(primitive, operands); break;
            case DType.Int32: Find<int>(primitive, operands); break;
            case DType.UInt8: Find<byte>(primitive, operands); break;
            case DType.Bool: Find<byte>(primitive, operands); break;
            default: FloatingPrimitive.Run(primitive, operands); break;
        }
    }

    /// <inheritdoc/>
    public static void Run<T>(in ArgReduce primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Find<T>(primitive, operands);

    private static unsafe void Find<T>(in ArgReduce primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, INumber<T>
    {
        var (x, y, axis) = (Copy.Contiguous(operands[0]!), operands[1]!, primitive.Axis);
        var (outer, inner) = (IndexOperands.Outer(x.Shape, axis), IndexOperands.Inner(x.Shape, axis));
        fixed (T* from = &x.Origin<T>())
        fixed (long* to = y.Data<long>())
            if (primitive.IsLargest) Kernels.ArgReduce.Run<T, LargestElement>(from, to, outer, x.Shape[axis], inner);
            else Kernels.ArgReduce.Run<T, SmallestElement>(from, to, outer, x.Shape[axis], inner);
        Copy.ReleaseCopy(x, operands[0]!);
    }
}
