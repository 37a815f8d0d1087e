using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// The k largest or smallest elements along an axis, and their positions. NaN is larger than all numbers; of equal
/// elements the first comes first. Operands: x, floating or int64, of any layout; values, of x's type, and indices,
/// int64, contiguous, of x's sizes except k along the axis.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
/// <param name="Count">The number of elements k.</param>
/// <param name="Largest">Whether the largest are taken; false: the smallest.</param>
/// <param name="Sorted">Whether they come in order of their values, instead of their positions.</param>
public readonly record struct TopK(int Axis, int Count, bool Largest, bool Sorted) : IFloatingPrimitive<TopK>
{
    /// <inheritdoc/>
    public static string Name => "TopK";

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static void Check(in TopK primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (x, values) = (operands[0]!, operands[1]!);
        var (axis, count) = (primitive.Axis, primitive.Count);
        if ((uint)axis >= (uint)x.Rank || (uint)count > (uint)x.Shape[axis])
            throw new AdjointException(
                $"{Name}: there are no {count} elements along axis {axis} of {x.Shape}{Operands.Remedy}");
        int[] sizes = [.. x.Shape.Sizes];
        sizes[axis] = count;
        Operands.HasContiguous(Name, "values", values, x.DType, sizes);
        Operands.HasContiguous(Name, "indices", operands[2]!, DType.Int64, sizes);
        Operands.NoOverlap(Name, x, values);
        Operands.NoOverlap(Name, x, operands[2]!);
    }

    /// <inheritdoc/>
    public static void RunOnCpu(in TopK primitive, ReadOnlySpan<Tensor?> operands)
    {
        switch (operands[0]!.DType)
        {
            case DType.Int64: Choose<long>(primitive, operands); break;
            case DType.Int32: Choose<int>(primitive, operands); break;
            case DType.UInt8: Choose<byte>(primitive, operands); break;
            default: FloatingPrimitive.Run(primitive, operands); break;
        }
    }

    /// <inheritdoc/>
    public static void Run<T>(in TopK primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Choose<T>(primitive, operands);

    private static unsafe void Choose<T>(in TopK primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, INumber<T>
    {
        var (x, values, axis) = (Copy.Contiguous(operands[0]!), operands[1]!, primitive.Axis);
        if (x.Length == 0) return;
        var (size, inner) = (x.Shape[axis], (nint)IndexOperands.Inner(x.Shape, axis));
        var outer = x.Length / (size * inner);
        var (k, largest, sorted) = (primitive.Count, primitive.Largest, primitive.Sorted);
        fixed (long* indices = operands[2]!.Data<long>())
        fixed (T* from = x.Data<T>(), to = values.Data<T>())
            if (typeof(T) == typeof(float))
                Kernels.TopK.Run((float*)from, (float*)to, indices, outer, size, inner, k, largest, sorted);
            else if (typeof(T) == typeof(double))
                Kernels.TopK.Run((double*)from, (double*)to, indices, outer, size, inner, k, largest, sorted);
            else if (typeof(T) == typeof(int))
                Kernels.TopK.Run((int*)from, (int*)to, indices, outer, size, inner, k, largest, sorted);
            else if (typeof(T) == typeof(byte))
                Kernels.TopK.Run((byte*)from, (byte*)to, indices, outer, size, inner, k, largest, sorted);
            else Kernels.TopK.Run((long*)from, (long*)to, indices, outer, size, inner, k, largest, sorted);
        Copy.ReleaseCopy(x, operands[0]!);
    }
}
