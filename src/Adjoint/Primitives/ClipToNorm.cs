using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = x · limit / norm where the norm, √ of a sum of squares, is above the limit and finite; else y = x. Operands:
/// x, floating; the sum as <see cref="SquaredNorm"/> keeps it; y, of x's type and shape, which may be x; all
/// contiguous.
/// </summary>
/// <param name="Limit">The largest norm afterwards, 0 or more.</param>
public readonly record struct ClipToNorm(double Limit) : IFloatingPrimitive<ClipToNorm>
{
    /// <inheritdoc/>
    public static string Name => "ClipToNorm";

    /// <inheritdoc/>
    public static void Check(in ClipToNorm primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 3);
        var (x, y) = (operands[0]!, operands[2]!);
        Operands.HasContiguous(Name, "sum", operands[1]!, DType.Float64, 2);
        Operands.Result(Name, y);
        Operands.SameTypeAndShape(Name, "x", x, y);
        Operands.Contiguous(Name, "x", x);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in ClipToNorm primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var sum = operands[1]!.Data<double>();
        var (x, y) = (operands[0]!, operands[2]!);
        var norm = SquaredNorm.Root(sum);
        fixed (T* from = x.Data<T>(), to = y.Data<T>())
        {
            if (!double.IsFinite(sum[0]) || !(norm > primitive.Limit))
            {
                if (from != to) x.Bytes.CopyTo(y.Bytes);
                return;
            }
            var factor = primitive.Limit * Math.ScaleB(1, (int)sum[1]) / Math.Sqrt(sum[0]);
            // A tiny factor would lose digits, or be 0, in the type of x: its root, twice, does not.
            var isTiny = factor is > 0 and <= 1e-30;
            var times = new Times(isTiny ? Math.Sqrt(factor) : factor);
            Kernels.Map.Run(times, from, to, x.Length);
            if (isTiny) Kernels.Map.Run(times, to, to, x.Length);
        }
    }

    private readonly struct Times(double factor) : IUnaryOperator
    {
        public V Invoke<V>(V x) where V : struct, ILanes<V> => x * V.Splat(factor);
    }
}
