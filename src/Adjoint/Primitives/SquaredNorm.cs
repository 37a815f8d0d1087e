using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// Adds Σ x² to a sum of squares, in float64 whatever the type of x; the order follows from the number of elements
/// alone. The sum is kept as a pair (s, k) that stands for s·2⁻²ᵏ: k is 0 unless squares overflow or underflow, as
/// those of float64 may. Operands: x, floating, of any layout; the pair, two float64 (0, 0 at first), in memory of its
/// own.
/// </summary>
public readonly record struct SquaredNorm : IFloatingPrimitive<SquaredNorm>
{
    // From here on a sum of squares has lost nothing that counts; squares of float32 are always larger, or 0.
    private const double Least = 1e-250;

    /// <inheritdoc/>
    public static string Name => "SquaredNorm";

    /// <inheritdoc/>
    public static bool IsInPlace => true;

    /// <inheritdoc/>
    public static void Check(in SquaredNorm primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 2);
        var (x, sum) = (operands[0]!, operands[1]!);
        if (!x.DType.IsFloating()) throw Operands.NoBody(Name, x.DType);
        Operands.HasContiguous(Name, "sum", sum, DType.Float64, 2);
        Operands.NoOverlap(Name, x, sum);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in SquaredNorm primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var x = Copy.Contiguous(operands[0]!);
        fixed (T* from = x.Data<T>()) Add(operands[1]!.Data<double>(), SumOf(from, x.Length));
        Copy.ReleaseCopy(x, operands[0]!);
    }

    /// <summary>√(s·2⁻²ᵏ).</summary>
    internal static double Root(ReadOnlySpan<double> sum) => Math.ScaleB(Math.Sqrt(sum[0]), -(int)sum[1]);

    private static unsafe (double S, int K) SumOf<T>(T* x, int length)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var s = Kernels.SquaredNorm.Run(1, x, length);
        if (double.IsNaN(s) || s > Least && double.IsFinite(s)) return (s, 0);
        var largest = 0.0;
        for (var i = 0; i < length; i++) largest = Math.Max(largest, double.CreateTruncating(T.Abs(x[i])));
        if (largest == 0 || !double.IsFinite(largest)) return (largest, 0);
        var k = Math.Clamp(-Math.ILogB(largest), -1000, 1000);
        return (Kernels.SquaredNorm.Run(Math.ScaleB(1, k), x, length), k);
    }

    private static void Add(Span<double> sum, (double S, int K) more)
    {
        var (s, k) = (sum[0], (int)sum[1]);
        if (s == 0) (s, k) = (0, more.K);
        if (more.S == 0) more.K = k;
        // The larger numbers decide.
        var common = Math.Min(k, more.K);
        var total = Scaled(s, k) + Scaled(more.S, more.K);
        if (double.IsInfinity(total) && double.IsFinite(s) && double.IsFinite(more.S))
        {
            common -= 10;
            total = Scaled(s, k) + Scaled(more.S, more.K);
        }
        (sum[0], sum[1]) = (total, common);

        double Scaled(double of, int from) => Math.ScaleB(of, 2 * (common - from));
    }
}
