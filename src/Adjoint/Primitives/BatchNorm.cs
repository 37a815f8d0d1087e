using System.Numerics;

namespace Adjoint.Primitives;

/// <summary>
/// y = γ·(x − μ)·r + β with r = 1/√(σ² + ε), where μ is the mean and σ² the variance (divided by the count) of each
/// channel. Operands: x (n, c, …), γ (c), β (c), of any layout; μ (c), σ² (c), r (c) and y, contiguous; all of one
/// floating type, but the statistics of its computing type.
/// </summary>
/// <param name="Epsilon">The number ε added to the variance.</param>
public readonly record struct BatchNorm(double Epsilon) : IFloatingPrimitive<BatchNorm>
{
    /// <inheritdoc/>
    public static string Name => "BatchNorm";

    /// <inheritdoc/>
    public static int Outputs => 4;

    /// <inheritdoc/>
    public static void Check(in BatchNorm primitive, ReadOnlySpan<Tensor?> operands)
    {
        Operands.Expect(Name, operands, 7);
        var (x, y) = (operands[0]!, operands[6]!);
        var type = Operands.Result(Name, y);
        Operands.SameTypeAndShape(Name, "x", x, y);
        var channels = Operands.Channels(Name, x);
        Operands.Has(Name, "gamma", operands[1]!, type, channels);
        Operands.Has(Name, "beta", operands[2]!, type, channels);
        var computing = type.Computing();
        Operands.HasContiguous(Name, "mean", operands[3]!, computing, channels);
        Operands.HasContiguous(Name, "variance", operands[4]!, computing, channels);
        Operands.HasContiguous(Name, "inverseDeviation", operands[5]!, computing, channels);
    }

    /// <inheritdoc/>
    public static unsafe void Run<T>(in BatchNorm primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (x, gamma, beta) = (Copy.Contiguous(operands[0]!), Copy.Contiguous(operands[1]!),
            Copy.Contiguous(operands[2]!));
        var (n, c) = (x.Shape[0], x.Shape[1]);
        var s = n * c == 0 ? 0 : x.Length / (n * c);
        var scale = new T[c];
        fixed (T* from = x.Data<T>(), mean = operands[3]!.Data<T>(), variance = operands[4]!.Data<T>(),
            inverse = operands[5]!.Data<T>(), to = operands[6]!.Data<T>(), g = gamma.Data<T>(), b = beta.Data<T>(),
            a = scale)
        {
            Kernels.BatchNorm.Statistics(from, mean, variance, n, c, s);
            for (var i = 0; i < c; i++)
            {
                inverse[i] = T.One / T.Sqrt(variance[i] + T.CreateTruncating(primitive.Epsilon));
                a[i] = g[i] * inverse[i];
            }
            Kernels.BatchNorm.Apply(from, mean, a, b, to, n, c, s);
        }
        Copy.ReleaseCopy(x, operands[0]!);
        Copy.ReleaseCopy(gamma, operands[1]!);
        Copy.ReleaseCopy(beta, operands[2]!);
    }
}
