using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// The gradient of softmax over the last axis, from y = softmax(x) and g = ∂L/∂y: ∂L/∂x = y·(g − Σ g·y). Operands: y
/// and g, of any layout, and ∂L/∂x, contiguous; of one shape and floating type.
/// </summary>
public readonly record struct SoftmaxGradient : IFloatingPrimitive<SoftmaxGradient>
{
    /// <inheritdoc/>
    public static string Name => "SoftmaxGradient";

    /// <inheritdoc/>
    public static void Check(in SoftmaxGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        Operands.Result(Name, operands[2]!);
        Operands.SameTypeAndShape(Name, "y", operands[0]!, operands[2]!);
        Operands.SameTypeAndShape(Name, "g", operands[1]!, operands[2]!);
        Operands.HasRows(Name, "y", operands[0]!);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in SoftmaxGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (y, g) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!));
        var columns = y.Shape[-1];
        fixed (T* from = y.Data<T>(), dy = g.Data<T>(), dx = operands[2]!.Data<T>())
            Kernels.Softmax.Gradient(from, dy, dx, columns == 0 ? 0 : y.Length / columns, columns);
        Copy.ReleaseCopy(y, operands[0]!);
        Copy.ReleaseCopy(g, operands[1]!);
    }
}
