using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// C = f(A·B + b) over the last two axes, for matching leading axes. Operands: A (…, m, k) and B (…, k, n), of any
/// layout, bias b (n) or null, C (…, m, n), contiguous; of one floating type, or, without bias and activation, of one
/// integer type, where sums wrap.
/// </summary>
/// <typeparam name="TOperator">The function f, for every vector width.</typeparam>
/// <param name="Activation">The function f, with its constants.</param>
public readonly record struct MatMul<TOperator>(TOperator Activation) : INumericPrimitive<MatMul<TOperator>>
    where TOperator : struct, IUnaryOperator
{
    /// <inheritdoc/>
    public static string Name => "MatMul";

    /// <summary>Floating types, and integers for the product alone.</summary>
    public static ElementKinds Kinds =>
        typeof(TOperator) == typeof(NoActivation) ? ElementKinds.Numbers : ElementKinds.Floating;

    /// <inheritdoc/>
    public static double Flops(in MatMul<TOperator> primitive, ReadOnlySpan<Tensor?> operands) =>
        2.0 * operands[3]!.Length * operands[0]!.Shape[-1];

    /// <inheritdoc/>
    public static void Check(in MatMul<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 4, optional: 2);
        Operands.Result(Name, operands[3]!, operands[2] is null ? Kinds : ElementKinds.Floating);
        Operands.Product(Name, operands[0]!, operands[1]!, operands[2], operands[3]!);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in MatMul<TOperator> primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (a, b, bias, c) = (operands[0]!, operands[1]!, operands[2], operands[3]!);
        var (left, transA, lda) = AsMatrix(a);
        var (right, transB, ldb) = AsMatrix(b);
        var (m, k, n) = (a.Shape[-2], a.Shape[-1], b.Shape[-1]);
        var offset = bias is null ? null : Copy.Contiguous(bias);
        var leading = c.Rank - 2;
        fixed (T* pa = &left.Origin<T>(), pb = &right.Origin<T>(), pc = c.Data<T>(),
            pbias = offset is null ? default : offset.Data<T>())
            GemmBatch.Run(c.Shape.Sizes[..leading], transA, transB, m, n, k, pa, lda, left.Strides[..leading], pb, ldb,
                right.Strides[..leading], pc, pbias, primitive.Activation);
        Copy.ReleaseCopy(left, a);
        Copy.ReleaseCopy(right, b);
        if (offset is not null) Copy.ReleaseCopy(offset, bias!);
    }

    /// <inheritdoc/>
    public static void RunExact<T>(in MatMul<TOperator> primitive, ReadOnlySpan<Tensor?> operands) where T : unmanaged
    {
        if (typeof(T) == typeof(long)) RunInteger<long>(operands);
        else if (typeof(T) == typeof(int)) RunInteger<int>(operands);
        else if (typeof(T) == typeof(byte)) RunInteger<byte>(operands);
        else throw Operands.NoBody(Name, DTypes.Of<T>());
    }

    private static unsafe void RunInteger<T>(ReadOnlySpan<Tensor?> operands) where T : unmanaged, IBinaryInteger<T>
    {
        var (a, b, c) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!), operands[3]!);
        var (m, k, n) = (a.Shape[-2], a.Shape[-1], b.Shape[-1]);
        fixed (T* pa = a.Data<T>(), pb = b.Data<T>(), pc = c.Data<T>())
            IntegerProduct.Run(pa, pb, pc, c.Length == 0 ? 0 : c.Length / (m * n), m, k, n);
        Copy.ReleaseCopy(a, operands[0]!);
        Copy.ReleaseCopy(b, operands[1]!);
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
        return (Copy.Contiguous(x), false, columns);
    }
}
