using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// Sends the gradient of each window to the element that was largest. Operands: g (n, c, …), of any layout; index as
/// <see cref="MaxPool2d"/> wrote it; ∂L/∂x (n, c, h, w), contiguous, of g's floating type.
/// </summary>
/// <param name="Windows">The sizes of the pooling.</param>
public readonly record struct MaxPool2dGradient(PoolShape Windows) : IFloatingPrimitive<MaxPool2dGradient>
{
    /// <inheritdoc/>
    public static string Name => "MaxPool2dGradient";

    /// <inheritdoc/>
    public static void Check(in MaxPool2dGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var dx = operands[2]!;
        PoolOperands.Check(Name, primitive.Windows, dx, operands[0]!, operands[1]!, Operands.Result(Name, dx));
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in MaxPool2dGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (g, index, dx) = (Copy.Contiguous(operands[0]!), operands[1]!, operands[2]!);
        fixed (T* from = g.Data<T>(), to = dx.Data<T>())
        fixed (byte* which = index.Bytes) Pooling.MaxGradient(primitive.Windows, from, which, to);
        Copy.ReleaseCopy(g, operands[0]!);
    }
}
