using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// The gradient of log-softmax over the last axis, from y = log softmax(x) and g = ∂L/∂y: ∂L/∂x = g − eʸ·Σ g. Operands:
/// y and g, of any layout, and ∂L/∂x, contiguous; of one shape and floating type.
/// </summary>
public readonly record struct LogSoftmaxGradient : IFloatingPrimitive<LogSoftmaxGradient>
{
    /// <inheritdoc/>
    public static string Name => "LogSoftmaxGradient";

    /// <inheritdoc/>
    public static void Check(in LogSoftmaxGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        Operands.Result(Name, operands[2]!);
        Operands.SameTypeAndShape(Name, "y", operands[0]!, operands[2]!);
        Operands.SameTypeAndShape(Name, "g", operands[1]!, operands[2]!);
        Operands.HasRows(Name, "y", operands[0]!);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in LogSoftmaxGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (y, g) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!));
        var columns = y.Shape[-1];
        fixed (T* from = y.Data<T>(), dy = g.Data<T>(), dx = operands[2]!.Data<T>())
            Kernels.Softmax.LogGradient(from, dy, dx, columns == 0 ? 0 : y.Length / columns, columns);
        Copy.ReleaseCopy(y, operands[0]!);
        Copy.ReleaseCopy(g, operands[1]!);
    }
}
