using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// y = softmax(scale·Q·Kᵀ + mask)·V, without a matrix of queries by keys in memory (Dao et al. 2022). Operands: queries
/// (n, h, t, d), keys (n, g, s, d) and values (n, g, s, e), of any layout; a mask that broadcasts to (n, h, t, s), bool
/// (whether a query sees a key) or floating (added), or null; ALiBi's slopes (h) of the computing type, or null;
/// lengths (n), int64, of the keys, or null; the key of dropout, two numbers uniform in [0, 1), float64, or null; y (n,
/// h, t, e), contiguous; and ln Σ e^score of each query (n, h, t), of the computing type, contiguous. The others are of
/// one floating type. A query that sees no key: y = 0.
/// </summary>
/// <param name="Attributes">Whether it is causal, scale and dropout.</param>
public readonly record struct Attention(AttentionAttributes Attributes) : IFloatingPrimitive<Attention>
{
    /// <inheritdoc/>
    public static string Name => "Attention";

    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static double Flops(in Attention primitive, ReadOnlySpan<Tensor?> operands) =>
        AttentionOperands.Flops(primitive.Attributes, operands, 1, 1);

    /// <inheritdoc/>
    public static void Check(in Attention primitive, ReadOnlySpan<Tensor?> operands)
    {
        AttentionOperands.CheckCount(Name, operands, 2);
        var type = AttentionOperands.Check(Name, primitive.Attributes, operands);
        var (q, v, y) = (operands[0]!, operands[2]!, operands[AttentionOperands.Count]!);
        Operands.Result(Name, y);
        Operands.Has(Name, "y", y, type, q.Shape[0], q.Shape[1], q.Shape[2], v.Shape[3]);
        Operands.HasContiguous(
            Name, "logSumExp", operands[AttentionOperands.Count + 1]!, type.Computing(), q.Shape.Sizes[..3]);
        for (var i = 0; i < 3; i++) Operands.NoOverlap(Name, operands[i]!, y);
    }

    /// <inheritdoc/>
    public static void Run<T>(in Attention primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        AttentionOperands.Run<T, Body<T>>(primitive.Attributes, operands);

    private readonly struct Body<T> : IAttentionBody<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public static unsafe void Run(in AttentionProblem<T> problem, ReadOnlySpan<Tensor?> rest)
        {
            fixed (T* y = rest[0]!.Data<T>(), logSumExp = rest[1]!.Data<T>())
                Kernels.Attention.Forward(problem, y, logSumExp);
        }
    }
}
