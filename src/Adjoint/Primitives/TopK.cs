namespace Adjoint.Primitives;

/// <summary>
/// The largest or the smallest elements along an axis, and where they lie. NaN is larger than all numbers; of equals
/// the first comes first. Operands: x, float32, float64 or int64, of any layout; values, of x's type, and indices,
/// int64, contiguous, of x's sizes but that along the axis, which is the count.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
/// <param name="Count">How many.</param>
/// <param name="Largest">Whether the largest.</param>
/// <param name="Sorted">Whether in order of their values, else in that of their places.</param>
public readonly record struct TopK(int Axis, int Count, bool Largest, bool Sorted) : IPrimitive<TopK>
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
        Operands.HasDense(Name, "values", values, x.DType, sizes);
        Operands.HasDense(Name, "indices", operands[2]!, DType.Int64, sizes);
        Operands.Apart(Name, x, values);
        Operands.Apart(Name, x, operands[2]!);
    }

    /// <inheritdoc/>
    public static unsafe void RunOnCpu(in TopK primitive, ReadOnlySpan<Tensor?> operands)
    {
        var (x, values, axis) = (Copy.Packed(operands[0]!), operands[1]!, primitive.Axis);
        if (x.Length == 0) return;
        var (k, largest, sorted) = (primitive.Count, primitive.Largest, primitive.Sorted);
        var (size, inner) = (x.Shape[axis], (nint)IndexOperands.Inner(x.Shape, axis));
        var outer = x.Length / (size * inner);
        fixed (long* indices = operands[2]!.Data<long>())
            switch (x.DType)
            {
                case DType.Float32:
                    fixed (float* from = x.Data<float>(), to = values.Data<float>())
                        Kernels.TopK.Run(from, to, indices, outer, size, inner, k, largest, sorted);
                    break;
                case DType.Float64:
                    fixed (double* from = x.Data<double>(), to = values.Data<double>())
                        Kernels.TopK.Run(from, to, indices, outer, size, inner, k, largest, sorted);
                    break;
                case DType.Int64:
                    fixed (long* from = x.Data<long>(), to = values.Data<long>())
                        Kernels.TopK.Run(from, to, indices, outer, size, inner, k, largest, sorted);
                    break;
                default:
                    throw Operands.NoBody(Name, x.DType);
            }
        Copy.Unpack(x, operands[0]!);
    }
}
