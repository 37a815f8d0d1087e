using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// yⱼ = e^xⱼ / Σₖ e^xₖ over the last axis. Operands: x, of any layout, and y, contiguous; of one shape and floating
/// type.
/// </summary>
public readonly record struct Softmax : IFloatingPrimitive<Softmax>
{
    /// <inheritdoc/>
    public static string Name => "Softmax";

    /// <inheritdoc/>
    public static void Check(in Softmax primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        Operands.Result(Name, operands[1]!);
        Operands.SameTypeAndShape(Name, "x", operands[0]!, operands[1]!);
        Operands.HasRows(Name, "x", operands[0]!);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in Softmax primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, y) = (Copy.Contiguous(operands[0]!), operands[1]!);
        var columns = x.Shape[-1];
        var rows = columns == 0 ? 0 : x.Length / columns;
        fixed (T* from = x.Data<T>(), to = y.Data<T>()) Kernels.Softmax.Rows(from, to, rows, columns);
        Copy.ReleaseCopy(x, operands[0]!);
    }
}
