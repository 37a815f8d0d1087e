using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// Where the largest, or smallest, element of each run along an axis lies: the first NaN where there is one, else the
/// first of several. Operands: x, of any layout and type, its axis not empty; y, int64, contiguous, of the sizes that
/// are left without the axis.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
/// <param name="IsLargest">The largest, else the smallest.</param>
public readonly record struct ArgReduce(int Axis, bool IsLargest) : IPrimitive<ArgReduce>
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
        Operands.HasDense(Name, "y", y, DType.Int64, [.. x.Shape.Sizes[..axis], .. x.Shape.Sizes[(axis + 1)..]]);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in ArgReduce primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, y) = (Copy.Packed(operands[0]!), operands[1]!);
        switch (x.DType)
        {
            case DType.Float32: Run<float>(primitive, x, y); break;
            case DType.Float64: Run<double>(primitive, x, y); break;
            case DType.Int64: Run<long>(primitive, x, y); break;
            case DType.Bool: Run<byte>(primitive, x, y); break;
            default: throw Operands.NoBody(Name, x.DType);
        }
        Copy.Unpack(x, operands[0]!);
    }

    private static unsafe void Run<T>(in ArgReduce primitive, Tensor x, Tensor y) where T : unmanaged, INumber<T>
    {
        var axis = primitive.Axis;
        var (outer, inner) = (IndexOperands.Outer(x.Shape, axis), IndexOperands.Inner(x.Shape, axis));
        fixed (T* from = &x.Origin<T>())
        fixed (long* to = y.Data<long>())
            if (primitive.IsLargest) Kernels.ArgReduce.Run<T, LargestElement>(from, to, outer, x.Shape[axis], inner);
            else Kernels.ArgReduce.Run<T, SmallestElement>(from, to, outer, x.Shape[axis], inner);
    }
}
