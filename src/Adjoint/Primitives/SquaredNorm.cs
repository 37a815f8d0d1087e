using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// total += Σ (scale·x)², in float64 whatever the type of x; the order of the sum follows from the number of elements
/// alone. Operands: x, floating, of any layout; total, one float64 without axes, in memory of its own.
/// </summary>
/// <param name="Scale">So that squares of large or tiny elements neither overflow nor vanish.</param>
public readonly record struct SquaredNorm(double Scale) : IFloatingPrimitive<SquaredNorm>
{
    /// <inheritdoc/>
    public static string Name => "SquaredNorm";

    /// <inheritdoc/>
    public static bool IsInPlace => true;

    /// <inheritdoc/>
    public static void Check(in SquaredNorm primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        var (x, total) = (operands[0]!, operands[1]!);
        if (!x.DType.IsFloating()) throw Operands.NoBody(Name, x.DType);
        Operands.Has(Name, "total", total, DType.Float64);
        Operands.Apart(Name, x, total);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in SquaredNorm primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, total) = (Copy.Packed(operands[0]!), operands[1]!);
        fixed (T* from = x.Data<T>())
            total.Origin<double>() += Kernels.SquaredNorm.Run(primitive.Scale, from, x.Length);
        Copy.Unpack(x, operands[0]!);
    }
}
