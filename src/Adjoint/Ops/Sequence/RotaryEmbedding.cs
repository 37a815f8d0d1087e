using Adjoint.Primitives;

namespace Adjoint;

/// <summary>Positions as rotations of pairs of features.</summary>
internal sealed class RotaryEmbeddingOp(double theta, bool isInterleaved, bool isInverse) : Op
{
    public override string Name => "RotaryEmbedding";
    public override string Formula =>
        $"(yᵢ, yⱼ) = (xᵢ cos α {(isInverse ? "+" : "−")} xⱼ sin α, xⱼ cos α {(isInverse ? "−" : "+")} xᵢ sin α), α = p·"
        + "θ^(−2k/d) for the k-th pair (i, j) of d features at position p";
    public override string Derivation =>
        "a rotation is linear, and its transpose rotates back: ∂L/∂x = g rotated by −α; p is an integer and has no "
        + "gradient";
    public override Saves Saves => Saves.Nothing;
    public override IReadOnlyList<OpAttribute> Attributes =>
        [new("theta", theta), new("isInterleaved", isInterleaved), new("isInverse", isInverse)];

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, positions) = (inputs[0], inputs[1]);
        if (x.Rank < 2 || x.Shape[-1] % 2 != 0 || !x.DType.IsFloating())
            throw new AdjointException(
                $"{Name}: a floating input (…, t, d) is needed, d even, because features are rotated in pairs: found "
                + $"{x.Shape} {x.DType.Label()}");
        if (positions.DType != DType.Int64)
            throw new AdjointException(
                $"{Name}: positions must be int64: found {positions.DType.Label()}; use .To(DType.Int64)");
        var (t, isBatched) = (x.Shape[-2], x.Rank > 2 && positions.Rank == 2);
        if (isBatched ? positions.Shape != (int[])[x.Shape[0], t] : positions.Shape != (int[])[t])
            throw new AdjointException(
                $"{Name}: positions must be ({t}), one for each row of {x.Shape}"
                + $"{(x.Rank > 2 ? $", or ({x.Shape[0]}, {t}), for each sample its own" : "")}: found "
                + $"{positions.Shape}");
        return new(x.Shape, x.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output)
    {
        Backend.Run(new RotaryEmbedding(theta, isInterleaved, isInverse), inputs[0], inputs[1], output);
        context.Save(inputs[1]);
    }

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
        [Apply(new RotaryEmbeddingOp(theta, isInterleaved, !isInverse), gradient, node.Saved[0]), null];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>
        /// Rotary position embedding (Su et al. 2021, "RoFormer"): of queries or keys x (…, t, d) at positions p, the
        /// k-th pair of features is rotated by the angle p·θ^(−2k/d), so that the product of a query and a key depends
        /// on the distance of their positions alone. Angles are computed in float64: positions may be in the millions,
        /// or negative. A NaN or ∞ spreads over its pair.
        /// </summary>
        /// <param name="positions">
        /// The positions (t) int64; or (n, t), where n is the first axis of x: for each sample its own.
        /// </param>
        /// <param name="theta">The base θ of the angles, positive.</param>
        /// <param name="isInterleaved">
        /// Whether a pair is two neighbors (2k, 2k + 1), as in the paper and GPT-J, instead of (k, k + d/2), as in
        /// GPT-NeoX and Llama.
        /// </param>
        /// <returns>A tensor of x's shape and type.</returns>
        /// <exception cref="AdjointException">
        /// x is not floating (…, t, d) with an even d, the positions do not fit it, or θ is not positive and finite.
        /// </exception>
        public Tensor RotaryEmbedding(Tensor positions, double theta = 10000, bool isInterleaved = false) =>
            theta > 0 && double.IsFinite(theta)
                ? Op.Apply(new RotaryEmbeddingOp(theta, isInterleaved, isInverse: false), x, positions)
                : throw new AdjointException($"RotaryEmbedding: θ must be positive and finite: found {theta}");
    }
}
