using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>The matrix product over the last two axes; leading axes agree.</summary>
internal sealed class MatMulOp : Op
{
    internal static readonly MatMulOp Instance = new();

    public override string Name => "MatMul";
    public override string Formula => "C = A·B: Cᵢⱼ = Σₖ Aᵢₖ Bₖⱼ, for A (…, m, k), B (…, k, n)";
    public override string Derivation =>
        "L depends on Aᵢₖ through row i of C: ∂L/∂Aᵢₖ = Σⱼ Gᵢⱼ Bₖⱼ, so ∂L/∂A = G·Bᵀ; likewise ∂L/∂B = Aᵀ·G";
    public override Saves Saves => Saves.Inputs;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (a, b) = (inputs[0], inputs[1]);
        if (a.DType != b.DType || a.DType == DType.Bool)
            throw new AdjointException("MatMul: both operands must be of one floating or integer type: "
                + $"found {a.DType.Label()} and {b.DType.Label()}; cast one with .To(…)");
        if (a.Shape[-1] != b.Shape[-2])
        {
            var remedy = a.Shape[-1] == b.Shape[-1] ? "transpose the right operand?"
                : a.Shape[-2] == b.Shape[-2] ? "transpose the left operand?"
                : "the last axis of the left must equal the second last of the right";
            throw new AdjointException($"MatMul: inner dimensions differ: {a.Shape} · {b.Shape}; {remedy}");
        }
        return new((int[])[.. a.Shape.Sizes[..^1], b.Shape[-1]], a.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new MatMul<NoActivation>(), inputs[0], inputs[1], null, output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
    [
        node.Needs(0) ? Apply(Instance, gradient, node.Inputs[1].Transpose()) : null,
        node.Needs(1) ? Apply(Instance, node.Inputs[0].Transpose(), gradient) : null,
    ];
}

public static partial class TensorMethods
{
    extension(Tensor a)
    {
        /// <summary>
        /// The matrix product. Vectors are rows on the left and columns on the right, and lose that axis again; leading
        /// axes broadcast. (m, k)·(k, n) → (m, n); (k)·(k) → (); (m, k)·(k) → (m); (b, m, k)·(k, n) → (b, m, n).
        /// </summary>
        /// <param name="b">The right factor (…, k, n) or (k), of a's inner size k.</param>
        /// <returns>The product (…, m, n), in the type that both promote to.</returns>
        /// <exception cref="AdjointException">
        /// Inner dimensions or types differ, both are bool, or leading axes do not broadcast.
        /// </exception>
        /// <remarks>Integers too, whose sums wrap.</remarks>
        public Tensor MatMul(Tensor b)
        {
            if (a.Rank == 0 || b.Rank == 0)
                throw new AdjointException(
                    $"MatMul: a scalar has no rows: found {a.Shape} · {b.Shape}; multiply with *");
            if (a.Rank == 1) return a.Unsqueeze(0).MatMul(b).Squeeze(b.Rank == 1 ? 0 : -2);
            if (b.Rank == 1) return a.MatMul(b.Unsqueeze(1)).Squeeze(-1);
            if (b.Rank == 2 && a.Rank > 2 && a.Shape[-1] == b.Shape[0])
            {
                var rows = a.Reshape(Shape.Product(a.Shape.Sizes[..^1]), a.Shape[-1]);
                return Op.Apply(MatMulOp.Instance, rows, b).Reshape([.. a.Shape.Sizes[..^1], b.Shape[-1]]);
            }
            if (a.Rank == 2 && b.Rank == 2) return Op.Apply(MatMulOp.Instance, a, b);
            var lead = Shape.Broadcast((int[])[.. a.Shape.Sizes[..^2]], (int[])[.. b.Shape.Sizes[..^2]], "MatMul");
            return Op.Apply(MatMulOp.Instance, a.Expand([.. lead, .. a.Shape.Sizes[^2..]]),
                b.Expand([.. lead, .. b.Shape.Sizes[^2..]]));
        }
    }
}
