using System.Numerics;
using Adjoint.Kernels;

namespace Adjoint.Primitives;

/// <summary>
/// The gradients of attention: the weights P are computed again from ln Σ e^score, block by block; ∂L/∂V = Pᵀ·g, and
/// with ∂L/∂S = P ∘ (g·Vᵀ − D), D = Σ g ∘ y of each query: ∂L/∂Q = scale·∂L/∂S·K, ∂L/∂K = scale·∂L/∂Sᵀ·Q. Operands: the
/// seven that <see cref="Attention"/> reads, and the two that it wrote; g, the gradient of its result, of any layout;
/// ∂L/∂Q, ∂L/∂K, ∂L/∂V, contiguous.
/// </summary>
/// <param name="Attributes">Whether it is causal, scale and dropout.</param>
public readonly record struct AttentionGradient(AttentionAttributes Attributes) : IFloatingPrimitive<AttentionGradient>
{
    /// <inheritdoc/>
    public static string Name => "AttentionGradient";

    /// <inheritdoc/>
    public static int Outputs => 3;

    /// <inheritdoc/>
    public static double Flops(in AttentionGradient primitive, ReadOnlySpan<Tensor?> operands) =>
        AttentionOperands.Flops(primitive.Attributes, operands, 3, 2);

    /// <inheritdoc/>
    public static void Check(in AttentionGradient primitive, ReadOnlySpan<Tensor?> operands)
    {
        AttentionOperands.CheckCount(Name, operands, 6);
        AttentionOperands.CheckGradient(Name, primitive.Attributes, operands);
        for (var i = 0; i < 3; i++)
        {
            var result = operands[AttentionOperands.Count + 3 + i]!;
            Operands.Result(Name, result);
            Operands.SameTypeAndShape(Name, i == 0 ? "q" : i == 1 ? "k" : "v", operands[i]!, result);
        }
    }

    /// <inheritdoc/>
    public static void Run<T>(in AttentionGradient primitive, ReadOnlySpan<Tensor?> operands)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        AttentionOperands.Run<T, Body<T>>(primitive.Attributes, operands);

    private readonly struct Body<T> : IAttentionBody<T> where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        public static unsafe void Run(in AttentionProblem<T> problem, ReadOnlySpan<Tensor?> rest)
        {
            fixed (T* y = rest[0]!.Data<T>(), logSumExp = rest[1]!.Data<T>(), g = &rest[2]!.Origin<T>(),
                dq = rest[3]!.Data<T>(), dk = rest[4]!.Data<T>(), dv = rest[5]!.Data<T>())
                Kernels.Attention.Gradient(
                    problem, y, logSumExp, g, AttentionOperands.Strides(rest[2]!.Strides), dq, dk, dv);
        }
    }
}
