using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// Cumulative sums along an axis, y[…, k, …] = x[…, 0, …] + … + x[…, k, …], added one after another: in float64, each
/// rounded once, or in int64, where they wrap. Operands: x, of any layout, and y, contiguous, in memory of its own; of
/// one shape and one type, floating or int64.
/// </summary>
/// <param name="Axis">The axis, from 0 on.</param>
/// <param name="IsReversed">Whether the sums begin at the end of the axis.</param>
public readonly record struct CumulativeSum(int Axis, bool IsReversed) : INumericPrimitive<CumulativeSum>
{
    /// <inheritdoc/>
    public static string Name => "CumulativeSum";

    /// <inheritdoc/>
    public static ElementKinds Kinds => ElementKinds.Numbers;

    /// <inheritdoc/>
    public static void Check(in CumulativeSum primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        var (x, y) = (operands[0]!, operands[1]!);
        Operands.Result(Name, y, ElementKinds.Numbers);
        Operands.SameTypeAndShape(Name, "x", x, y);
        Operands.NoOverlap(Name, x, y);
        if ((uint)primitive.Axis >= (uint)x.Rank)
            throw new AdjointException($"{Name}: {x.Shape} has no axis {primitive.Axis}{Operands.Remedy}");
    }

    /// <inheritdoc/>
    public static void RunExact<T>(in CumulativeSum primitive, ReadOnlySpan<Tensor?> operands) where T : unmanaged
    {
        if (typeof(T) != typeof(long)) throw Operands.NoBody(Name, DTypes.Of<T>());
        Sum<long>(primitive, operands);
    }

    /// <inheritdoc/>
    public static void Run<T>(in CumulativeSum primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => Sum<T>(primitive, operands);

    private static unsafe void Sum<T>(in CumulativeSum primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, INumber<T>
    {
        var (x, y) = (Copy.Contiguous(operands[0]!), operands[1]!);
        var (n, inner) = (x.Shape[primitive.Axis], (nint)1);
        for (var axis = primitive.Axis + 1; axis < x.Rank; axis++) inner *= x.Shape[axis];
        var outer = x.Length == 0 ? 0 : x.Length / (n * inner);
        fixed (T* from = x.Data<T>(), to = y.Data<T>())
            Kernels.CumulativeSum.Run(from, to, outer, n, inner, primitive.IsReversed);
        Copy.ReleaseCopy(x, operands[0]!);
    }
}
