using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint;

/// <summary>A fully connected layer: the bias is added while the product is still in the cache.</summary>
internal sealed class LinearOp : Op
{
    internal static readonly LinearOp Instance = new();

    public override string Name => "Linear";
    public override string Formula => "Y = X·Wᵀ + b, for X (n, in), W (out, in), b (out)";
    public override string Derivation =>
        "as for the product: ∂L/∂X = G·W; ∂L/∂W = Gᵀ·X; b enters every row: ∂L/∂b = Σ over rows of G";
    public override Saves Saves => Saves.Inputs;

    public override TensorSpec Infer(ReadOnlySpan<Tensor> inputs)
    {
        var (x, weight, bias) = (inputs[0], inputs[1], inputs[2]);
        if (x.Rank != 2 || weight.Rank != 2 || x.Shape[1] != weight.Shape[1])
            throw new AdjointException(
                $"Linear: an input (n, {(weight.Rank == 2 ? weight.Shape[1] : "in")}) is needed: found {x.Shape} for " +
                $"weights {weight.Shape}; the last axis must be the number of inputs");
        if (bias.Shape != (int[])[weight.Shape[0]])
            throw new AdjointException($"Linear: the bias must be ({weight.Shape[0]},): found {bias.Shape}");
        if (x.DType != weight.DType || x.DType != bias.DType)
            throw new AdjointException(
                $"Linear: input, weights and bias must have one type: found {x.DType.Label()}, " +
                $"{weight.DType.Label()}, {bias.DType.Label()}; cast with .To(…)");
        return new((int[])[x.Shape[0], weight.Shape[0]], x.DType);
    }

    public override void Forward(OpContext context, ReadOnlySpan<Tensor> inputs, Tensor output) =>
        Backend.Run(new MatMul<NoActivation>(), inputs[0], new PermuteOp([1, 0]).View(inputs[1]), inputs[2], output);

    public override Tensor?[] Backward(OpNode node, Tensor gradient) =>
    [
        node.Needs(0) ? gradient.MatMul(node.Inputs[1]) : null,
        node.Needs(1) ? gradient.Transpose().MatMul(node.Inputs[0]) : null,
        node.Needs(2) ? gradient.Sum(0) : null,
    ];
}

public static partial class TensorMethods
{
    extension(Tensor x)
    {
        /// <summary>The affine map x·Wᵀ + b over the last axis: x (…, in) → (…, out).</summary>
        /// <param name="weight">The weights W (out, in), of x's type.</param>
        /// <param name="bias">The bias b (out), of x's type.</param>
        /// <returns>The outputs (…, out), of x's type.</returns>
        /// <exception cref="AdjointException">The shapes or types do not fit.</exception>
        public Tensor Linear(Tensor weight, Tensor bias) => x.Rank is 0 or 2
            ? Op.Apply(LinearOp.Instance, x, weight, bias)
            : Op.Apply(LinearOp.Instance, x.Reshape(Shape.Product(x.Shape.Sizes[..^1]), x.Shape[-1]), weight,
                bias).Reshape([.. x.Shape.Sizes[..^1], weight.Shape[0]]);
    }
}
