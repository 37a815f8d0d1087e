using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The largest element of each window, and its number within the window. Operands: x (n, c, h, w), of any layout; y (n,
/// c, …) of its floating type, and index, a byte (in a bool tensor) for each element of y, both contiguous.
/// </summary>
/// <param name="Windows">The sizes of the pooling.</param>
public readonly record struct MaxPool2d(PoolShape Windows) : IFloatingPrimitive<MaxPool2d>
{
    /// <inheritdoc/>
    public static string Name => "MaxPool2d";

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static void Check(in MaxPool2d primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var y = operands[1]!;
        PoolOperands.Check(Name, primitive.Windows, operands[0]!, y, operands[2]!, Operands.Result(Name, y));
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in MaxPool2d primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, y, index) = (Copy.Contiguous(operands[0]!), operands[1]!, operands[2]!);
        fixed (T* from = x.Data<T>(), to = y.Data<T>())
        fixed (byte* which = index.Bytes) Pooling.Max(primitive.Windows, from, to, which);
        Copy.ReleaseCopy(x, operands[0]!);
    }
}
