using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The element of x at the place where each window of another tensor had its largest. Operands: x (n, c, h, w), of any
/// layout; index as <see cref="MaxPool2d"/> wrote it; y (n, c, …), contiguous, of x's floating type.
/// </summary>
/// <param name="Windows">The sizes of the pooling.</param>
public readonly record struct MaxPool2dSelect(PoolShape Windows) : IFloatingPrimitive<MaxPool2dSelect>
{
    /// <inheritdoc/>
    public static string Name => "MaxPool2dSelect";

    /// <inheritdoc/>
    public static void Check(in MaxPool2dSelect primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var y = operands[2]!;
        PoolOperands.Check(Name, primitive.Windows, operands[0]!, y, operands[1]!, Operands.Result(Name, y));
        Operands.NoOverlap(Name, operands[0]!, y);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in MaxPool2dSelect primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, index, y) = (Copy.Contiguous(operands[0]!), operands[1]!, operands[2]!);
        fixed (T* from = x.Data<T>(), to = y.Data<T>())
        fixed (byte* which = index.Bytes) Pooling.Select(primitive.Windows, from, which, to);
        Copy.ReleaseCopy(x, operands[0]!);
    }
}
