using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// C = f(A·B + b) over the last two axes, for matching leading axes. Operands: A (…, m, k) and B (…, k, n), of any
/// layout, bias b (n) or null, C (…, m, n), contiguous; of one floating type.
/// </summary>
/// <param name="Activation">f.</param>
public readonly record struct MatMul<TLane>(TLane Activation) : IFloatingPrimitive<MatMul<TLane>>
    where TLane : struct, IUnaryLane
{
    /// <inheritdoc/>
    public static string Name => "MatMul";

    /// <inheritdoc/>
    public static double Flops(in MatMul<TLane> primitive, ReadOnlySpan<Tensor?> operands) =>
        2.0 * operands[3]!.Length * operands[0]!.Shape[-1];

    /// <inheritdoc/>
    public static void Check(in MatMul<TLane> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 4, optional: 2);
        Operands.Result(Name, operands[3]!);
        Operands.Product(Name, operands[0]!, operands[1]!, operands[2], operands[3]!);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in MatMul<TLane> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (a, b, bias, c) = (operands[0]!, operands[1]!, operands[2], operands[3]!);
        var (left, transA, lda) = AsMatrix(a);
        var (right, transB, ldb) = AsMatrix(b);
        var (m, k, n) = (a.Shape[-2], a.Shape[-1], b.Shape[-1]);
        var offset = bias is null ? null : Copy.Packed(bias);
        var leading = c.Rank - 2;
        fixed (T* pa = &left.Origin<T>(), pb = &right.Origin<T>(), pc = c.Data<T>(),
            pbias = offset is null ? default : offset.Data<T>())
            GemmBatch.Run(c.Shape.Sizes[..leading], transA, transB, m, n, k, pa, lda, left.Strides[..leading], pb, ldb,
                right.Strides[..leading], pc, pbias, primitive.Activation);
        Copy.Unpack(left, a);
        Copy.Unpack(right, b);
        if (offset is not null) Copy.Unpack(offset, bias!);
    }

    // A matrix whose rows or columns are dense goes in as it lies; anything else is packed first.
    private static (Tensor Matrix, bool Transposed, int Leading) AsMatrix(Tensor x)
    {
        var (rows, columns) = (x.Shape[-2], x.Shape[-1]);
        var (rowStride, columnStride) = (x.StrideAt(x.Rank - 2), x.StrideAt(x.Rank - 1));
        if ((columnStride == 1 || columns == 1) && (rowStride >= columns || rows == 1))
            return (x, false, rows == 1 ? columns : (int)Math.Max(rowStride, columns));
        if ((rowStride == 1 || rows == 1) && (columnStride >= rows || columns == 1))
            return (x, true, columns == 1 ? rows : (int)Math.Max(columnStride, rows));
        return (Copy.Packed(x), false, columns);
    }
}
