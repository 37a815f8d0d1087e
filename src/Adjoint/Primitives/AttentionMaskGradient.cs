using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The gradient of the numbers that attention adds to its scores: P ∘ (g·Vᵀ − D), summed over the axes that they are
/// broadcast along. Operands: the seven that <see cref="Attention"/> reads, of which the mask is floating, and the two
/// that it wrote; g, the gradient of its result, of any layout; the gradient of the mask, of its shape, contiguous.
/// </summary>
/// <param name="Attributes">Whether it is causal, scale and dropout.</param>
public readonly record struct AttentionMaskGradient(AttentionAttributes Attributes)
    : IFloatingPrimitive<AttentionMaskGradient>
{
    /// <inheritdoc/>
    public static string Name => "AttentionMaskGradient";

    /// <inheritdoc/>
    public static double Flops(in AttentionMaskGradient primitive, ReadOnlySpan<Tensor?> operands) =>
        AttentionOperands.Flops(primitive.Attributes, operands, 1, 1);

    /// <inheritdoc/>
    public static void Check(in AttentionMaskGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        AttentionOperands.CheckCount(Name, operands, 4);
        AttentionOperands.CheckGradient(Name, primitive.Attributes, operands);
        var (mask, result) = (operands[3], operands[^1]!);
        Operands.Result(Name, result);
        if (mask is null) throw new AdjointException($"{Name}: the mask must not be left out: found null");
        Operands.SameTypeAndShape(Name, "mask", mask, result);
    }

    /// <inheritdoc/>
    public static void Run<T>(in AttentionMaskGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        AttentionOperands.Run<T, Body<T>>(primitive.Attributes, operands);

    private readonly struct Body<T> : IAttentionBody<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public static unsafe void Run(in AttentionProblem<T> problem, ReadOnlySpan<Tensor?> rest)
        {
            var result = rest[3]!;
            Shape scores = (int[])[problem.Batch, problem.Heads, problem.Queries, problem.Keys];
            result.Data<T>().Clear();
            fixed (T* y = rest[0]!.Data<T>(), logSumExp = rest[1]!.Data<T>(), g = &rest[2]!.Origin<T>(),
                to = result.Data<T>())
                Kernels.Attention.MaskGradient(problem, y, logSumExp, g,
                    AttentionOperands.Strides(rest[2]!.Strides), to,
                    AttentionOperands.Strides(Operands.BroadcastStrides(result, scores)));
        }
    }
}
